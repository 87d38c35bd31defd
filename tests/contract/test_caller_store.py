"""The contract of `CallerStore`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.errors import Conflict, NotFound
from cti.lines.counter import STEP, step_of
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.ids import new_call_id
from cti.model.lines import CallerId, CallerPool
from tests.builders import NOW, a_call, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign

BERLIN, MUNICH, HAMBURG = "+4930901820", "+498912345678", "+494012345678"


def a_pool(*numbers: str, **given: Any) -> CallerPool:
    made = tuple(CallerId(number=number) for number in sorted(numbers))
    return CallerPool(**{"id": 0, "name": "main", "numbers": made, **given})


async def test_a_pool_is_read_back_by_another_process(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    one = CallerId(
        number=BERLIN,
        areas=("+4930", "+4933"),
        weight=2.5,
        per_hour=10,
        per_day=80,
        rests_until=later(60),
        rest_reason="by hand",
    )
    wanted = a_pool(name="Ost", per_hour=5, per_day=50, failures=None, rest_seconds=90.5, health_calls=40)
    stored = await store.callers.add_pool(replace(wanted, numbers=(one, CallerId(number=MUNICH))))
    assert await other.callers.pools() == [stored]
    assert stored == replace(wanted, id=stored.id, numbers=(one, CallerId(number=MUNICH)))


async def test_names_and_numbers_are_taken_once(store: Store) -> None:
    first = await store.callers.add_pool(a_pool(BERLIN))
    with pytest.raises(Conflict, match="main"):
        await store.callers.add_pool(a_pool(MUNICH))
    with pytest.raises(Conflict, match=r"\+4930901820"):
        await store.callers.add_pool(a_pool(BERLIN, name="other"))
    assert await store.callers.pools() == [first]


async def test_a_pool_is_changed_and_numbers_it_does_not_name_stay(store: Store) -> None:
    made = await store.callers.add_pool(a_pool(BERLIN, MUNICH))
    changed = CallerId(number=MUNICH, retired=True)
    await store.callers.save_pool(
        replace(made, name="new", per_hour=3, numbers=(changed, CallerId(number=HAMBURG)))
    )
    [stored] = await store.callers.pools()
    assert (stored.name, stored.per_hour) == ("new", 3)
    assert stored.numbers == (CallerId(number=BERLIN), CallerId(number=HAMBURG), changed)


async def test_a_change_that_is_refused_leaves_all_as_it_was(store: Store) -> None:
    first = await store.callers.add_pool(a_pool(BERLIN))
    second = await store.callers.add_pool(a_pool(MUNICH, name="second"))
    with pytest.raises(NotFound):
        await store.callers.save_pool(replace(first, id=first.id + 1000, name="third"))
    with pytest.raises(Conflict):
        await store.callers.save_pool(replace(second, name="main"))
    with pytest.raises(Conflict):
        await store.callers.save_pool(replace(second, per_day=1, numbers=first.numbers))
    assert await store.callers.pools() == [first, second]


async def test_rests_are_written_and_unknown_numbers_passed_over(store: Store) -> None:
    made = await store.callers.add_pool(a_pool(BERLIN, MUNICH))
    resting = CallerId(number=BERLIN, rests_until=later(9), rest_reason="seldom answered")
    await store.callers.save_rests([resting, CallerId(number=HAMBURG, rests_until=later(9))])
    await store.callers.save_rests([])
    assert await store.callers.pools() == [replace(made, numbers=(resting, made.numbers[1]))]


async def test_use_is_counted_by_number_and_step(store: Store) -> None:
    made = (
        (0, BERLIN, Outcome.CONNECTED, EndReason.HUNG_UP),
        (1, BERLIN, Outcome.NO_ANSWER, EndReason.RING_TIMEOUT),
        (2, BERLIN, Outcome.FAILED, EndReason.HUNG_UP),
        (3, BERLIN, Outcome.FAILED, EndReason.NOT_SENT),
        (4, MUNICH, Outcome.MACHINE, EndReason.HUNG_UP),
        (5, None, Outcome.CONNECTED, EndReason.HUNG_UP),
        (STEP.total_seconds() + 0.999999, BERLIN, None, None),
        (-3600, MUNICH, Outcome.CONNECTED, EndReason.HUNG_UP),
    )
    for seconds, number, outcome, reason in made:
        at = later(seconds)
        state = CallState.ENDED if outcome else CallState.DIALING
        call = a_call(id=new_call_id(at), placed_at=at, caller_id=number)
        await store.calls.place([(call, None)])
        await store.calls.save(
            [replace(call, state=state, outcome=outcome, end_reason=reason, ended_at=at if outcome else None)]
        )
    counts = await store.callers.use_since(NOW, STEP)
    told = [(one.number, step_of(one.began_at), one.calls, one.judged, one.answered) for one in counts]
    first = step_of(NOW)
    assert told == [(BERLIN, first, 3, 2, 1), (MUNICH, first, 1, 1, 0), (BERLIN, first + 1, 1, 0, 0)]
    assert await store.callers.use_since(NOW + timedelta(days=1), STEP) == []


async def test_a_call_that_failed_by_its_trunk_gives_its_contact_back_when_another_trunk_is_named(
    store: Store,
) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    failed = {
        "state": CallState.ENDED,
        "ended_at": later(1),
        "outcome": Outcome.FAILED,
        "end_reason": EndReason.HUNG_UP,
        "sip_code": 503,
        "cause": 34,
    }
    pairs = []
    candidates = await store.campaigns.next_candidates(campaign_id, limit=2)
    for candidate, following in zip(candidates, ("dear", None), strict=True):
        at = NOW
        call = a_call(
            id=new_call_id(at), campaign_id=campaign_id, number=candidate.number, next_trunk=following
        )
        pairs.append((call, candidate))
    await store.calls.place(pairs)
    await store.calls.save([replace(call, **failed) for call, _ in pairs])  # type: ignore[arg-type]
    again = await store.campaigns.next_candidates(campaign_id, limit=2)
    assert [(one.entry_id, one.tries) for one in again] == [(candidates[0].entry_id, 0)]
    kept = await store.calls.get(pairs[0][0].id)
    assert kept is not None
    assert (kept.outcome, kept.next_trunk) == (Outcome.FAILED, "dear")
