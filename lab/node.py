"""One Asterisk process of the lab: start, wait until it has booted, ask, stop, kill."""

import asyncio
import ctypes
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.ami import Ami
from lab.configuration import LAB_SECRET
from lab.errors import LabError, NodeFailed
from lab.installation import Installation
from lab.settings import HOST

BOOT_SECONDS: Final = 60.0
STOP_SECONDS: Final = 5.0
PR_SET_PDEATHSIG: Final = 1
"""prctl(2): which signal a process gets when the one that started it dies."""


@dataclass(slots=True, kw_only=True)
class Node:
    """An Asterisk with a folder of its own. Made by `Lab.open`; may be killed and started again."""

    name: str
    folder: Path
    asterisk: Installation
    ami_port: int
    sip_port: int
    user: str
    """AMI account for the service under test; the carrier has only the lab's own."""
    secret: str
    host: str = HOST
    trunk: str = "carrier"
    """PJSIP endpoint that leads to the public network."""
    process: asyncio.subprocess.Process | None = None

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes `cti/...`."""
        return self.folder / "spool" / "monitor" / "cti"

    @property
    def cel(self) -> Path:
        """Folder of cti.csv."""
        return self.folder / "log" / "cel-custom"

    @property
    def log(self) -> Path:
        return self.folder / "log" / "messages"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it has booted. Raises NodeFailed with the end of its log."""
        if self.running:
            raise LabError(f"{self.name} runs already")
        free = shutil.disk_usage(self.folder).free
        if free < 20 * 2**20:
            raise LabError(f"only {free // 2**20} MB are free in {self.folder}")
        (self.folder / "run" / "asterisk.ctl").unlink(missing_ok=True)
        with (self.folder / "log" / "stdout").open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *self.command("-f"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        try:
            await self._booted()
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End it the polite way (calls are hung up), by force when it takes longer than 5 s."""
        if self.process is None or not self.running:
            return
        self.process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it at once, as a crash does."""
        if self.process is None:
            return
        if self.running:
            self.process.kill()
        await self.process.wait()

    async def cli(self, line: str) -> str:
        """Run a command of Asterisk's console, return what it prints."""
        async with self.admin() as ami:
            return await ami.command(line)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Ami]:
        """Open AMI with the lab's own account, which may do and see everything."""
        async with Ami.open(host=self.host, port=self.ami_port, user="lab", secret=LAB_SECRET) as ami:
            yield ami

    @asynccontextmanager
    async def ami(self) -> AsyncIterator[Ami]:
        """Open AMI with the account that the service has."""
        async with Ami.open(host=self.host, port=self.ami_port, user=self.user, secret=self.secret) as ami:
            yield ami

    def command(self, *arguments: str) -> list[str]:
        """Return the command line that runs this Asterisk's program with its configuration."""
        return [*self.asterisk.command, "-C", str(self.folder / "etc" / "asterisk.conf"), *arguments]

    async def _booted(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise NodeFailed(f"{self.name} ended while it started:\n{self._last_words()}")
            with suppress(OSError, EOFError):
                async with self.admin() as ami:
                    left = deadline - time.monotonic()
                    await ami.expect("FullyBooted", within=max(left, 0.1))
                    return
            await asyncio.sleep(0.05)
        raise NodeFailed(f"{self.name} has not booted after {BOOT_SECONDS:g} s:\n{self._last_words()}")

    def _last_words(self) -> str:
        logs = [self.folder / "log" / "stdout", self.log]
        lines = [
            line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()
        ]
        return "\n".join(lines[-15:]) or "it said nothing"


def die_with_parent() -> None:
    """Run in the child before it becomes Asterisk: a test run that is killed leaves no Asterisk behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
