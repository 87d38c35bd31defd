"""A process of our own beside the service."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from crm_sync import push
from cti import child as module
from cti.child import Child, next_pause
from cti.clock import SystemClock
from cti.service import running
from lab import daemon
from tests.waiting import until


def a_child(code: str, **given: object) -> Child:
    values: dict[str, object] = {
        "name": "the child",
        "command": [sys.executable, "-c", code],
        "environ": {"WORD": "hello"},
        "clock": SystemClock(),
    }
    return Child(**values | given)  # type: ignore[arg-type]


async def test_it_runs_with_its_environment_and_ends_with_the_service(tmp_path: Path) -> None:
    said = tmp_path / "said"
    code = f"import os, time; open({str(said)!r}, 'w').write(os.environ['WORD']); time.sleep(600)"
    child = a_child(code)

    async with running(child):
        await until(lambda: said.exists() and said.read_text() == "hello")
        await until(lambda: child.alive)  # it may speak before whoever began it has heard that it was begun
        pid = child.pid
        assert pid is not None

    assert not child.alive
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_one_that_is_killed_is_begun_again() -> None:
    child = a_child("import time; time.sleep(600)")
    async with running(child):
        await until(lambda: child.alive)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.begun == 2 and child.alive)
        assert child.pid != first


async def test_one_that_does_not_hear_is_killed(tmp_path: Path) -> None:
    there = tmp_path / "there"
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f" open({str(there)!r}, 'w'); time.sleep(600)"
    )
    child = a_child(code, end_seconds=0.1)
    async with running(child):
        await until(there.exists)
    assert not child.alive


async def test_one_that_works_before_its_begin_is_heard_of_is_told_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, begin = tmp_path / "said", asyncio.create_subprocess_exec
    begun: list[asyncio.subprocess.Process] = []
    heard = asyncio.Event()

    async def slow(*command: str, **given: Any) -> asyncio.subprocess.Process:
        begun.append(await begin(*command, **given))
        await heard.wait()
        return begun[0]

    monkeypatch.setattr("cti.child.asyncio.create_subprocess_exec", slow)
    code = (
        f"import pathlib, signal, sys, time; said = pathlib.Path({str(said)!r});"
        " signal.signal(signal.SIGTERM, lambda *_: (said.write_text('ended'), sys.exit()));"
        " said.write_text('works'); time.sleep(600)"
    )
    life = asyncio.create_task(a_child(code).run())
    await until(lambda: said.exists() and said.read_text() == "works")
    life.cancel()
    await asyncio.sleep(0)
    heard.set()
    await asyncio.wait({life})
    assert begun[0].returncode == 0
    assert said.read_text() == "ended"


async def test_a_command_that_is_not_there_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    child = a_child("", command=["/nowhere/at/all"], pause=lambda pause, **life: 0.01)
    async with running(child):
        await until(lambda: caplog.text.count("cannot be begun") == 2)
        assert not child.alive
        assert child.pid is None


def test_whoever_waits_for_an_end_waits_longer_than_what_is_to_end_may_take() -> None:
    """The processes beside the service are of two kinds, ended one after the other."""
    assert push.GIVE_BACK_SECONDS + push.END_SECONDS < module.END_SECONDS
    assert 2 * module.END_SECONDS < daemon.STOP_SECONDS


def test_pauses_grow_and_begin_anew_after_a_life_that_was_well() -> None:
    assert next_pause(0.0, lived=1.0) == 1.0
    assert next_pause(1.0, lived=1.0) == 2.0
    assert next_pause(50.0, lived=1.0) == 60.0
    assert next_pause(50.0, lived=61.0) == 1.0
