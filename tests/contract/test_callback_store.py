"""The contract of `CallbackStore`, with what ended calls mean for callbacks."""

from dataclasses import replace
from typing import Any

import pytest

from cti.dialer.retry import CALLBACK_RAISE, RetryPlan
from cti.errors import Conflict, NotFound
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackState,
    NewCallback,
)
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.campaign_rules import CampaignRules
from cti.model.ownership import MoveKind, Terms, Wish
from cti.model.standing import NOBODY
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.entries import arrange, entry
from tests.contract.people import a_stored_agent, a_stored_campaign, call_for

PLAN = RetryPlan(lambda campaign_id: CampaignRules())
BERLIN = "Europe/Berlin"


async def planned(store: Store, *, seconds: float = 3600, contacts: int = 1, **given: Any) -> Callback:
    """Plan a callback for the first contact of a new campaign."""
    campaign_id = await a_stored_campaign(store, contacts=contacts)
    one = (await store.campaigns.next_candidates(campaign_id, limit=1))[0]
    return await plan(store, one.contact_id, campaign_id, seconds=seconds, **given)


async def plan(
    store: Store, contact_id: int, campaign_id: int, *, seconds: float = 3600, **given: Any
) -> Callback:
    wanted = {"due_at": later(seconds), "zone": BERLIN, "by": "lead", "note": "about the offer"} | given
    new = NewCallback(contact_id=contact_id, campaign_id=campaign_id, **wanted)
    return await store.callbacks.add(new, raised=CALLBACK_RAISE, at=NOW)


async def called(store: Store, one: Callback, outcome: Outcome, *, at: float) -> None:
    """Dial the callback's contact, and let the call end."""
    candidates = await store.campaigns.next_candidates(one.campaign_id, limit=9)
    candidate = next(each for each in candidates if each.entry_id == one.entry_id)
    call = call_for(candidate, id=f"{int(at):032x}", placed_at=later(at))
    await store.calls.place([(call, candidate)])
    over = replace(
        call,
        state=CallState.ENDED,
        ended_at=later(at + 10),
        outcome=outcome,
        end_reason=EndReason.HUNG_UP,
    )
    await store.calls.save([over], plan=PLAN)


async def kinds(store: Store, callback_id: int) -> list[str]:
    return [move.kind.value for move in await store.callbacks.history(callback_id)]


async def test_a_planned_callback_lets_its_contact_wait_in_its_agent_s_lane(store: Store) -> None:
    anna = await a_stored_agent(store)
    one = await planned(store, agent_id=anna)

    assert await store.callbacks.get(one.id) == one
    assert (one.state, one.due_at, one.created_by) == (CallbackState.PLANNED, later(3600), "lead")
    standing = await entry(store, one.entry_id)
    assert (standing["state"], standing["due_at"], standing["reason"]) == (
        "waiting",
        later(3600),
        "callback_later",
    )
    assert (standing["owner_key"], standing["priority"], standing["raised"]) == (
        anna,
        CALLBACK_RAISE,
        CALLBACK_RAISE,
    )
    assert f"callback {one.id}: 2026-11-23 11:00 Europe/Berlin" in standing["reason_detail"]
    assert await kinds(store, one.id) == ["made"]


async def test_when_it_is_due_he_stands_first_in_that_lane_and_is_for_that_agent(store: Store) -> None:
    anna = await a_stored_agent(store)
    one = await planned(store, contacts=3, agent_id=anna)

    assert await store.callbacks.fall_due(later(3599), limit=9) == []
    (due,) = await store.callbacks.fall_due(later(3600), limit=9)

    assert (due.id, due.state) == (one.id, CallbackState.DUE)
    first, *_ = await store.queue.heads(one.campaign_id, owners=[NOBODY, anna], limit=9)
    assert (first.entry_id, first.owner_agent_id) == (one.entry_id, anna)
    assert await kinds(store, one.id) == ["made", "due"]
    assert await store.callbacks.fall_due(later(9999), limit=9) == []


