"""Keeps account of lines and numbers, and answers the dialer: by which trunk, showing what. A service.

The dialer asks `choose_line` for each candidate, and says `take` as soon as it has made the call, so that the next
answer counts it; `give_back` when the call was never made. All else is learned from the bus. Breakers begin closed at
each start and learn within some calls; the use of numbers is counted from the stored calls, and rests are stored.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import StorageError
from cti.lines.counter import DAY, STEP
from cti.lines.number_board import NumberBoard
from cti.lines.ports import CallerStore
from cti.lines.trunk_board import TrunkBoard
from cti.lines.trunks import NO_LIMIT, choose_trunk
from cti.model.calls import Call, EndReason
from cti.model.contacts import Campaign, Candidate
from cti.model.events import CallMoved, Event
from cti.model.lines import LineChoice, Trunk, fails_over
from cti.model.verdicts import SkipReason, Verdict
from cti.service import every

log = logging.getLogger(__name__)

SAVE_SECONDS: Final = 5.0
SECOND_TRY: Final = timedelta(minutes=10)
"""So long a contact whose call failed by one trunk is kept for another; then it is dialed as anybody."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """A contact's attempt that failed by its trunk."""

    trunk: str
    at: datetime


class LineKeeper:
    """All trunks and all pools."""

    name = "line-keeper"

    def __init__(self, *, trunks: Iterable[Trunk], store: CallerStore, clock: Clock) -> None:
        self.trunks = TrunkBoard(trunks)
        self.numbers = NumberBoard()
        self._store = store
        self._clock = clock
        self._open: set[str] = set()
        self._counted_until = datetime.min.replace(tzinfo=UTC)
        self._failed: dict[tuple[int | None, str], _Failed] = {}
        self._wake = asyncio.Event()

    async def load(self) -> None:
        """Take pools and use from the store. Raises StorageError."""
        now = self._clock.now()
        pools = await self._store.pools()
        counts = await self._store.use_since(now - DAY - STEP, STEP)
        self.numbers.load(pools, counts)
        self._counted_until = now

    def choose_line(self, campaign: Campaign, candidate: Candidate, now: datetime) -> LineChoice | Verdict:
        """Say by which trunk this contact is dialed now and what he is shown; or why by none, and until when."""
        trunks = self.trunks.of(campaign, now, self._clock.monotonic())
        failed = self._failed_of(candidate, now)
        chosen = choose_trunk(trunks, failed=failed)
        if chosen is None:
            what = "; ".join(one.why_not for one in trunks if one.trunk.endpoint != failed)
            return _refused(SkipReason.NO_TRUNK, what or f"{failed} failed, and there is no other")
        trunk, following = chosen
        place = f"by {trunk.trunk.endpoint}" + (f" after {failed} failed" if failed else "")
        if not campaign.rules.lines.caller_pool:
            shown = campaign.caller_id or None
            return LineChoice(trunk=trunk.trunk.endpoint, caller_id=shown, why=place, next_trunk=following)
        pool = self.numbers.pool(campaign.rules.lines.caller_pool)
        if pool is None:
            wanted = campaign.rules.lines.caller_pool
            return _refused(SkipReason.NO_CALLER_ID, f"there is no pool {wanted!r} of numbers to show")
        caller = self.numbers.choose(pool, candidate.number, now)
        if caller.number is None:
            return _refused(SkipReason.NO_CALLER_ID, caller.why, caller.until)
        return LineChoice(
            trunk=trunk.trunk.endpoint,
            caller_id=caller.number,
            why=f"{place}, {caller.why}",
            next_trunk=following,
        )

    def free(self, campaign: Campaign, now: datetime) -> int:
        """Return how many calls the campaign's trunks would take now."""
        trunks = self.trunks.of(campaign, now, self._clock.monotonic())
        return min(NO_LIMIT, sum(one.free for one in trunks))

    def take(self, call: Call) -> None:
        """Count a call that was made of a choice and is about to be committed."""
        self._open.add(call.id)
        self.trunks.take(call, self._clock.monotonic())
        self.numbers.count(call)

    def give_back(self, call: Call) -> None:
        """The call was never made, or its order never left."""
        if call.id in self._open:
            self._open.discard(call.id)
            self.trunks.release(call)
            self.numbers.count(call, -1)

    def tap(self, event: Event) -> None:
        """Learn from a call's moves and its end."""
        if not isinstance(event, CallMoved):
            return
        call = event.call
        if call.id not in self._open:
            if call.ended:
                return  # corrected by the records afterwards
            self._take_up(call)
        if call.end_reason is EndReason.NOT_SENT:
            self.give_back(call)
            return
        self.trunks.judge(call, event.at)
        if call.ended:
            self._open.discard(call.id)
            self.trunks.release(call)
            self._remember(call, event.at)
            self.numbers.judge(call, event.at)
            self._wake.set()

    async def run(self) -> None:
        """Store for ever which numbers rest."""
        await every(SAVE_SECONDS, self.step, name=self.name, wake=self._wake, pause=1.0)

    async def step(self) -> None:
        """Store the rests that are not stored yet."""
        rests = self.numbers.unsaved()
        if not rests:
            return
        try:
            await self._store.save_rests(rests)
        except StorageError as error:
            self.numbers.still_unsaved(rests)
            log.warning("that %d numbers rest is not stored yet: %s", len(rests), error)

    def _take_up(self, call: Call) -> None:
        """Take a call that somebody else placed, or that was up before this life of the service."""
        self._open.add(call.id)
        self.trunks.take(call, None)
        if call.placed_at >= self._counted_until:
            self.numbers.count(call)

    def _remember(self, call: Call, at: datetime) -> None:
        key = call.campaign_id, call.number
        self._failed.pop(key, None)
        if fails_over(call):
            self._failed[key] = _Failed(call.trunk, at)

    def _failed_of(self, candidate: Candidate, now: datetime) -> str | None:
        key = candidate.campaign_id, candidate.number
        found = self._failed.get(key)
        if found is not None and now - found.at > SECOND_TRY:
            del self._failed[key]
            return None
        return found.trunk if found is not None else None


def _refused(reason: SkipReason, detail: str, until: datetime | None = None) -> Verdict:
    return Verdict(allowed=False, reason=reason, detail=detail, until=until)
