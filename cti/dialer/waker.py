"""Puts those who were to wait back into their queues when their time has come. A service."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cti.clock import Clock
from cti.dialer.queue_ports import QueueStore
from cti.service import Absence, every

log = logging.getLogger(__name__)

STEP_SECONDS: Final = 1.0
BITE: Final = 500
"""Entries per transaction: on SQLite a call's write waits no longer than some 10 ms for it."""
BITES: Final = 20
"""At most in one step; a morning on which a million entries become due takes some minutes, in which calls go on."""


class Waker:
    """Makes pending what is due."""

    name = "waker"

    def __init__(
        self, *, store: QueueStore, clock: Clock, on_due: Callable[[int], None] = lambda campaign_id: None
    ) -> None:
        """`on_due` is told each campaign that has somebody to dial again."""
        self._store = store
        self._clock = clock
        self._on_due = on_due
        self._absence = Absence(log, "nobody becomes due while the database is away")

    async def run(self) -> None:
        """Look for ever."""
        await every(STEP_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Wake who is due now."""
        with self._absence.borne():
            await self._wake(self._clock.now())

    async def _wake(self, now: datetime) -> None:
        for _ in range(BITES):
            woken = await self._store.wake(now, limit=BITE)
            for campaign_id in woken:
                self._on_due(campaign_id)
            if sum(woken.values()) < BITE:
                return
