"""The contract of `ComplianceStore`: what the gate is told of a contact and his number."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from cti.compliance.facts import NOTHING_KNOWN, Facts, Wanted
from cti.compliance.listings import NewListing
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.contacts import Candidate, EntryState
from cti.storage import tables
from cti.storage.database import Database
from tests.builders import NOW, a_candidate, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_campaign, call_for


async def stored_candidates(store: Store, count: int = 3, name: str = "autumn") -> list[Candidate]:
    campaign_id = await a_stored_campaign(store, contacts=count, name=name)
    return await store.campaigns.next_candidates(campaign_id, limit=count)


def wanting(candidate: Candidate, **given: Any) -> Wanted:
    return Wanted(**{"campaign_id": candidate.campaign_id, "now": NOW} | given)


def all_of(candidate: Candidate) -> Wanted:
    since = NOW - timedelta(days=2)
    return wanting(candidate, numbers_since=since, contacts_since=since, totals=True)


async def tried(store: Store, candidate: Candidate, seconds: float, **given: Any) -> None:
    """Place a call at so many seconds from NOW, and end it a minute later."""
    call = call_for(candidate, placed_at=later(seconds), id=f"{int(seconds) + 10**6:032x}")
    await store.calls.place([(call, None)])
    ended: dict[str, Any] = {
        "state": CallState.ENDED,
        "ended_at": later(seconds + 60),
        "outcome": Outcome.NO_ANSWER,
        "end_reason": EndReason.RING_TIMEOUT,
    }
    await store.calls.save([replace(call, **ended | given)])


async def test_of_a_contact_that_was_never_called_nothing_is_known(store: Store) -> None:
    candidates = await stored_candidates(store)

    assert await store.compliance.facts(candidates, all_of(candidates[0])) == [NOTHING_KNOWN] * 3


async def test_facts_come_in_the_order_of_the_question_also_for_contacts_there_are_not(store: Store) -> None:
    first, second, _ = await stored_candidates(store)
    await store.do_not_call.add([NewListing(key=second.number)], by="anna", at=NOW)
    stranger = a_candidate(contact_id=999_999, number=second.number)

    found = await store.compliance.facts([second, first, stranger], all_of(first))

    assert [bool(one.listed) for one in found] == [True, False, True]


async def test_attempts_are_told_newest_first_by_number_and_by_contact(store: Store) -> None:
    first, second, _ = await stored_candidates(store)
    for seconds in (-500, -900, -100):
        await tried(store, first, seconds)

    found = await store.compliance.facts([first, second], all_of(first))

    at = (later(-100), later(-500), later(-900))
    assert found == [Facts(number_attempts=at, contact_attempts=at, attempts_total=3), NOTHING_KNOWN]


async def test_only_what_is_wanted_is_told(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    await tried(store, first, -500)
    await tried(store, first, -100)

    [nothing] = await store.compliance.facts([first], wanting(first))
    [at_number] = await store.compliance.facts([first], wanting(first, numbers_since=later(-200)))
    [at_contact] = await store.compliance.facts([first], wanting(first, contacts_since=later(-200)))

    assert nothing == NOTHING_KNOWN
    assert at_number == Facts(number_attempts=(later(-100),))
    assert at_contact == Facts(contact_attempts=(later(-100),))


async def test_attempts_of_other_campaigns_count_for_the_number_and_the_day_but_not_in_all(
    store: Store,
) -> None:
    first, *_ = await stored_candidates(store)
    other, *_ = await stored_candidates(store, name="winter")
    await tried(store, replace(first, campaign_id=other.campaign_id, list_id=other.list_id), -100)

    [found] = await store.compliance.facts([first], all_of(first))

    assert (len(found.number_attempts), len(found.contact_attempts), found.attempts_total) == (1, 1, 0)


async def test_a_call_that_has_not_ended_counts(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    await store.calls.place([(call_for(first, placed_at=later(-5)), first)])

    [found] = await store.compliance.facts([first], all_of(first))

    assert found.number_attempts == (later(-5),)


async def test_an_order_that_never_left_counts_nowhere(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    await tried(store, first, -100, end_reason=EndReason.NOT_SENT, outcome=Outcome.FAILED)

    assert await store.compliance.facts([first], all_of(first)) == [NOTHING_KNOWN]


async def test_the_last_drop_is_told_by_its_end(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    for seconds in (-900, -500):
        await tried(store, first, seconds, outcome=Outcome.DROPPED)
    await tried(store, first, -100)

    [found] = await store.compliance.facts([first], all_of(first))

    assert found.last_drop_at == later(-440)


async def test_the_last_drop_is_the_one_that_ended_last(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    for seconds, ended in ((-600, -540), (-800, -400), (-700, -500)):
        await tried(store, first, seconds, outcome=Outcome.DROPPED, ended_at=later(ended))

    [found] = await store.compliance.facts([first], all_of(first))

    assert found.last_drop_at == later(-400)


@pytest.mark.parametrize(
    ("key", "listed"),
    [
        pytest.param("+493090000001", True, id="the number"),
        pytest.param("+493090000001*", True, id="all of the number as a beginning"),
        pytest.param("+4930*", True, id="its beginning"),
        pytest.param("+4*", True, id="its first digit"),
        pytest.param("+4930900000", False, id="a shorter number"),
        pytest.param("+4930900000012", False, id="a longer number"),
        pytest.param("+49309000000012*", False, id="a longer beginning"),
        pytest.param("+4931*", False, id="another beginning"),
    ],
)
async def test_a_number_falls_under_itself_and_its_beginnings(store: Store, key: str, listed: bool) -> None:
    await a_stored_campaign(store)
    candidate = a_candidate(number="+493090000001", contact_id=999_999)
    await store.do_not_call.add([NewListing(key=key, reason="asked")], by="anna", at=NOW)

    [found] = await store.compliance.facts([candidate], all_of(candidate))

    assert [(one.key, one.where, one.reason) for one in found.listed] == (
        [(key, "do-not-call list", "asked")] if listed else []
    )


async def test_an_entry_of_one_campaign_counts_there_alone(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    other = await a_stored_campaign(store, name="winter")
    await store.do_not_call.add([NewListing(key=first.number, campaign_id=other)], by="anna", at=NOW)

    [here] = await store.compliance.facts([first], all_of(first))
    [there] = await store.compliance.facts([first], replace(all_of(first), campaign_id=other))

    assert here.listed == ()
    assert [one.where for one in there.listed] == ["do-not-call list of this campaign"]


async def test_an_entry_ends_at_its_end(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    await store.do_not_call.add([NewListing(key=first.number, until=later(60))], by="anna", at=NOW)

    [before] = await store.compliance.facts([first], replace(all_of(first), now=later(59)))
    [after] = await store.compliance.facts([first], replace(all_of(first), now=later(60)))

    assert [one.until for one in before.listed] == [later(60)]
    assert after.listed == ()


async def test_only_a_register_that_is_finished_counts(store: Store) -> None:
    first, *_ = await stored_candidates(store)
    number = await store.do_not_call.begin_register(
        name="tps", source="tps.txt", as_of="2026-11-01", by="anna", at=NOW
    )
    await store.do_not_call.add_to_register(number, [first.number])

    [loading] = await store.compliance.facts([first], all_of(first))
    await store.do_not_call.finish_register(number, refused=0)
    [finished] = await store.compliance.facts([first], all_of(first))
    await store.do_not_call.end_register("tps")
    [ended] = await store.compliance.facts([first], all_of(first))

    assert loading.listed == ended.listed == ()
    assert [(one.where, one.is_register) for one in finished.listed] == [("register tps of 2026-11-01", True)]


async def test_the_contact_s_own_zone_and_stop_are_told(store: Store) -> None:
    first, second, _ = await stored_candidates(store)
    await note(store, first.contact_id, zone="Asia/Tokyo")
    await note(store, second.contact_id, stopped_at=NOW)

    found = await store.compliance.facts([first, second], all_of(first))

    assert [(one.zone, one.stopped_at) for one in found] == [("Asia/Tokyo", None), ("", NOW)]


async def test_a_thousand_candidates_are_told_at_once(store: Store) -> None:
    candidates = await stored_candidates(store, 1100)
    await store.do_not_call.add([NewListing(key=candidates[1099].number)], by="anna", at=NOW)

    found = await store.compliance.facts(candidates, all_of(candidates[0]))

    assert [bool(one.listed) for one in found] == [False] * 1099 + [True]


async def test_entries_come_by_state_and_in_pages(store: Store) -> None:
    candidates = await stored_candidates(store, 5)
    campaign_id = candidates[0].campaign_id

    first = await store.compliance.entries(campaign_id, EntryState.PENDING, limit=3)
    rest = await store.compliance.entries(campaign_id, EntryState.PENDING, after=first[-1].entry_id, limit=3)

    assert [one.number for one in first + rest] == [one.number for one in candidates]
    assert await store.compliance.entries(campaign_id, EntryState.DONE, limit=3) == []
    assert await store.compliance.entries(campaign_id, EntryState.PENDING, limit=3, list_id=999_999) == []


async def note(store: Store, contact_id: int, **values: Any) -> None:
    """Write a contact's fields that no store writes yet."""
    if isinstance(store, Database):
        change = update(tables.contacts).where(tables.contacts.c.id == contact_id).values(values)
        async with store.compliance._connections.writing() as connection:
            await connection.execute(change)
        return
    if "zone" in values:
        store.tables.contact_zones[contact_id] = values["zone"]
    if "stopped_at" in values:
        store.tables.stopped[contact_id] = values["stopped_at"]
