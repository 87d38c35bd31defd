"""The drop ledger of each campaign, as pacing and people ask for it. Tells nobody to dial or not to dial.

The stored attempts are the truth. They are counted once, when a campaign begins to be looked at, in slots of time; from
then on each ended call is added as it ends. So a restart changes nothing, and a look costs no question to the database.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.dialer.pacing_ports import LedgerStore
from cti.model.calls import Call, Outcome
from cti.model.campaign_rules import DropWindow, PacingRules
from cti.model.contacts import Campaign
from cti.model.events import CallMoved, Event
from cti.model.ledger import Slot, Standing, Tally
from cti.pacing.floor import Budget

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
UNWRITTEN: Final = timedelta(seconds=30)
"""An ended call is in the database after this at the latest, unless the database is away."""
SPANS: Final[Mapping[DropWindow, timedelta | None]] = {
    DropWindow.CAMPAIGN: None,
    DropWindow.DAY: DAY,
    DropWindow.MONTH: timedelta(days=30),
}
"""How far back each window reaches; None: to the campaign's beginning."""
COUNTED: Final = {
    Outcome.CONNECTED: Tally(connected=1),
    Outcome.DROPPED: Tally(dropped=1),
    Outcome.GONE_EARLY: Tally(gone_early=1),
    Outcome.MACHINE: Tally(machine=1),
}


def slots_since(now: datetime, window: DropWindow) -> tuple[tuple[datetime | None, datetime], ...]:
    """Return the spans in which the past is counted, oldest first; None: from the beginning.

    The last day in hours and what is older in days. A slot leaves the window as a whole when its end does, so a
    rolling window holds up to a day more than its name says, never less: no drop is forgotten too early.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    newest = hour + HOUR
    hours = [(newest - (n + 1) * HOUR, newest - n * HOUR) for n in reversed(range(25))]
    span = SPANS[window]
    begin = hours[0][0]
    if span is None:
        return ((None, begin), *hours)
    days = max(0, span.days - 1)
    older = [(begin - (n + 1) * DAY, begin - n * DAY) for n in reversed(range(days))]
    return (*older, *hours)


def budget(rules: PacingRules, tally: Tally) -> Budget:
    """Return what pacing must know. A share of the machine verdicts counts as dropped people where the rules say so."""
    mistakes = rules.count_machine_mistakes * tally.machine
    return Budget(
        target=rules.drop_target,
        live=tally.answered_by_person + mistakes,
        dropped=tally.dropped + mistakes,
    )


class DropLedger:
    """The ledgers of all campaigns that were looked at."""

    def __init__(self, *, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._began = clock.now()
        self._slots: dict[int, list[Slot]] = {}
        self._windows: dict[int, DropWindow] = {}
        self._recent: deque[Call] = deque()
        """Calls that ended within `UNWRITTEN`: the database may not have them yet."""

    async def open(self, campaign: Campaign) -> None:
        """Count the campaign's past unless it was counted for this window already. Raises StorageError."""
        window = campaign.rules.pacing.drop_window
        if self._windows.get(campaign.id) is window:
            return
        now = self._clock.now()
        cut = max(self._began, now - UNWRITTEN)
        counted = await self._store.tallies(campaign.id, slots_since(now, window), until=cut)
        beginning = datetime.min.replace(tzinfo=now.tzinfo)
        self._slots[campaign.id] = [
            Slot(begins=begins or beginning, ends=ends, tally=tally)
            for (begins, ends), tally in zip(slots_since(now, window), counted, strict=True)
        ]
        self._windows[campaign.id] = window
        for call in self._recent:
            if call.campaign_id == campaign.id and call.ended_at is not None and call.ended_at >= cut:
                self._add(campaign.id, call)

    def tap(self, event: Event) -> None:
        """Count calls as they end."""
        match event:
            case CallMoved(call=call) if (
                call.ended and call.outcome in COUNTED and call.campaign_id is not None
            ):
                self._remember(call)
                if call.campaign_id in self._windows:
                    self._add(call.campaign_id, call)

    def _remember(self, call: Call) -> None:
        self._recent.append(call)
        limit = self._clock.now() - UNWRITTEN
        while self._recent and (self._recent[0].ended_at or limit) < limit:
            self._recent.popleft()

    def budget(self, campaign: Campaign) -> Budget | None:
        """Return the campaign's budget now; None when its past was not counted yet."""
        tally = self._tally(campaign.id)
        return None if tally is None else budget(campaign.rules.pacing, tally)

    async def standing(self, campaign: Campaign) -> Standing:
        """Return where the campaign stands now. Raises StorageError."""
        await self.open(campaign)
        tally = self._tally(campaign.id) or Tally()
        window = campaign.rules.pacing.drop_window
        span, spent = SPANS[window], budget(campaign.rules.pacing, tally)
        return Standing(
            campaign_id=campaign.id,
            window=window.value,
            since=None if span is None else self._clock.now() - span,
            target=spent.target,
            live=spent.live,
            dropped=spent.dropped,
            tally=tally,
        )

    def _tally(self, campaign_id: int) -> Tally | None:
        window = self._windows.get(campaign_id)
        if window is None:
            return None
        slots, span = self._slots[campaign_id], SPANS[window]
        if span is not None:
            limit = self._clock.now() - span
            slots[:] = [slot for slot in slots if slot.ends > limit]
        return _sum(slots)

    def _add(self, campaign_id: int, call: Call) -> None:
        ended = call.ended_at or self._clock.now()
        slots = self._slots[campaign_id]
        tally = COUNTED[call.outcome or Outcome.CONNECTED]
        for at in range(len(slots) - 1, -1, -1):
            if slots[at].begins <= ended < slots[at].ends:
                slots[at] = replace(slots[at], tally=slots[at].tally + tally)
                return
        hour = ended.replace(minute=0, second=0, microsecond=0)
        slots.append(Slot(begins=hour, ends=hour + HOUR, tally=tally))


def _sum(slots: Sequence[Slot]) -> Tally:
    total = Tally()
    for slot in slots:
        total += slot.tally
    return total
