"""Keeps worker processes running beside the daemon. A service; knows only the command that begins one.

A child that ends by itself, or is killed, is begun again after a pause that doubles. Told to end, the children are told
(SIGTERM) and given time to hand their work back; a daemon that is killed takes them along, because they end when their
standard input does.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from cti.clock import Clock

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
WELL_SECONDS: Final = 60.0
"""A child that lived for so long was well: the next pause is the first one again."""
END_SECONDS: Final = 15.0
RECYCLE_STATUS: Final = 75
"""A child that ends with this wants to be begun again at once (EX_TEMPFAIL of sysexits.h)."""


def next_pause(pause: float, *, lived: float, status: int) -> float:
    """Return how long to wait before a child is begun again, after so long a life. `pause`: the one before. Pure."""
    if status == RECYCLE_STATUS:
        return 0.0
    if lived >= WELL_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


class WorkerSupervisor:
    """Runs `count` children."""

    name = "transcription workers"

    def __init__(
        self,
        *,
        command: Sequence[str],
        environ: Mapping[str, str],
        count: int,
        clock: Clock,
        pause: Callable[..., float] = next_pause,
        end_seconds: float = END_SECONDS,
    ) -> None:
        """`environ` is added to this process's own."""
        self._command = list(command)
        self._environ = dict(environ)
        self._count = count
        self._clock = clock
        self._pause = pause
        self._end_seconds = end_seconds
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self.begun = 0
        """Children begun so far, those begun again included."""

    @property
    def alive(self) -> int:
        """How many run now."""
        return sum(child.returncode is None for child in self._children.values())

    @property
    def wanted(self) -> int:
        return self._count

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [child.pid for child in self._children.values() if child.returncode is None]

    async def run(self) -> None:
        """Keep them running until cancelled, then end them."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._count):
                tasks.create_task(self._one(number), name=f"transcription worker {number}")

    async def _one(self, number: int) -> None:
        pause = 0.0
        while True:
            begun = self._clock.monotonic()
            status = await self._life(number)
            pause = self._pause(pause, lived=self._clock.monotonic() - begun, status=status)
            level = logging.INFO if status == RECYCLE_STATUS else logging.WARNING
            log.log(
                level, "transcription worker %d ended (%d); it begins again in %g s", number, status, pause
            )
            await asyncio.sleep(pause)

    async def _life(self, number: int) -> int:
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                env={**os.environ, **self._environ},
                start_new_session=True,  # a Ctrl-C in the terminal is the daemon's to pass on
            )
        except OSError as error:
            log.error("a transcription worker cannot be begun: %s", error)
            return 127
        self._children[number] = child
        self.begun += 1
        try:
            return await child.wait()
        except asyncio.CancelledError:
            await asyncio.shield(self._end(child))
            raise

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(self._end_seconds):
                await child.wait()
        except TimeoutError:
            log.warning("a transcription worker does not end; it is killed, and its work is done again")
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
