"""What stores do with an entry when its call has ended: the contract of `CallStore` and `QueueStore` together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.contacts.ranking import TRY
from cti.dialer.retry import RetryPlan
from cti.errors import NotFound
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.campaign_rules import CampaignRules, Order, OrderRules, RetryRule, RetryRules
from cti.model.contacts import Candidate, EntryState, NewContact, NewNumber
from cti.model.standing import NOBODY, EntryAfter, EntryFacts, Parked, Plan
from cti.model.verdicts import SkipReason
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.entries import arrange, entry, told_reasons
from tests.contract.people import a_stored_campaign, call_for

RULES = RetryRules(
    by_outcome={
        "busy": RetryRule(after_seconds=300, times=2, priority=2),
        "no_answer": RetryRule(after_seconds=600, times=9, next_number=True),
    },
    by_disposition={"no": RetryRule(times=0), "later": RetryRule(after_seconds=7200, times=1)},
    max_attempts=4,
)
PLAN = RetryPlan(lambda campaign_id: CampaignRules(retry=RULES))


async def next_one(store: Store, campaign_id: int) -> Candidate:
    (found,) = await store.campaigns.next_candidates(campaign_id, limit=1)
    return found


async def tried(
    store: Store,
    campaign_id: int,
    outcome: Outcome = Outcome.BUSY,
    *,
    at: float = 0,
    plan: Plan = PLAN,
    one: Candidate | None = None,
    **given: Any,
) -> tuple[int, Call]:
    """Dial the campaign's next contact and let the call end ten seconds later."""
    one = one or await next_one(store, campaign_id)
    call = call_for(one, placed_at=later(at), id=f"{int(at) + 1:032x}")
    await store.calls.place([(call, one)])
    over = replace(
        call,
        **{
            "state": CallState.ENDED,
            "ended_at": later(at + 10),
            "outcome": outcome,
            "end_reason": EndReason.HUNG_UP,
        }
        | given,
    )
    await store.calls.save([over], plan=plan)
    return one.entry_id, over


