"""The contract of `LeadStore`: a lead is the next to be dialed, and comes once."""

from dataclasses import replace
from typing import Any

import pytest

from cti.errors import NotFound
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.campaign_rules import Order
from cti.model.contacts import NewContact
from cti.model.doubles import DoubleRule
from cti.model.imports import (
    Lead,
    LeadTaken,
    UndoCounts,
)
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.imported import MERGE, REPLACE, candidates, imported, person, undone
from tests.contract.people import a_stored_campaign, call_for, placed_calls


async def led(store: Store, campaign_id: int, contact: NewContact, **given: Any) -> LeadTaken:
    facts: dict[str, Any] = {"priority": 10_000, "doubles": MERGE} | given
    lead = Lead(campaign_id=campaign_id, contact=contact, **facts)
    return await store.leads.add_lead(lead, order=Order.OLDEST, at=NOW)


async def test_a_lead_is_the_next_to_be_dialed(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=5)

    taken = await led(store, one, person("+4930999", name="Lead"))

    (lane, *_) = await store.queue.lanes(one, owners=[0])
    assert (lane.entry_id, lane.priority) == (taken.entry_id, 10_000)
    assert (taken.state, taken.known, taken.again) == ("pending", False, False)


async def test_a_lead_of_somebody_who_waits_already_puts_him_first(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111", name="A"), person("+4930222", name=""))
    waiting = (await candidates(store, one))[1]

    taken = await led(store, one, person("+4930222", name="Bob"))

    assert (taken.contact_id, taken.entry_id, taken.known) == (waiting.contact_id, waiting.entry_id, True)
    (lane, *_) = await store.queue.lanes(one, owners=[0])
    assert lane.entry_id == taken.entry_id
    assert {found.name for found in await candidates(store, one)} == {"A", "Bob"}


async def test_undoing_an_import_does_not_take_a_lead_away(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    done = await imported(store, one, person("+4930111"), person("+4930222"))
    taken = await led(store, one, person("+4930222"))

    after = await undone(store, done.id)

    assert after.undo == UndoCounts(entries_removed=1, contacts_removed=1, contacts_kept=1)
    assert [found.entry_id for found in await candidates(store, one)] == [taken.entry_id]


async def test_a_lead_who_is_being_called_is_told_so(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111"))
    await placed_calls(store, one, 1)

    taken = await led(store, one, person("+4930111"))

    assert (taken.state, taken.known) == ("dialing", True)


async def test_a_lead_whose_key_came_before_is_not_taken_twice(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    first = await led(store, one, person("+4930111"), key="form-7")

    again = await led(store, one, person("+4930222"), key="form-7")

    assert again == replace(first, known=True, again=True)
    assert len(await candidates(store, one)) == 1


async def test_a_lead_s_data_leave_a_known_contact_as_he_is_when_the_rule_says_skip(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111", name="Ada"))

    await led(store, one, person("+4930111", name="X"), doubles=replace(REPLACE, rule=DoubleRule.SKIP))

    assert [found.name for found in await candidates(store, one)] == ["Ada"]


async def test_a_lead_for_an_unknown_campaign_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await led(store, 77, person("+4930111"))


async def test_a_contact_who_was_done_with_gets_a_new_place(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111"))
    (candidate,) = await candidates(store, one)
    call = call_for(candidate)
    await store.calls.place([(call, candidate)])
    ended = replace(
        call,
        state=CallState.ENDED,
        ended_at=later(9),
        outcome=Outcome.BUSY,
        end_reason=EndReason.HUNG_UP,
    )
    await store.calls.save([ended])

    done = await imported(store, one, person("+4930111"), name="again", doubles=MERGE)

    assert (done.counts.merged, done.counts.joined) == (1, 1)
    (found,) = await candidates(store, one)
    assert found.contact_id == candidate.contact_id
    assert found.entry_id != candidate.entry_id
