"""Draws a worker's brake while the machine or the exchange is busy. A service; the decision itself is pure."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from cti.asr.brake import Brake
from cti.asr.pressure import Budget, Limits, Look, pause_reason, stalled_share
from cti.errors import CtiError
from cti.service import every

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
CALLS_SECONDS: Final = 5.0
"""Between two questions how many calls are up: each goes to the service or to the database."""
PRESSURE: Final = Path("/proc/pressure/cpu")


def look_at_machine() -> Look:
    """Return what the kernel tells; what it does not tell is None."""
    try:
        stalled = stalled_share(PRESSURE.read_text())
    except OSError:
        stalled = None
    try:
        load: float | None = os.getloadavg()[0] / (os.cpu_count() or 1)
    except OSError:
        load = None
    return Look(stalled=stalled, load_per_core=load)


class Watchman:
    """Looks every second."""

    name = "watchman of transcription"

    def __init__(
        self,
        *,
        brake: Brake,
        limits: Limits,
        live_calls: Callable[[], Awaitable[int | None]],
        machine: Callable[[], Look] = look_at_machine,
        monotonic: Callable[[], float] = time.monotonic,
        cpu_seconds: Callable[[], float] = time.process_time,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._brake = brake
        self._limits = limits
        self._live_calls = live_calls
        self._machine = machine
        self._monotonic = monotonic
        self._cpu_seconds = cpu_seconds
        self._look_seconds = look_seconds
        self._budget = Budget()
        self._asked_at: float | None = None
        self._calls: int | None = None
        self.reason: str | None = None
        """Why it is drawn."""

    async def run(self) -> None:
        """Look for ever."""
        await every(self._look_seconds, self.step, name=self.name)

    async def step(self) -> None:
        """Look once."""
        now = self._monotonic()
        machine = await asyncio.to_thread(self._machine)
        seen = Look(
            cores=self._budget.cores(now=now, cpu_seconds=self._cpu_seconds()),
            stalled=machine.stalled,
            load_per_core=machine.load_per_core,
            live_calls=await self._calls_up(now),
        )
        reason = pause_reason(seen, self._limits, paused=self._brake.drawn)
        if (reason is None) is not (self.reason is None) and "cores" not in f"{reason}{self.reason}":
            log.info("transcription %s", f"pauses: {reason}" if reason else "goes on")
        self.reason = reason
        self._brake.set(reason is not None)

    async def _calls_up(self, now: float) -> int | None:
        if self._limits.live_calls is None:
            return None
        if self._asked_at is None or now - self._asked_at >= CALLS_SECONDS:
            self._asked_at = now
            try:
                self._calls = await self._live_calls()
            except CtiError:
                self._calls = None  # not known never pauses; the feed says itself that it is away
        return self._calls
