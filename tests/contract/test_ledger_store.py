"""`LedgerStore` and `DecisionStore`: the same answers in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

from cti.model.calls import Call, CallState, Outcome
from cti.model.decisions import PacingDecision
from cti.model.ledger import Tally
from tests.builders import NOW, a_call, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_campaign


async def ended(store: Store, campaign_id: int, outcome: Outcome, seconds: float) -> Call:
    """Store a call that ended so many seconds after NOW."""
    call = a_call(campaign_id=campaign_id)
    call = replace(call, id=f"{int(seconds):012x}{outcome.value.encode().hex():0<20.20}")
    await store.calls.place([(call, None)])
    over = replace(call, state=CallState.ENDED, outcome=outcome, ended_at=later(seconds))
    await store.calls.save([over])
    return over


async def test_ended_calls_are_counted_span_by_span(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    other = (await store.campaigns.add_campaign(replace((await store.campaigns.campaigns())[0], name="x"))).id
    for seconds in (10, 70, 71):
        await ended(store, campaign_id, Outcome.DROPPED, seconds)
    await ended(store, campaign_id, Outcome.CONNECTED, 72)
    await ended(store, campaign_id, Outcome.GONE_EARLY, 73)
    await ended(store, campaign_id, Outcome.MACHINE, 74)
    await ended(store, campaign_id, Outcome.NO_ANSWER, 75)
    await ended(store, other, Outcome.DROPPED, 76)
    spans = [(None, later(60)), (later(60), later(120)), (later(120), later(180))]
    assert await store.ledger.tallies(campaign_id, spans, until=later(1000)) == [
        Tally(dropped=1),
        Tally(dropped=2, connected=1, gone_early=1, machine=1),
        Tally(),
    ]


async def test_what_ended_after_the_cut_is_left_out(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    for seconds in (10, 20):
        await ended(store, campaign_id, Outcome.DROPPED, seconds)
    [tally] = await store.ledger.tallies(campaign_id, [(None, later(60))], until=later(20))
    assert tally == Tally(dropped=1)


def decision(campaign_id: int, seconds: float, calls: int = 1) -> PacingDecision:
    return PacingDecision(
        campaign_id=campaign_id, at=later(seconds), calls=calls, why="2 free", inputs={"idle": 2.0}
    )


async def test_decisions_come_back_whole_newest_first(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    rows = [decision(campaign_id, seconds) for seconds in (1, 2, 3, 4)]
    await store.decisions.add(rows)
    assert await store.decisions.decisions(campaign_id) == rows[::-1]
    span = await store.decisions.decisions(campaign_id, since=later(2), until=later(4), limit=1)
    assert span == [rows[2]]
    assert await store.decisions.decisions(campaign_id + 1) == []


async def test_thinning_keeps_the_first_of_each_minute_and_says_how_far_it_came(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    await store.decisions.add([decision(campaign_id, seconds) for seconds in range(0, 180, 20)])
    minute = timedelta(minutes=1)
    reached = await store.decisions.thin(since=None, until=later(120), keep_one_per=minute, limit=4)
    assert reached == later(60)
    assert await store.decisions.thin(since=reached, until=later(120), keep_one_per=minute, limit=4) is None
    left = await store.decisions.decisions(campaign_id)
    assert [int((one.at - NOW).total_seconds()) for one in left] == [160, 140, 120, 60, 0]


async def test_old_decisions_go_in_bites(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    await store.decisions.add([decision(campaign_id, seconds) for seconds in range(5)])
    assert await store.decisions.forget(older_than=later(4), limit=3) == 3
    assert await store.decisions.forget(older_than=later(4), limit=3) == 1
    assert [one.at for one in await store.decisions.decisions(campaign_id)] == [later(4)]
