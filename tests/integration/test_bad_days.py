"""Bad input and bad days: what is away is named and waited for, what comes in is kept intact or refused."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from lab import Lab
from lab.daemon import Daemon, Refused, daemon_beside
from lab.demo.contacts import as_csv
from lab.softphone.call import Ending
from tests.integration.ami_proxy import AmiProxy
from tests.integration.customers import Person
from tests.integration.database_outage import AGENTS, locked, outlived, stopped
from tests.integration.floor_lab import CAMPAIGN, FloorLab, open_floor, until
from tests.integration.postgres import running_postgres
from tests.integration.proof import proved, tell

OUTAGE_SECONDS: Final = 7.0
"""Of the database; `make soak` has longer ones."""
MARK: Final = "ZZMARK"
"""Stands in every hostile text: where it is found, the text has been."""
HOSTILE: Final = (
    f"{MARK}\r\nAction: Command\r\nCommand: core stop now",
    f"{MARK}\nVariable: CTI_TAKEN=1",
    f"{MARK}\x00nul",
    f"{MARK}|System(id)",
    f"{MARK},s,1",
    f"{MARK} ${{SHELL(id)}} $[1+1]",
    f"{MARK};n,Hangup()",
    f"{MARK} \"quoted\" 'single' `back`",
    f"=cmd('/C calc'!A0) {MARK}",
    f"../../{MARK}",
    f"{MARK} 陈伟 & Söhne <b>",
)
CONTROL: Final = ("\r", "\n", "\x00")


async def test_an_asterisk_that_is_not_there_yet_is_waited_for(fresh_lab: Lab, tmp_path: Path) -> None:
    await fresh_lab.pbx.kill()
    async with daemon_beside(fresh_lab, tmp_path / "cti", start=False) as daemon:
        await daemon.start(well=False)
        said = await until(
            daemon.health, lambda health: "nobody listens" in _reason(health), "it says what is wrong"
        )
        assert said["status"] == "degraded"
        assert f"node pbx (127.0.0.1:{fresh_lab.pbx.ami_port})" in _reason(said)
        await fresh_lab.pbx.start()
        await until(daemon.health, lambda health: health["status"] == "ok", "all is well")


async def test_a_wrong_ami_password_is_named_and_the_service_stays_up(lab: Lab, tmp_path: Path) -> None:
    async with daemon_beside(lab, tmp_path / "cti", start=False) as daemon:
        settings = daemon.config.read_text(encoding="utf-8")
        daemon.config.write_text(
            settings.replace(f'secret = "{lab.pbx.secret}"', 'secret = "wrong"'), encoding="utf-8"
        )
        await daemon.start(well=False)
        said = await until(
            daemon.health, lambda health: "refused" in _reason(health), "it says what is wrong"
        )
        assert said["status"] == "degraded"
        assert f"node pbx (127.0.0.1:{lab.pbx.ami_port})" in _reason(said)
        assert f"AMI user {lab.pbx.user}" in _reason(said)
        assert (await daemon.get("agents")) == {"agents": []}


async def test_a_port_that_is_taken_ends_the_start_with_a_sentence(lab: Lab, tmp_path: Path) -> None:
    port = lab.settings.spare_port
    async with daemon_beside(lab, tmp_path / "cti", start=False) as daemon:
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port))
            taken.listen()
            command = [sys.executable, "-m", "cti", "run", "--config", daemon.config]
            ended = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=30, check=False
            )
    assert ended.returncode not in (0, None)
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_sqlite_that_is_locked_loses_nothing(fresh_lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "cti"
    async with open_floor(fresh_lab, folder, agents=AGENTS, ring_seconds=5) as floor:
        lock = locked(folder / "waihu.db")
        await outlived(floor, lock, seconds=OUTAGE_SECONDS, name="SQLite locked")


@pytest.mark.postgres
async def test_a_postgresql_that_goes_and_comes_loses_nothing(fresh_lab: Lab, tmp_path: Path) -> None:
    with running_postgres() as server:
        url = await asyncio.to_thread(server.make_database, "bad_day")
        async with open_floor(
            fresh_lab, tmp_path / "cti", agents=AGENTS, ring_seconds=5, database_url=url
        ) as floor:
            await outlived(floor, stopped(server), seconds=OUTAGE_SECONDS, name="PostgreSQL stopped")


async def test_a_full_disk_is_told_and_recordings_come_when_there_is_room(
    fresh_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "WAIHU_RECORDING__LEAST_FREE_BYTES", "0"
    )  # else nothing is recorded there to begin with
    with _small_disk(tmp_path / "cti" / "recordings") as disk:
        async with open_floor(fresh_lab, tmp_path / "cti", agents=2) as floor:
            filler = disk / "filler"
            _fill(filler)
            numbers = await floor.dial([Person(talks=3.0), Person(talks=3.0)])
            await floor.finished()
            full = await until(_log(floor.daemon), lambda said: "is full" in said, "the full disk is told")
            assert str(disk) in full
            calls = await floor.calls()
            assert {calls[number]["outcome"] for number in numbers} == {"connected"}
            filler.unlink()
            tell("disk full", end=await proved(floor))


async def test_a_customer_whose_agents_phone_dies_is_hung_up_and_not_dropped(
    fresh_lab: Lab, tmp_path: Path
) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=1) as floor:
        [number] = await floor.dial([Person()])
        await until(floor.states, lambda states: states == ["connected"], "they talk")
        floor.lines[0].die()
        [call] = floor.customers.calls(number)
        await call.ended(within=20)
        assert call.ending is Ending.REMOTE
        await floor.finished()
        agent = await until(
            floor.agents, lambda agents: agents["a001"]["state"] == "logged_out", "he is logged out"
        )
        assert agent["a001"]["reason"] == "phone_gone"
        record = (await floor.calls())[number]
        assert (record["outcome"], record["ended_by"]) == ("connected", "agent")
        assert record["dropped_at"] is None
        await proved(floor)


async def test_hostile_texts_come_back_intact_or_are_refused_and_reach_nothing_else(
    fresh_lab: Lab, tmp_path: Path
) -> None:
    async with AmiProxy.open(fresh_lab.pbx.ami_port) as wire:
        wire.heard = bytearray()
        async with open_floor(fresh_lab, tmp_path / "cti", agents=2, ami_port=wire.port) as floor:
            names = {floor.customers.add(Person(talks=0.5)): name for name in HOSTILE}
            result = await floor.daemon.upload(
                CAMPAIGN, f"list {MARK}", as_csv((n, t) for t, n in names.items())
            )
            clean = {number: name for number, name in names.items() if not any(c in name for c in CONTROL)}
            assert (result["taken"], len(result["refused"])) == (len(clean), len(names) - len(clean))
            await floor.daemon.post(f"campaigns/{CAMPAIGN}/start")
            await floor.finished()
            await proved(floor)
            assert {n: call["contact"] for n, call in (await floor.calls()).items()} == clean
            await _other_fields(floor, (await floor.daemon.calls())[0]["id"])
            assert b"CTI_CALL" in wire.heard
            assert MARK.encode() not in wire.heard
            assert _files_with(MARK, fresh_lab.settings.folder) == []
            named = [path for path in tmp_path.rglob("*") if MARK in path.name]
            assert named == []


async def _other_fields(floor: FloorLab, call_id: str) -> None:
    """Notes are kept as they are; what goes into a command or a header is refused."""
    for text in HOSTILE:
        for path, body in (
            ("agents", {"login": "b", "name": text, "endpoint": text}),
            ("agents", {"login": text, "name": "b", "endpoint": "b"}),
            ("campaigns", {"name": "c", "message": text}),
            ("campaigns", {"name": "c", "trunk": text}),
            ("campaigns", {"name": "c", "caller_id": text}),
        ):
            with pytest.raises(Refused) as refused:
                await floor.daemon.post(path, body)
            assert refused.value.status == 422
        if "\x00" in text:
            continue
        await floor.daemon.put(f"calls/{call_id}/disposition", {"disposition": "sale", "note": text})
        assert (await floor.daemon.get(f"calls/{call_id}"))["note"] == text


def _reason(health: dict[str, Any]) -> str:
    return str(health["nodes"][0]["reason"])


def _log(daemon: Daemon) -> Callable[[], Any]:
    async def said() -> str:
        return daemon.log_end()

    return said


def _files_with(text: str, folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if text.encode() in path.read_bytes()]


def _fill(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while filler.write(b"\0" * 4096):
            pass
    assert shutil.disk_usage(file.parent).free == 0


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte there; skips where that is not allowed."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "waihu-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
