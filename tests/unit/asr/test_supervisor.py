"""Worker processes beside the service: begun again when they end, told to end with it."""

import sys
from pathlib import Path

import pytest

from cti.asr.supervisor import WorkerSupervisor
from cti.child import RECYCLE_STATUS, next_pause
from cti.clock import SystemClock
from cti.service import running
from tests.waiting import until


@pytest.mark.parametrize(
    ("pause", "lived", "status", "expected"),
    [
        pytest.param(0.0, 0.1, 1, 1.0, id="the first death"),
        pytest.param(1.0, 0.1, 1, 2.0, id="twice as long each time"),
        pytest.param(50.0, 0.1, -9, 60.0, id="up to a minute"),
        pytest.param(60.0, 61.0, 1, 1.0, id="after a good life from the beginning"),
        pytest.param(16.0, 0.1, RECYCLE_STATUS, 0.0, id="grown too large: at once"),
    ],
)
def test_a_dead_child_waits_longer_each_time(
    pause: float, lived: float, status: int, expected: float
) -> None:
    assert next_pause(pause, lived=lived, status=status) == expected


def a_supervisor(script: str, **given: object) -> WorkerSupervisor:
    values = {"environ": {"GREETING": "hello"}, "count": 1, "clock": SystemClock()} | given
    values.setdefault("pause", lambda pause, **life: 0.0)
    return WorkerSupervisor(command=[sys.executable, "-c", script], **values)  # type: ignore[arg-type]


async def test_a_child_that_ends_is_begun_again(tmp_path: Path) -> None:
    script = f"import os; open({str(tmp_path / 'lives')!r}, 'a').write(os.environ['GREETING'])"
    supervisor = a_supervisor(script)
    async with running(supervisor):
        await until(lambda: supervisor.begun >= 3)
    assert (tmp_path / "lives").read_text().startswith("hellohello")


async def test_told_to_end_it_ends_all_children_softly(tmp_path: Path) -> None:
    script = (
        "import signal, sys, pathlib, time\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "def end(*_):\n    (folder / str(__import__('os').getpid())).write_text('ended'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "(folder / 'ready').open('a').write('x')\n"
        "time.sleep(600)"
    )
    supervisor = a_supervisor(script, count=2)
    ready = tmp_path / "ready"
    async with running(supervisor):
        await until(lambda: ready.exists() and len(ready.read_text()) == 2)
        # A child may speak before whoever began it has heard that it was begun.
        await until(lambda: supervisor.alive == supervisor.wanted == 2)
        pids = supervisor.pids
    assert [(tmp_path / str(pid)).read_text() for pid in pids] == ["ended", "ended"]
    assert supervisor.alive == 0


async def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(tmp_path / 'ready')!r}).touch()\n"
        "time.sleep(600)"
    )
    supervisor = a_supervisor(script, end_seconds=0.1)
    async with running(supervisor):
        await until((tmp_path / "ready").exists)
    assert supervisor.alive == 0


async def test_a_command_that_cannot_be_begun_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = WorkerSupervisor(
        command=[str(tmp_path / "nothing")],
        environ={},
        count=1,
        clock=SystemClock(),
        pause=lambda pause, **life: 0.01,
    )
    async with running(supervisor):
        await until(lambda: "cannot be begun" in caplog.text)
        (tmp_path / "nothing").write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / "nothing").chmod(0o755)
        await until(lambda: supervisor.begun >= 1)
