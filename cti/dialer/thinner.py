"""Forgets why contacts were dialed or not when that is so many days old. A service."""

import logging
from datetime import timedelta
from typing import Final

from cti.clock import Clock
from cti.dialer.queue_ports import ReasonStore
from cti.errors import StorageError
from cti.service import every

log = logging.getLogger(__name__)

STEP_SECONDS: Final = 60.0
BITE: Final = 1000
"""Rows per transaction."""
BITES: Final = 20
"""At most in one step: 20,000 a minute are more than the fastest dialing adds."""


class Thinner:
    """Keeps the history of reasons short."""

    name = "thinner"

    def __init__(self, *, store: ReasonStore, clock: Clock, kept_days: float) -> None:
        self._store = store
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    async def run(self) -> None:
        """Look for ever."""
        await every(STEP_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Forget what is too old now."""
        before = self._clock.now() - self._kept
        try:
            for _ in range(BITES):
                if await self._store.forget(before, limit=BITE) < BITE:
                    return
        except StorageError as error:
            log.warning("old reasons stay for a while: %s", error)