async def test_an_ended_call_s_entry_waits_as_the_plan_says(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    entry_id = (await next_one(store, campaign_id)).entry_id
    await arrange(store, entry_id, priority=10)

    await tried(store, campaign_id)

    standing = await entry(store, entry_id)
    assert (standing["state"], standing["due_at"], standing["tries"]) == ("waiting", later(310), 1)
    assert (standing["priority"], standing["raised"]) == (12, 2)
    assert (standing["reason"], standing["last_outcome"], standing["failures"]) == (
        "retry_later",
        "busy",
        1,
    )
    assert standing["reason_detail"] == "busy: 1 of 2 retries (retry.by_outcome.busy)"
    assert standing["reason_at"] is not None


async def test_attempt_after_attempt_it_is_given_up_and_has_its_list_s_priority_again(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    for at in (0, 1000, 2000):
        await store.queue.wake(later(at), limit=9)
        entry_id, _ = await tried(store, campaign_id, at=at)

    standing = await entry(store, entry_id)
    assert (standing["state"], standing["due_at"], standing["reason"]) == ("done", None, "given_up")
    assert (standing["tries"], standing["failures"], standing["priority"]) == (3, 3, 0)
    assert "busy 3 times" in standing["reason_detail"]


async def test_outcomes_in_turn_are_counted_each_for_itself(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    outcomes = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.BUSY)
    for at, outcome in zip((0, 1000, 2000), outcomes, strict=True):
        await store.queue.wake(later(at), limit=9)
        entry_id, _ = await tried(store, campaign_id, outcome, at=at)

    assert "busy: 2 of 2" in (await entry(store, entry_id))["reason_detail"]


async def test_the_same_end_twice_moves_the_entry_once(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    entry_id, call = await tried(store, campaign_id)
    before = await entry(store, entry_id)
    await store.queue.wake(later(310), limit=9)
    asked: list[EntryFacts] = []

    def counting(facts: EntryFacts) -> EntryAfter:
        asked.append(facts)
        return PLAN(facts)

    await store.calls.save([call], plan=counting)

    assert asked == []
    assert before["state"] == "waiting"
    standing = await entry(store, entry_id)
    assert (standing["state"], standing["tries"], standing["failures"]) == ("pending", 1, 1)


async def test_a_plan_is_told_all_it_needs(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    await tried(store, campaign_id)
    await store.queue.wake(later(310), limit=9)
    told: list[EntryFacts] = []
    one = await next_one(store, campaign_id)
    call = call_for(one, placed_at=later(400))
    await store.calls.place([(call, one)])
    over = replace(
        call,
        state=CallState.ENDED,
        ended_at=later(410),
        outcome=Outcome.BUSY,
        end_reason=EndReason.HUNG_UP,
    )
    await store.calls.set_disposition(call.id, agent_id=None, disposition="later", note="", at=later(405))

    def remembering(facts: EntryFacts) -> EntryAfter:
        told.append(facts)
        return PLAN(facts)

    await store.calls.save([over], plan=remembering)

    assert told == [
        EntryFacts(
            entry_id=one.entry_id,
            campaign_id=campaign_id,
            call=over,
            disposition="later",
            tries=2,
            same_outcome=2,
            same_disposition=1,
            raised=2,
        )
    ]


async def test_the_next_number_brings_its_zone(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    contact = NewContact(
        name="two",
        numbers=(
            NewNumber(e164="+4930111", raw="", zone="Europe/Berlin"),
            NewNumber(e164="+12125550100", raw="", zone="America/New_York"),
        ),
    )
    await store.campaigns.add_list(campaign_id=campaign_id, name="b", source="", contacts=[contact], at=NOW)

    entry_id, _ = await tried(store, campaign_id, Outcome.NO_ANSWER)

    standing = await entry(store, entry_id)
    assert (standing["number_position"], standing["zone"]) == (1, "America/New_York")
    await store.queue.wake(later(9999), limit=9)
    (found,) = await store.queue.heads(campaign_id, owners=[NOBODY], limit=1)
    assert (found.number, found.zone) == ("+12125550100", "America/New_York")
    assert await store.queue.has_other_numbers(campaign_id)


async def test_whether_anybody_has_a_second_number_is_asked_of_the_campaign_alone(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)

    assert not await store.queue.has_other_numbers(campaign_id)


async def test_an_attempt_that_never_left_counts_for_nothing(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    await tried(store, campaign_id, Outcome.FAILED, at=0, end_reason=EndReason.NOT_SENT)
    entry_id, _ = await tried(store, campaign_id, at=1000)

    standing = await entry(store, entry_id)
    assert (standing["tries"], standing["failures"], standing["last_outcome"]) == (1, 1, "busy")


async def test_a_conversation_ends_the_failures_in_a_row(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    await tried(store, campaign_id)
    await store.queue.wake(later(999), limit=9)

    entry_id, _ = await tried(store, campaign_id, Outcome.CONNECTED, at=1000)

    standing = await entry(store, entry_id)
    assert (standing["failures"], standing["last_outcome"], standing["reason"]) == (0, "connected", "reached")


async def test_a_disposition_that_comes_later_goes_before_the_outcome(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    entry_id, call = await tried(store, campaign_id)

    await store.calls.set_disposition(
        call.id, agent_id=None, disposition="later", note="", at=later(60), plan=PLAN
    )
    assert (await entry(store, entry_id))["due_at"] == later(7210)
    await store.calls.set_disposition(
        call.id, agent_id=None, disposition="no", note="", at=later(61), plan=PLAN
    )

    standing = await entry(store, entry_id)
    assert (standing["state"], standing["tries"], standing["failures"]) == ("done", 1, 1)
    assert (standing["reason"], standing["reason_at"]) == ("given_up", later(61))


async def test_a_late_disposition_takes_one_back_who_is_due_already(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    entry_id, call = await tried(store, campaign_id)
    await store.queue.wake(later(310), limit=9)

    await store.calls.set_disposition(
        call.id, agent_id=None, disposition="no", note="", at=later(400), plan=PLAN
    )

    assert (await entry(store, entry_id))["state"] == "done"


async def test_a_late_disposition_does_not_touch_the_next_try(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    _, call = await tried(store, campaign_id)
    await store.queue.wake(later(310), limit=9)
    one = await next_one(store, campaign_id)
    await store.calls.place([(call_for(one), one)])

    await store.calls.set_disposition(
        call.id, agent_id=None, disposition="no", note="", at=later(400), plan=PLAN
    )

    assert (await entry(store, one.entry_id))["state"] == "dialing"


async def test_a_late_disposition_does_not_overrule_who_stopped_him(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    entry_id, call = await tried(store, campaign_id)
    await arrange(store, entry_id, state="done", reason="stopped", due_at=None)

    await store.calls.set_disposition(
        call.id, agent_id=None, disposition="later", note="", at=later(60), plan=PLAN
    )

    standing = await entry(store, entry_id)
    assert (standing["state"], standing["reason"]) == ("done", "stopped")


async def test_each_dialed_contact_is_noted_with_why(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    one = await next_one(store, campaign_id)
    call = call_for(one, why="one agent is free")

    await store.calls.place([(call, one)])

    assert await told_reasons(store) == [
        {
            "at": NOW,
            "kind": "dialed",
            "reason": "",
            "detail": "one agent is free",
            "entry_id": one.entry_id,
            "contact_id": one.contact_id,
            "campaign_id": campaign_id,
            "number": one.number,
            "call_id": call.id,
        }
    ]


async def finished(store: Store, outcomes: list[Outcome]) -> tuple[int, int, list[int]]:
    """Store a list and be done with one entry for each outcome; return campaign, list, entries."""
    campaign_id = await a_stored_campaign(store, contacts=len(outcomes))
    people = await store.campaigns.next_candidates(campaign_id, limit=99)
    for n, (one, outcome) in enumerate(zip(people, outcomes, strict=True)):
        call = call_for(one, id=f"{n + 1:032x}")
        await store.calls.place([(call, one)])
        over = replace(
            call,
            state=CallState.ENDED,
            ended_at=later(9),
            outcome=outcome,
            end_reason=EndReason.HUNG_UP,
        )
        await store.calls.save([over])
    return campaign_id, people[0].list_id, [one.entry_id for one in people]


async def test_entries_are_recycled_by_outcome_and_begin_anew(store: Store) -> None:
    campaign_id, list_id, ids = await finished(store, [Outcome.BUSY, Outcome.MACHINE, Outcome.CONNECTED])

    counts = await store.queue.recyclable(list_id, outcomes=["busy", "machine"])
    moved = await store.queue.recycle(list_id, outcomes=["busy", "machine"], after=0, limit=9, at=later(500))

    assert counts == {"busy": 1, "machine": 1}
    assert moved == ids[:2]
    standing = await entry(store, ids[0])
    assert (standing["state"], standing["tries"], standing["failures"], standing["call_id"]) == (
        "pending",
        0,
        0,
        None,
    )
    assert standing["fresh_since"] == later(500)
    _, call = await tried(store, campaign_id, at=1000)
    assert "1 of 2 retries" in (await entry(store, ids[0]))["reason_detail"]
    assert call.try_number == 1


async def test_entries_are_recycled_by_disposition(store: Store) -> None:
    _, list_id, ids = await finished(store, [Outcome.CONNECTED, Outcome.CONNECTED])
    await store.calls.set_disposition(f"{2:032x}", agent_id=None, disposition="later", note="", at=NOW)

    moved = await store.queue.recycle(
        list_id, outcomes=[], dispositions=["later"], after=0, limit=9, at=later(500)
    )

    assert moved == [ids[1]]


async def test_recycling_goes_on_behind_an_entry(store: Store) -> None:
    _, list_id, ids = await finished(store, [Outcome.BUSY] * 3)

    first = await store.queue.recycle(list_id, outcomes=["busy"], after=0, limit=2, at=NOW)
    rest = await store.queue.recycle(list_id, outcomes=["busy"], after=first[-1], limit=2, at=NOW)

    assert (first, rest) == (ids[:2], ids[2:])


@pytest.mark.parametrize("reason", [SkipReason.DO_NOT_CALL, SkipReason.STOPPED])
async def test_whom_somebody_forbade_is_not_recycled(store: Store, reason: SkipReason) -> None:
    campaign_id, list_id, ids = await finished(store, [Outcome.BUSY])
    await arrange(store, ids[0], reason=reason.value)

    assert await store.queue.recyclable(list_id, outcomes=["busy"]) == {}
    assert await store.queue.recycle(list_id, outcomes=["busy"], after=0, limit=9, at=NOW) == []
    assert (await store.campaigns.progress(campaign_id)).done == 1


async def test_an_unknown_list_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="list 99"):
        await store.queue.recyclable(99, outcomes=["busy"])
    with pytest.raises(NotFound, match="list 99"):
        await store.queue.recycle(99, outcomes=["busy"], after=0, limit=9, at=NOW)


async def test_nothing_chosen_recycles_nobody(store: Store) -> None:
    _, list_id, _ = await finished(store, [Outcome.BUSY])

    assert await store.queue.recycle(list_id, outcomes=[], after=0, limit=9, at=NOW) == []


async def test_whoever_waits_or_is_dialed_is_not_recycled(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    one, two = await store.campaigns.next_candidates(campaign_id, limit=2)
    await store.queue.park(
        [Parked(candidate=one, reason=SkipReason.HOLIDAY, until=NOW + timedelta(hours=1))], at=NOW
    )
    await arrange(store, two.entry_id, last_outcome="busy")

    assert await store.queue.recyclable(one.list_id, outcomes=["busy"]) == {}
    assert (await entry(store, two.entry_id))["state"] == EntryState.PENDING


async def test_where_the_fewest_tries_go_first_a_retry_comes_behind_the_fresh_and_before_the_more_tried(
    store: Store,
) -> None:
    rules = CampaignRules(
        order=OrderRules(order=Order.FEWEST_TRIES),
        retry=RetryRules(by_outcome={"busy": RetryRule(after_seconds=1, times=9)}, max_attempts=9),
    )
    plan = RetryPlan(lambda campaign_id: rules)
    campaign_id = await a_stored_campaign(store, contacts=3)
    order = []
    for at in range(0, 900, 100):
        await store.queue.wake(later(at), limit=9)
        (first, *_) = await store.queue.heads(campaign_id, owners=[NOBODY], limit=1)
        order.append(first.entry_id)
        await tried(store, campaign_id, at=at, plan=plan, one=first)

    ids = sorted(set(order))
    assert order == ids * 3
    assert len(ids) == 3


async def test_whoever_is_recycled_stands_where_the_fresh_stand(store: Store) -> None:
    plan = RetryPlan(lambda campaign_id: CampaignRules(order=OrderRules(order=Order.FEWEST_TRIES)))
    campaign_id = await a_stored_campaign(store, contacts=1)
    before = await next_one(store, campaign_id)
    entry_id, _ = await tried(store, campaign_id, plan=plan)

    await store.queue.recycle(before.list_id, outcomes=["busy"], after=0, limit=9, at=NOW)

    after = await next_one(store, campaign_id)
    assert after.entry_id == entry_id
    assert after.rank < TRY
