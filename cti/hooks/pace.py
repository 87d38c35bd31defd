"""How fast each webhook may be told: some deliveries at one time, one while it fails, none while it asks for peace.

Without it a receiver that is down would hold every place of the runner for its whole time limit, and the others would
wait. Whoever finds a failing webhook at rest comes back the later the longer it fails: ten thousand events that wait
for one receiver must not keep the database busy with looking.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

CROWDED_SECONDS: Final = 1.0
"""Somebody else is just looking whether a failing webhook is back."""
FAILING_REST: Final = 5.0
"""After a failure a webhook is left alone for at least so many seconds; then one delivery looks whether it is back."""
LONGEST_REST: Final = 300.0
LONGEST_SPREAD: Final = 600.0


class Pace:
    """Deliveries under way and pauses, by webhook."""

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._places: dict[int, asyncio.Semaphore] = {}
        self._running: Counter[int] = Counter()
        self._failing: set[int] = set()
        self._rests: dict[int, datetime] = {}

    def wait_seconds(self, webhook_id: int, now: datetime) -> float:
        """Return after how long a delivery may be tried; 0: now, as soon as there is a place."""
        rests = (self._rests.get(webhook_id, now) - now).total_seconds()
        if rests > 0:
            return rests
        return CROWDED_SECONDS if webhook_id in self._failing and self._running[webhook_id] else 0.0

    @asynccontextmanager
    async def place(self, webhook_id: int) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        async with self._places.setdefault(webhook_id, asyncio.Semaphore(self._at_once)):
            yield

    @asynccontextmanager
    async def trying(self, webhook_id: int) -> AsyncIterator[None]:
        """Count an attempt while it lasts."""
        self._running[webhook_id] += 1
        try:
            yield
        finally:
            self._running[webhook_id] -= 1

    def went_well(self, webhook_id: int) -> None:
        """It takes deliveries."""
        self._failing.discard(webhook_id)
        self._rests.pop(webhook_id, None)

    def went_wrong(self, webhook_id: int, *, now: datetime, asked: float, failing: timedelta) -> None:
        """It does not. `asked`: seconds it wants to be left alone; `failing`: for how long it fails already."""
        self._failing.add(webhook_id)
        rest = max(asked, FAILING_REST, min(failing.total_seconds() / 4, LONGEST_REST))
        until = now + timedelta(seconds=rest)
        self._rests[webhook_id] = max(until, self._rests.get(webhook_id, until))


def spread_seconds(wait: float, *, failing: timedelta, chance: float) -> float:
    """Return when to come back that had to wait: after it, and each at another moment."""
    span = max(wait, min(failing.total_seconds() / 2, LONGEST_SPREAD))
    return wait + chance * span
