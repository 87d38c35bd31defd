"""The drop ledger: counted once from the past, then as calls end; the same after a restart."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.dialer.ledger import SPANS, DropLedger, budget, slots_since
from cti.model.calls import CallState, Outcome
from cti.model.campaign_rules import CampaignRules, DropWindow, PacingRules
from cti.model.contacts import Campaign
from cti.model.events import CallMoved
from cti.model.ledger import Tally
from tests.builders import NOW, a_call, a_campaign
from tests.fakes.clock import FakeClock
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_tables import Attempt, MemoryTables


def a_window(window: DropWindow, **given: float) -> Campaign:
    return a_campaign(rules=CampaignRules(pacing=PacingRules(drop_window=window, **given)))


class Past:
    """Stored attempts, and a ledger that a service just opened."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tables = MemoryTables()
        self.ledger = self.restarted()

    def restarted(self) -> DropLedger:
        return DropLedger(store=MemoryLedger(self.tables), clock=self.clock)

    def stored(self, outcome: Outcome, ago: timedelta, campaign_id: int = 1) -> None:
        number = str(len(self.tables.attempts))
        self.tables.attempts[number] = Attempt(
            call_id=number,
            entry_id=None,
            campaign_id=campaign_id,
            outcome=outcome,
            ended_at=self.clock.now() - ago,
        )

    def ends(self, outcome: Outcome, campaign_id: int = 1) -> None:
        call = a_call(
            campaign_id=campaign_id, state=CallState.ENDED, outcome=outcome, ended_at=self.clock.now()
        )
        self.ledger.tap(CallMoved(before=CallState.ANSWERED, call=call, at=self.clock.now()))


@pytest.mark.parametrize(
    ("window", "dropped"),
    [
        pytest.param(DropWindow.DAY, 1, id="a day"),
        pytest.param(DropWindow.MONTH, 2, id="thirty days"),
        pytest.param(DropWindow.CAMPAIGN, 3, id="the whole campaign"),
    ],
)
async def test_a_window_counts_what_lies_in_it(window: DropWindow, dropped: int) -> None:
    past = Past()
    for ago in (timedelta(hours=2), timedelta(days=10), timedelta(days=90)):
        past.stored(Outcome.DROPPED, ago)
        past.stored(Outcome.CONNECTED, ago)
    past.stored(Outcome.DROPPED, timedelta(hours=1), campaign_id=2)
    standing = await past.ledger.standing(a_window(window))
    assert (standing.dropped, standing.live, standing.rate) == (dropped, 2 * dropped, 0.5)


async def test_calls_count_as_they_end_and_the_unanswered_do_not() -> None:
    past, campaign = Past(), a_window(DropWindow.DAY)
    await past.ledger.open(campaign)
    for outcome in Outcome:
        past.ends(outcome)
    standing = await past.ledger.standing(campaign)
    assert standing.tally == Tally(connected=1, dropped=1, gone_early=1, machine=1)
    assert (standing.dropped, standing.live) == (1, 3)


async def test_a_restart_finds_the_same_counts() -> None:
    past, campaign = Past(), a_window(DropWindow.MONTH)
    past.stored(Outcome.DROPPED, timedelta(days=3))
    await past.ledger.open(campaign)
    past.ends(Outcome.DROPPED)
    past.stored(Outcome.DROPPED, timedelta(0))
    before = await past.ledger.standing(campaign)
    past.clock.advance(5)
    again = await past.restarted().standing(campaign)
    assert before.tally == again.tally == Tally(dropped=2)


async def test_another_window_is_counted_anew_with_what_the_store_may_not_have_yet() -> None:
    past = Past()
    await past.ledger.open(a_window(DropWindow.DAY))
    past.clock.advance(100)
    past.ends(Outcome.CONNECTED)
    past.clock.advance(0.05)
    standing = await past.ledger.standing(a_window(DropWindow.MONTH))
    assert standing.tally == Tally(connected=1)


async def test_what_is_older_than_the_window_goes() -> None:
    past, campaign = Past(), a_window(DropWindow.DAY)
    await past.ledger.open(campaign)
    past.ends(Outcome.DROPPED)
    past.clock.advance(23 * 3600)
    assert (await past.ledger.standing(campaign)).dropped == 1
    past.clock.advance(3 * 3600)
    assert (await past.ledger.standing(campaign)).dropped == 0


def test_a_share_of_the_machine_verdicts_counts_as_dropped_people_where_the_rules_say_so() -> None:
    tally = Tally(connected=90, dropped=2, machine=100)
    spent = budget(PacingRules(count_machine_mistakes=0.02), tally)
    assert (spent.live, spent.dropped) == (94, 4)
    assert budget(PacingRules(), tally).dropped == 2


@given(
    ago=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3000)),
    window=st.sampled_from(DropWindow),
)
def test_slots_lie_side_by_side_and_cover_the_window(ago: timedelta, window: DropWindow) -> None:
    now = NOW - ago
    slots = slots_since(now, window)
    assert all(before[1] == after[0] for before, after in pairwise(slots))
    assert slots[-1][1] > now
    span = SPANS[window]
    assert slots[0][0] is None if span is None else slots[0][0] is not None and slots[0][0] <= now - span


def test_a_call_without_a_campaign_is_nobodys_drop() -> None:
    past = Past()
    call = replace(a_call(), state=CallState.ENDED, outcome=Outcome.DROPPED, ended_at=NOW)
    past.ledger.tap(CallMoved(before=CallState.ANSWERED, call=call, at=NOW))
    assert past.ledger.budget(a_campaign()) is None
