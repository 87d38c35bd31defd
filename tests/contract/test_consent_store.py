"""The contract of `ConsentStore`."""

from dataclasses import replace
from typing import Any

import pytest

from cti.compliance.consents import NewConsent
from cti.compliance.facts import ConsentStanding, Wanted
from cti.contacts.staging import Bite
from cti.errors import NotFound
from cti.model.campaign_rules import Order
from cti.model.contacts import Candidate
from cti.model.imports import ImportOrder, ReadFile, StagedRow
from tests.builders import NOW, later, some_contacts
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign


async def two(store: Store) -> list[Candidate]:
    return await store.campaigns.next_candidates(await a_stored_campaign(store, contacts=2), limit=2)


def said(contact: Candidate, standing: ConsentStanding, seconds: float, evidence: str = "") -> NewConsent:
    return NewConsent(
        contact_id=contact.contact_id,
        standing=standing,
        at=later(seconds),
        source="web form",
        evidence=evidence,
    )


async def standing_of(store: Store, contact: Candidate) -> str | None:
    wanted = Wanted(campaign_id=contact.campaign_id, now=NOW)
    [facts] = await store.compliance.facts([contact], wanted)
    return facts.consent


async def test_consent_is_read_back_by_another_process_with_its_evidence(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    contact, silent = await two(store)

    [made] = await store.consents.record(
        [said(contact, ConsentStanding.GIVEN, -60, "同意接收来电")], by="anna", at=NOW
    )

    assert (made.standing, made.evidence, made.at) == (ConsentStanding.GIVEN, "同意接收来电", later(-60))
    assert (made.recorded_by, made.recorded_at) == ("anna", NOW)
    assert await other.consents.history(contact.contact_id) == [made]
    assert await standing_of(other, contact) == "given"
    assert await standing_of(other, silent) is None


async def test_what_was_said_last_holds(store: Store) -> None:
    contact, _ = await two(store)
    await store.consents.record([said(contact, ConsentStanding.GIVEN, -60)], by="anna", at=NOW)

    await store.consents.record([said(contact, ConsentStanding.WITHDRAWN, -30)], by="anna", at=later(1))

    assert await standing_of(store, contact) == "withdrawn"


async def test_what_was_said_earlier_and_written_down_later_changes_nothing(store: Store) -> None:
    contact, _ = await two(store)
    await store.consents.record([said(contact, ConsentStanding.WITHDRAWN, -30)], by="anna", at=NOW)

    await store.consents.record([said(contact, ConsentStanding.GIVEN, -60)], by="anna", at=later(1))

    assert await standing_of(store, contact) == "withdrawn"
    history = await store.consents.history(contact.contact_id)
    assert [one.standing for one in history] == [ConsentStanding.GIVEN, ConsentStanding.WITHDRAWN]


async def test_many_are_written_at_once_or_none(store: Store) -> None:
    first, second = await two(store)
    stranger = NewConsent(contact_id=999_999, standing=ConsentStanding.GIVEN, at=NOW, source="letter")

    with pytest.raises(NotFound, match="no contact 999999"):
        await store.consents.record([said(first, ConsentStanding.GIVEN, 0), stranger], by="anna", at=NOW)
    assert await standing_of(store, first) is None

    await store.consents.record(
        [said(one, ConsentStanding.GIVEN, 0) for one in (first, second)], by="anna", at=NOW
    )
    assert [await standing_of(store, one) for one in (first, second)] == ["given", "given"]


async def test_contacts_are_found_by_their_number(store: Store) -> None:
    first, _ = await two(store)

    assert await store.consents.contacts_of(first.number) == [first.contact_id]
    assert await store.consents.contacts_of("+4911111111") == []


async def imported(store: Store, **consent: Any) -> Candidate:
    campaign_id = await a_stored_campaign(store, contacts=0)
    [contact] = some_contacts(1)
    order = ImportOrder(campaign_id=campaign_id, name="bought", source="bought.csv", by="lead")
    new = await store.imports.add_import(order, file="f", size_bytes=10, at=NOW)
    read = ReadFile(encoding="utf-8", columns={}, rows=1, refused=0)
    begun = await store.imports.begin_writing(new.id, read, at=NOW)
    bite = Bite(rows=(StagedRow(line=2, contact=replace(contact, **consent)),), refused=(), end=7)
    await store.imports.write(begun, bite, order=Order.OLDEST, at=NOW)
    [found] = await store.campaigns.next_candidates(campaign_id, limit=1)
    return found


async def test_what_a_list_said_is_not_overruled_by_what_was_said_before_it(store: Store) -> None:
    contact = await imported(store, consent="withdrawn", consent_at=later(-30), consent_source="letter")

    await store.consents.record([said(contact, ConsentStanding.GIVEN, -60)], by="anna", at=later(1))

    assert await standing_of(store, contact) == "withdrawn"
    history = await store.consents.history(contact.contact_id)
    assert [(one.standing.value, one.at, one.source, one.recorded_by) for one in history] == [
        ("given", later(-60), "web form", "anna"),
        ("withdrawn", later(-30), "letter", "import"),
    ]


async def test_what_a_list_said_stands_in_the_history_from_the_beginning(store: Store) -> None:
    contact = await imported(store, consent="given")

    [line] = await store.consents.history(contact.contact_id)
    await store.consents.record([said(contact, ConsentStanding.WITHDRAWN, 60)], by="anna", at=later(60))

    assert (line.standing, line.source, line.recorded_by) == (ConsentStanding.GIVEN, "import", "import")
    assert await standing_of(store, contact) == "withdrawn"
    assert [one.standing.value for one in await store.consents.history(contact.contact_id)] == [
        "given",
        "withdrawn",
    ]
