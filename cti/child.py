"""Keeps one process of our own running beside the service. A service; knows only the command that begins it.

A child that ends is begun again after a pause that doubles. Told to end, it is told (SIGTERM) and given time; a service
that is killed takes it along, because it ends when its standard input does.
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
END_SECONDS: Final = 10.0
"""How long a child may take to end. It leaves room for the child's own limits, and is itself well within what whoever
stops the service waits for: two kinds of children end one after the other."""
RECYCLE_STATUS: Final = 75
"""A child that ends with this wants to be begun again at once (EX_TEMPFAIL of sysexits.h)."""


def next_pause(pause: float, *, lived: float, status: int = 1) -> float:
    """Return how long to wait before a child is begun again, after so long a life. `pause`: the one before. Pure."""
    if status == RECYCLE_STATUS:
        return 0.0
    if lived >= WELL_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


class Child:
    """Runs one child."""

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        clock: Clock,
        pause: Callable[..., float] = next_pause,
        end_seconds: float = END_SECONDS,
    ) -> None:
        """`environ` is added to this process's own."""
        self.name = name
        self._command = list(command)
        self._environ = dict(environ)
        self._clock = clock
        self._pause = pause
        self._end_seconds = end_seconds
        self._process: asyncio.subprocess.Process | None = None
        self.begun = 0
        """How often it was begun."""

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    async def run(self) -> None:
        """Keep it running until cancelled, then end it."""
        pause = 0.0
        while True:
            begun = self._clock.monotonic()
            status = await self._life()
            pause = self._pause(pause, lived=self._clock.monotonic() - begun, status=status)
            level = logging.INFO if status == RECYCLE_STATUS else logging.WARNING
            log.log(level, "%s ended (%d); it begins again in %g s", self.name, status, pause)
            await asyncio.sleep(pause)

    async def _life(self) -> int:
        # Cancelled while it begins a process, asyncio kills that; ours may be at work already, and is to be told.
        beginning = asyncio.create_task(self._begin(), name=f"begin {self.name}")
        try:
            child = await asyncio.shield(beginning)
            return 127 if child is None else await child.wait()
        except asyncio.CancelledError:
            await asyncio.shield(self._end(beginning))
            raise

    async def _begin(self) -> asyncio.subprocess.Process | None:
        """Begin it; return None when that cannot be done."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                env={**os.environ, **self._environ},
                start_new_session=True,  # a Ctrl-C in the terminal is the service's to pass on
            )
        except OSError as error:
            log.error("%s cannot be begun: %s", self.name, error)
            return None
        self.begun += 1
        return self._process

    async def _end(self, beginning: asyncio.Task[asyncio.subprocess.Process | None]) -> None:
        child = await beginning
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(self._end_seconds):
                await child.wait()
        except TimeoutError:
            log.warning("%s does not end; it is killed, and its work is done again", self.name)
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
