"""Processes of a benchmark: each side in one of its own, so that its processor time is its own. They talk in JSON."""

import asyncio
import json
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

END_SECONDS: Final = 20.0


class ChildFailed(Exception):
    """A process of the benchmark ended or said something else than expected."""


class Child:
    """A process that answers each line with a line."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    async def ask(self, question: object = None, *, within: float) -> dict[str, Any]:
        """Send a line (None: only listen) and return the answer. Raises ChildFailed with the end of its log."""
        said, heard = self._process.stdin, self._process.stdout
        if said is None or heard is None:
            raise ChildFailed("no pipes")
        if question is not None:
            said.write(json.dumps(question).encode() + b"\n")
        try:
            async with asyncio.timeout(within):
                line = await heard.readline()
        except TimeoutError:
            raise ChildFailed(f"no answer within {within:g} s\n{self._end_of_log()}") from None
        if not line:
            raise ChildFailed(f"it ended\n{self._end_of_log()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def end(self) -> None:
        """Let it end by itself: its input closes. After a while, end it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _end_of_log(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])


@asynccontextmanager
async def child(module: str, *arguments: object, log: Path) -> AsyncIterator[Child]:
    """Run `python -m benchmarks.MODULE` for as long as the block lasts; what it logs goes to `log`."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"benchmarks.{module}",
            *map(str, arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
        )
    running = Child(process, log)
    try:
        yield running
    finally:
        await running.end()


async def questions() -> AsyncIterator[dict[str, Any]]:
    """In the child: give each line that comes until the input closes."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def answer(said: object) -> None:
    """In the child: send a line."""
    print(json.dumps(said), flush=True)


def cpu_seconds() -> float:
    """Return the processor time of this process and all its threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_mb() -> float:
    """Return the memory of this process that is in RAM now, in MB (10^6 bytes)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
