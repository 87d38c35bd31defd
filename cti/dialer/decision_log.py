"""Keeps what pacing decided, for days. A service; decides nothing.

A campaign is looked at some times a second, and most looks say the same as the one before. Kept are decisions to place
calls, those that say something new, and one a minute of the rest; written in batches. After a day one a minute is left.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from cti.clock import Clock
from cti.dialer.pacing_ports import DecisionStore
from cti.model.decisions import PacingDecision
from cti.pacing.floor import Decision, Floor
from cti.service import Absence, every

log = logging.getLogger(__name__)

WRITE_SECONDS: Final = 1.0
SAME_AGAIN: Final = timedelta(seconds=60)
"""A decision that says what the one before said is kept once in this span."""
THIN_AFTER: Final = timedelta(days=1)
THIN_EVERY: Final = timedelta(minutes=10)
BITE: Final = 2000
"""Rows removed in one transaction: calls' writes wait for no more than that."""
UNWRITTEN_MOST: Final = 10_000
"""Decisions kept while the database is away; then the oldest go."""


def figures(floor: Floor, decision: Decision) -> Mapping[str, float]:
    """Return what was seen and reckoned, as numbers."""
    return {
        "idle": floor.idle_agents,
        "talking": len(floor.talking),
        "wrapping": len(floor.wrapping),
        "in_flight": len(floor.in_flight),
        "waiting": floor.waiting,
        "open_calls": floor.open_calls,
        "free_lines": floor.free_lines,
        "live": round(floor.budget.live, 3),
        "dropped": round(floor.budget.dropped, 3),
        **{name: float(f"{value:.5g}") for name, value in decision.inputs.items()},
    }


class DecisionLog:
    """The newest decisions in memory, all of them in the store."""

    name = "decision-log"

    def __init__(self, *, store: DecisionStore, clock: Clock, keep: timedelta = timedelta(days=7)) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep
        self._last: dict[int, PacingDecision] = {}
        self._kept: dict[int, PacingDecision] = {}
        self._unwritten: deque[PacingDecision] = deque(maxlen=UNWRITTEN_MOST)
        self._thin_at: datetime | None = None
        self._thinned: datetime | None = None
        self._absence = Absence(log, "decisions of pacing wait to be written")
        self._writing = asyncio.Lock()

    def last(self, campaign_id: int) -> PacingDecision | None:
        """Return the campaign's newest decision since the service began, kept or not."""
        return self._last.get(campaign_id)

    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[PacingDecision]:
        """List what was kept of a span, newest first, up to this moment. Raises StorageError."""
        await self.flush()
        return await self._store.decisions(campaign_id, since=since, until=until, limit=limit)

    def note(self, campaign_id: int, floor: Floor, decision: Decision) -> None:
        """Take a decision in; keep it when it says something."""
        now = self._clock.now()
        noted = PacingDecision(
            campaign_id=campaign_id,
            at=now,
            calls=decision.calls,
            why=decision.why,
            inputs=figures(floor, decision),
        )
        self._last[campaign_id] = noted
        kept = self._kept.get(campaign_id)
        if (
            kept is None
            or noted.calls
            or kept.calls
            or _words(noted) != _words(kept)
            or now - kept.at >= SAME_AGAIN
        ):
            self._kept[campaign_id] = noted
            self._unwritten.append(noted)

    async def run(self) -> None:
        """Write and thin for ever."""
        await every(WRITE_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Write what is new; now and then thin what is old."""
        with self._absence.borne():
            await self.flush()
            now = self._clock.now()
            if self._thin_at is None or now >= self._thin_at:
                self._thin_at = now + THIN_EVERY
                await self._thin(now)

    async def flush(self) -> None:
        """Write all decisions taken in by now. Raises StorageError; nothing is lost then."""
        async with self._writing:
            while self._unwritten:
                batch = list(islice(self._unwritten, 500))
                await self._store.add(batch)
                for one in batch:
                    if self._unwritten and self._unwritten[0] is one:
                        self._unwritten.popleft()

    async def _thin(self, now: datetime) -> None:
        for _ in range(5):
            reached = await self._store.thin(
                since=self._thinned, until=now - THIN_AFTER, keep_one_per=timedelta(minutes=1), limit=BITE
            )
            self._thinned = reached or now - THIN_AFTER
            gone = await self._store.forget(older_than=now - self._keep, limit=BITE)
            if reached is None and gone < BITE:
                return


def _words(decision: PacingDecision) -> str:
    """Return the reason without its figures: those change with every look."""
    return "".join(character for character in decision.why if not character.isdigit())
