"""A lab that goes on after its command has returned: started, found again and ended by its folder.

The process that owns it holds a lock on `lab.lock` there for as long as it lives, and writes `lab.json` when calls can
be placed. So a lab that died is never taken for a running one.
"""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from lab.errors import LabError
from lab.exchange import Lab
from lab.settings import LabSettings

READY: Final = "ready"
DOWN_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What `lab.json` tells of a lab."""

    pid: int
    base_port: int
    rtp_ports: int
    phones: int
    answering: int
    """How many of the phones are registered and answer by themselves."""
    command: dict[str, list[str]]
    """By node: what opens its console."""

    def settings(self, folder: Path) -> LabSettings:
        return LabSettings(
            folder=folder, base_port=self.base_port, rtp_ports=self.rtp_ports, phones=self.phones
        )


def find(folder: Path) -> Running | None:
    """Return the lab that runs in this folder, None when none does."""
    if not _owned(folder) or not (folder / "lab.json").exists():
        return None
    return Running(**json.loads((folder / "lab.json").read_text()))


def up(settings: LabSettings, *, answering: int, report: Callable[[str], None]) -> Running:
    """Start a lab in the background, return when calls can be placed. Raises LabError with what it said."""
    folder = settings.folder
    if find(folder):
        raise LabError(f"a lab runs already in {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [f"--base-port={settings.base_port}", f"--rtp-ports={settings.rtp_ports}"]
    arguments += [f"--phones={settings.phones}", f"--answering={answering}", f"--folder={folder}"]
    with (folder / "lab.log").open("w") as log:
        owner = subprocess.Popen(
            [sys.executable, "-m", "lab", "own", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            text=True,
        )
    with owner:
        for line in owner.stdout or ():
            if line.strip() == READY:
                break
            report(line.strip())
        else:
            raise LabError(
                (folder / "lab.log").read_text().strip().removeprefix("lab: ")
                or "the lab ended without a word"
            )
        # It lives on: without this, leaving the block would wait for its end.
        owner.returncode = 0
    running = find(folder)
    if running is None:
        raise LabError(f"the lab ended at once: see {folder / 'lab.log'}")
    return running


def down(folder: Path) -> bool:
    """End the lab of this folder and wait until it is gone; False when none runs. Raises LabError."""
    running = find(folder)
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while _owned(folder):
        if time.monotonic() > deadline:
            raise LabError(f"process {running.pid} has not ended after {DOWN_SECONDS:g} s")
        time.sleep(0.05)
    return True


async def own(settings: LabSettings, *, answering: int) -> None:
    """Be the process that owns a lab, until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    settings.folder.mkdir(parents=True, exist_ok=True)
    with _lock(settings.folder):
        async with Lab.open(settings, report=_say) as lab, lab.phones(answering):
            state = Running(
                pid=os.getpid(),
                base_port=settings.base_port,
                rtp_ports=settings.rtp_ports,
                phones=settings.phones,
                answering=answering,
                command={node.name: node.command("-r") for node in (lab.pbx, lab.carrier)},
            )
            written = settings.folder / "lab.json"
            written.write_text(json.dumps(asdict(state), indent=2))
            _say(READY)
            try:
                await ended.wait()
            finally:
                written.unlink(missing_ok=True)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with (folder / "lab.lock").open("w") as file:
        if not _locked(file):
            raise LabError(f"a lab runs already in {folder}")
        yield


def _owned(folder: Path) -> bool:
    if not (folder / "lab.lock").exists():
        return False
    with (folder / "lab.lock").open() as file:
        return not _locked(file)


def _locked(file: IO[str]) -> bool:
    """Take the lock; False when a living process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