async def test_the_waker_may_be_first_and_nothing_is_lost(store: Store) -> None:
    one = await planned(store)
    await store.queue.wake(later(3600), limit=9)

    (due,) = await store.callbacks.fall_due(later(3601), limit=9)

    standing = await entry(store, one.entry_id)
    assert (due.state, standing["state"], standing["raised"]) == (
        CallbackState.DUE,
        "pending",
        CALLBACK_RAISE,
    )


async def test_a_callback_agreed_during_the_call_holds_from_its_end(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (candidate,) = await store.campaigns.next_candidates(campaign_id, limit=1)
    call = call_for(candidate)
    await store.calls.place([(call, candidate)])
    one = await plan(store, candidate.contact_id, campaign_id, call_id=call.id)
    assert (await entry(store, one.entry_id))["state"] == "dialing"
    over = replace(
        call,
        state=CallState.ENDED,
        ended_at=later(60),
        outcome=Outcome.CONNECTED,
        end_reason=EndReason.HUNG_UP,
    )

    await store.calls.save([over], plan=PLAN)

    standing = await entry(store, one.entry_id)
    assert (standing["state"], standing["due_at"], standing["reason"]) == (
        "waiting",
        later(3600),
        "callback_later",
    )
    assert (await store.callbacks.get(one.id)).state is CallbackState.PLANNED


async def test_a_conversation_after_it_was_due_settles_it(store: Store) -> None:
    anna = await a_stored_agent(store)
    one = await planned(store, agent_id=anna)
    await store.callbacks.fall_due(later(3600), limit=9)

    await called(store, one, Outcome.CONNECTED, at=3700)

    assert (await store.callbacks.get(one.id)).state is CallbackState.DONE
    standing = await entry(store, one.entry_id)
    assert (standing["state"], standing["owner_key"], standing["priority"]) == ("done", NOBODY, 0)
    assert await kinds(store, one.id) == ["made", "due", "done"]


async def test_whoever_is_not_reached_is_tried_again_and_missed_in_the_end(store: Store) -> None:
    one = await planned(store)
    await store.callbacks.fall_due(later(3600), limit=9)
    for at in (3700, 10_000):
        await called(store, one, Outcome.NO_ANSWER, at=at)
        standing = await entry(store, one.entry_id)
        assert (standing["state"], standing["due_at"]) == ("waiting", later(at + 910))
        assert (await store.callbacks.get(one.id)).state is CallbackState.DUE
        await store.queue.wake(later(at + 910), limit=9)

    await called(store, one, Outcome.NO_ANSWER, at=20_000)

    assert (await store.callbacks.get(one.id)).state is CallbackState.MISSED
    assert (await entry(store, one.entry_id))["state"] == "done"


async def test_a_second_one_for_the_same_contact_is_a_conflict_while_the_first_stands_open(
    store: Store,
) -> None:
    one = await planned(store)

    with pytest.raises(Conflict, match=f"callback {one.id} stands open"):
        await plan(store, one.contact_id, one.campaign_id)

    await store.callbacks.change(
        one.id, CallbackChange(state=CallbackState.DONE), by="lead", raised=0, at=later(1)
    )
    again = await plan(store, one.contact_id, one.campaign_id)
    assert again.entry_id == one.entry_id


async def test_a_contact_without_an_entry_in_the_campaign_gets_one(store: Store) -> None:
    one_campaign = await a_stored_campaign(store, name="one", contacts=2)
    other = await a_stored_campaign(store, name="two", contacts=0)
    people = await store.campaigns.next_candidates(one_campaign, limit=2)

    first = await plan(store, people[0].contact_id, other)
    second = await plan(store, people[1].contact_id, other)

    assert (await store.campaigns.progress(other)).waiting == 2
    await store.callbacks.fall_due(later(3600), limit=9)
    found = await store.campaigns.next_candidates(other, limit=9)
    assert {one.entry_id for one in found} == {first.entry_id, second.entry_id}
    assert len({one.list_id for one in found}) == 1


async def test_unknown_contacts_campaigns_and_callbacks_are_not_found(store: Store) -> None:
    one = await planned(store)
    with pytest.raises(NotFound):
        await plan(store, 9999, one.campaign_id)
    with pytest.raises(NotFound):
        await plan(store, one.contact_id, 9999)
    with pytest.raises(NotFound):
        await store.callbacks.get(9999)
    with pytest.raises(NotFound):
        await store.callbacks.whereabouts(9999)
    with pytest.raises(NotFound):
        await store.callbacks.change(9999, CallbackChange(note="x"), by="", raised=0, at=NOW)


async def test_moving_it_plans_it_anew(store: Store) -> None:
    one = await planned(store)
    await store.callbacks.remind(later(3600), at=later(3000), limit=9)
    await store.callbacks.fall_due(later(3600), limit=9)

    moved = await store.callbacks.change(
        one.id, CallbackChange(due_at=later(7200)), by="anna", raised=CALLBACK_RAISE, at=later(3601)
    )

    assert (moved.state, moved.due_at, moved.reminded_at) == (CallbackState.PLANNED, later(7200), None)
    assert (await entry(store, one.entry_id))["due_at"] == later(7200)
    *_, last = await store.callbacks.history(one.id)
    assert (last.kind, last.by, last.detail) == (
        "moved",
        "anna",
        "2026-11-23 11:00 -> 2026-11-23 12:00 Europe/Berlin",
    )


async def test_giving_it_to_another_moves_it_into_his_lane(store: Store) -> None:
    anna, bob = await a_stored_agent(store), await a_stored_agent(store, login="bob")
    one = await planned(store, agent_id=anna)

    given = await store.callbacks.change(
        one.id, CallbackChange(agent_id=bob), by="lead", raised=CALLBACK_RAISE, at=later(1)
    )
    assert (given.agent_id, (await entry(store, one.entry_id))["owner_key"]) == (bob, bob)
    anyone = await store.callbacks.change(
        one.id, CallbackChange(agent_id=None), by="lead", raised=CALLBACK_RAISE, at=later(2)
    )

    assert (anyone.agent_id, (await entry(store, one.entry_id))["owner_key"]) == (None, NOBODY)


@pytest.mark.parametrize(("tries", "state"), [(0, "pending"), (2, "done")])
async def test_a_cancelled_one_leaves_a_contact_nobody_tried_in_the_queue(
    store: Store, tries: int, state: str
) -> None:
    one = await planned(store)
    await arrange(store, one.entry_id, tries=tries)

    gone = await store.callbacks.change(
        one.id, CallbackChange(state=CallbackState.CANCELLED), by="lead", raised=0, at=later(1)
    )

    standing = await entry(store, one.entry_id)
    assert (gone.state, standing["state"], standing["priority"]) == (CallbackState.CANCELLED, state, 0)
    assert standing["due_at"] is None
    with pytest.raises(Conflict, match="cancelled already"):
        await store.callbacks.change(one.id, CallbackChange(note="x"), by="", raised=0, at=later(2))


async def test_each_is_reminded_of_once_before_it_is_due(store: Store) -> None:
    one = await planned(store)

    assert await store.callbacks.remind(later(3599), at=later(3000), limit=9) == []
    (reminded,) = await store.callbacks.remind(later(3600), at=later(3001), limit=9)
    assert (reminded.id, reminded.reminded_at) == (one.id, later(3001))
    assert await store.callbacks.remind(later(3600), at=later(3002), limit=9) == []


async def test_one_whose_agent_is_away_is_released_to_the_team_once(store: Store) -> None:
    anna = await a_stored_agent(store)
    one = await planned(store, agent_id=anna)
    assert await store.callbacks.unreleased(later(9999), limit=9) == []
    await store.callbacks.fall_due(later(3600), limit=9)
    (late,) = await store.callbacks.unreleased(later(3600), limit=9)

    (released,) = await store.callbacks.release([late.id], at=later(4500))

    assert (released.released_at, released.agent_id) == (later(4500), anna)
    assert (await entry(store, one.entry_id))["owner_key"] == NOBODY
    assert await store.callbacks.unreleased(later(9999), limit=9) == []
    assert await store.callbacks.release([late.id], at=later(4600)) == []


async def test_whoever_was_stopped_meanwhile_is_not_called_and_his_callback_is_told_as_missed(
    store: Store,
) -> None:
    one = await planned(store)
    await arrange(store, one.entry_id, state="done", reason="stopped", due_at=None)

    (missed,) = await store.callbacks.fall_due(later(3600), limit=9)

    assert missed.state is CallbackState.MISSED
    assert (await entry(store, one.entry_id))["state"] == "done"


async def test_they_are_found_by_whose_when_and_how_they_stand(store: Store) -> None:
    anna = await a_stored_agent(store)
    campaign_id = await a_stored_campaign(store, contacts=3)
    people = await store.campaigns.next_candidates(campaign_id, limit=3)
    late, soon, anyone = [
        await plan(store, one.contact_id, campaign_id, seconds=seconds, agent_id=agent)
        for one, seconds, agent in zip(people, (900, 100, 500), (anna, anna, None), strict=True)
    ]
    await store.callbacks.change(
        late.id, CallbackChange(state=CallbackState.DONE), by="lead", raised=0, at=later(1)
    )

    async def ids(**given: Any) -> list[int]:
        return [one.id for one in await store.callbacks.find(CallbackFilter(**given))]

    assert await ids() == [soon.id, anyone.id]
    assert await ids(agent_id=anna) == [soon.id]
    assert await ids(since=later(100), until=later(500)) == [soon.id]
    assert await ids(contact_id=anyone.contact_id) == [anyone.id]
    assert await ids(states=frozenset(CallbackState), limit=2) == [soon.id, anyone.id]
    assert await ids(states=frozenset({CallbackState.DONE}), campaign_id=campaign_id) == [late.id]


async def test_where_a_contact_is_is_told_from_his_numbers(store: Store) -> None:
    one = await planned(store)

    where = await store.callbacks.whereabouts(one.contact_id)

    assert (where.owner_agent_id, where.zone) == (None, "")


@pytest.mark.parametrize("to_bob", [True, False], ids=["to a colleague", "to the pool"])
async def test_a_promise_follows_its_contact_when_he_gets_another_owner(store: Store, to_bob: bool) -> None:
    anna, bob = await a_stored_agent(store), await a_stored_agent(store, login="bob")
    campaign_id = await a_stored_campaign(store, contacts=2)
    people = await store.campaigns.next_candidates(campaign_id, limit=2)
    promised, other = [
        await plan(store, one.contact_id, campaign_id, agent_id=agent)
        for one, agent in zip(people, (anna, bob), strict=True)
    ]
    ids = [one.contact_id for one in people]
    given = Terms(kind=MoveKind.ASSIGNED, by="lead", at=NOW)
    await store.ownership.move([Wish(contact_id=one, before=None, after=anna) for one in ids], terms=given)
    after = bob if to_bob else None
    moved = Terms(kind=MoveKind.TRANSFERRED, by="lead", at=later(5), reason="anna leaves")

    await store.ownership.move([Wish(contact_id=one, before=anna, after=after) for one in ids], terms=moved)

    assert (await store.callbacks.get(promised.id)).agent_id == after
    assert (await store.callbacks.get(other.id)).agent_id == bob
    assert (await entry(store, promised.entry_id))["owner_key"] == (after or 0)
    assert await kinds(store, promised.id) == ["made", "changed"]
    assert await kinds(store, other.id) == ["made"]
