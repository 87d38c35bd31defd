"""The contract of `ChanceStore`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.errors import NotFound
from cti.model.answer_chances import Bin, ChanceFit, Measures
from cti.model.calls import Call, CallState, Outcome
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_campaign, call_for

LONG_AGO = NOW - timedelta(days=90)


async def ended(store: Store, campaign_id: int, outcomes: list[Outcome]) -> list[Call]:
    """Store one ended call for each of the campaign's first contacts; they end one second after the other."""
    candidates = await store.campaigns.next_candidates(campaign_id, limit=len(outcomes))
    calls = [call_for(one, id=f"{n:032x}", placed_at=later(n)) for n, one in enumerate(candidates)]
    await store.calls.place(list(zip(calls, candidates, strict=True)))
    over = [
        replace(call, state=CallState.ENDED, outcome=outcome, ended_at=later(n + 30))
        for n, (call, outcome) in enumerate(zip(calls, outcomes, strict=True))
    ]
    await store.calls.save(over)
    return over


def a_fit(campaign_id: int, **given: Any) -> ChanceFit:
    measured = Measures(brier=0.2, log_loss=0.6, calibration_error=0.01)
    return ChanceFit(
        **{
            "campaign_id": campaign_id,
            "fitted_at": NOW,
            "used": True,
            "why": "used: better",
            "attempts": 5000,
            "answered": 1400,
            "held_out": 1000,
            "measures": {"learned": measured, "hour": measured},
            "bins": (Bin(attempts=500, foretold=0.1, observed=0.12),),
            "model": {"format": 1, "intercept": -1.25, "weights": {"tries": -0.5}},
        }
        | given
    )


async def test_attempts_come_outcome_by_outcome_newest_first_page_by_page(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=5)
    busy, person = Outcome.BUSY, Outcome.CONNECTED
    calls = await ended(store, campaign_id, [busy, person, busy, busy, person])

    first = await store.chances.ended_attempts(campaign_id, outcome=busy, since=LONG_AGO, limit=2)
    rest = await store.chances.ended_attempts(
        campaign_id, outcome=busy, since=LONG_AGO, before=(first[-1].ended_at, first[-1].call_id), limit=2
    )

    assert [one.call_id for one in first] == [calls[3].id, calls[2].id]
    assert [one.call_id for one in rest] == [calls[0].id]
    assert first[0][1:5] == (calls[3].contact_id, calls[3].placed_at, calls[3].ended_at, busy)


async def test_attempts_that_end_at_the_same_moment_are_told_once_each(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=4)
    calls = await ended(store, campaign_id, [Outcome.BUSY] * 4)
    await store.calls.save([replace(call, ended_at=later(99)) for call in calls])

    told, before = [], None
    while page := await store.chances.ended_attempts(
        campaign_id, outcome=Outcome.BUSY, since=LONG_AGO, before=before, limit=1
    ):
        told.append(page[0].call_id)
        before = (page[0].ended_at, page[0].call_id)

    assert told == [call.id for call in reversed(calls)]


async def test_old_attempts_and_those_of_other_campaigns_are_not_told(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    other = await a_stored_campaign(store, name="winter", contacts=1)
    calls = await ended(store, campaign_id, [Outcome.NO_ANSWER, Outcome.NO_ANSWER])

    told = await store.chances.ended_attempts(
        campaign_id, outcome=Outcome.NO_ANSWER, since=later(31), limit=9
    )
    assert [one.call_id for one in told] == [calls[1].id]
    assert not await store.chances.ended_attempts(other, outcome=Outcome.NO_ANSWER, since=LONG_AGO, limit=9)


async def test_the_past_of_contacts_leaves_out_what_teaches_nothing(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=4)
    calls = await ended(store, campaign_id, [Outcome.MACHINE, Outcome.FAILED, Outcome.LOST, Outcome.BUSY])

    past = await store.chances.past_of(
        campaign_id,
        [call.contact_id or 0 for call in calls[:3]],
        [calls[0].number_id or 0, 999_999],
        since=LONG_AGO,
    )

    assert [(one.call_id, one.outcome) for one in past.attempts] == [(calls[0].id, Outcome.MACHINE)]
    assert past.callees == {calls[0].number_id: ("", "")}


async def test_more_contacts_than_one_statement_bears_are_all_looked_at(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=3)
    calls = await ended(store, campaign_id, [Outcome.BUSY] * 3)
    asked = [*range(1_000_000, 1_001_200), *(call.contact_id or 0 for call in calls)]
    past = await store.chances.past_of(campaign_id, asked, asked, since=LONG_AGO)
    assert sorted(one.call_id for one in past.attempts) == [call.id for call in calls]


async def test_the_newest_fit_is_told_as_it_was_stored(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    assert await store.chances.newest_fit(campaign_id) is None
    await store.chances.save_fit(a_fit(campaign_id))
    nothing = a_fit(
        campaign_id, used=False, why="not used: 3 attempts", model=None, measures={}, bins=(), held_out=0
    )
    number = await store.chances.save_fit(nothing)
    assert await store.chances.newest_fit(campaign_id) == replace(nothing, id=number)


async def test_a_campaign_keeps_its_newest_fits_only(store: Store) -> None:
    campaign_id, other = await a_stored_campaign(store), await a_stored_campaign(store, name="winter")
    first = await store.chances.save_fit(a_fit(other))
    for _ in range(35):
        last = await store.chances.save_fit(a_fit(campaign_id))
    newest, others = await store.chances.newest_fit(campaign_id), await store.chances.newest_fit(other)
    assert newest is not None
    assert others is not None
    assert (newest.id, others.id) == (last, first)


async def test_a_fit_of_no_campaign_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.chances.save_fit(a_fit(77))
