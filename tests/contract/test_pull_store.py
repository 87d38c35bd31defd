"""The contract of `PullStore`: records become contacts once, and are kept in step."""

from dataclasses import replace

import pytest

from cti.contacts.edits import Edit, edited
from cti.errors import Conflict, NotFound
from cti.model.call_record import call_record
from cti.model.crm_pulls import CrmDeal
from cti.model.queries import CallFilter
from cti.model.standing import Parked
from cti.model.verdicts import SkipReason
from tests.builders import NOW, a_call, later, some_contacts
from tests.contract.conftest import Store
from tests.contract.pulled import (
    RULES,
    a_campaign_in,
    a_page,
    a_record,
    contacts,
    read,
    the_contact,
    the_entry,
)


async def test_a_record_becomes_a_contact_with_a_place_in_the_list(store: Store) -> None:
    campaign = await a_campaign_in(store)
    anna = await store.agents.add_agent(
        login="anna", name="Anna", endpoint="a", node="pbx", campaign_ids=(campaign.id,)
    )
    record = a_record(
        owner="Anna@example.com",
        zone="Europe/Berlin",
        stage="new",
        customer="odoo/res.partner:4",
        consent=True,
        fields={"city": "Köln"},
        tags=("vip",),
        deal=CrmDeal(ref="odoo/crm.lead:1", name="Roof", stage="Offer", amount=1200.0, currency="EUR"),
    )

    standing = await store.pulls.take(RULES, a_page(record, more=True), at=NOW)

    one, entry = await the_contact(store), await the_entry(store)
    assert (one.name, one.crm_ref, one.crm_customer, one.crm_deal) == (
        "Lead 1",
        "odoo/crm.lead:1",
        "odoo/res.partner:4",
        "odoo/crm.lead:1",
    )
    assert one.deal == {
        "ref": "odoo/crm.lead:1",
        "name": "Roof",
        "stage": "Offer",
        "amount": 1200.0,
        "currency": "EUR",
    }
    assert [number.e164 for number in one.numbers] == ["+493090182" + "01"]
    assert (one.owner_agent_id, one.zone, one.stage, one.consent) == (
        anna.id,
        "Europe/Berlin",
        "new",
        "given",
    )
    assert (dict(one.fields), one.tags) == ({"city": "Köln"}, ("vip",))
    assert (entry.list, entry.state, entry.priority) == ("odoo-leads", "pending", 7)
    assert (standing.cursor, standing.more, standing.page_at) == ("1", True, NOW)
    assert standing.counts == {"added": 1}
    card = await store.cards.card(one.id)
    assert card is not None
    assert card.deal is not None
    assert card.deal["stage"] == "Offer"
    call = a_call(campaign_id=campaign.id, contact_id=one.id)
    await store.calls.place([(call, None)])
    (row,) = await store.facts.call_rows(CallFilter())
    assert call_record(row)["deal"] == one.deal
    assert call_record(call)["deal"] is None


async def test_the_same_record_again_is_no_change_and_no_double(store: Store) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)
    before = await the_contact(store)

    standing = await store.pulls.take(RULES, a_page(a_record(), a_record(), before="1"), at=later(60))

    assert await the_contact(store) == before
    assert standing.counts == {"added": 1, "unchanged": 1}
    assert await store.finding.changes(before.id, limit=9) == []


async def test_a_page_asked_with_another_cursor_is_not_taken(store: Store) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    with pytest.raises(Conflict, match="moved on"):
        await store.pulls.take(RULES, a_page(a_record(2)), at=NOW)

    assert len(await contacts(store)) == 1


async def test_without_its_campaign_nothing_is_taken_and_the_cursor_stays(store: Store) -> None:
    with pytest.raises(NotFound, match="autumn"):
        await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    assert (await store.pulls.standing(RULES.name)).cursor == ""


async def test_only_what_the_crm_says_otherwise_is_taken(store: Store) -> None:
    """Our own edits stay until somebody changes the same thing there."""
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record(stage="new", fields={"city": "Köln"})), at=NOW)
    one = await the_contact(store)
    ours = Edit(columns={"name": "Herr Meier", "stage": "hot"}, fields={"pet": "dog"})
    await store.finding.change(
        one.id, lambda subject: edited(subject, ours, orders={}), kind="edit", by="anna", at=NOW
    )

    changed = a_record(stage="new", fields={"city": "Bonn"}, changed_at=later(60))
    await store.pulls.take(RULES, a_page(changed, before="1", cursor="2"), at=later(60))
    one = await the_contact(store)
    assert (one.name, one.stage) == ("Herr Meier", "hot")
    assert dict(one.fields) == {"city": "Bonn", "pet": "dog"}

    renamed = replace(changed, name="Frau Meier", changed_at=later(120))
    await store.pulls.take(RULES, a_page(renamed, before="2", cursor="3"), at=later(120))
    one = await the_contact(store)
    assert (one.name, one.stage) == ("Frau Meier", "hot")
    told = (await store.finding.changes(one.id, limit=9))[0]
    assert (told.kind, told.by, told.change["contact"]["name"]) == (
        "crm",
        "crm odoo",
        ["Herr Meier", "Frau Meier"],
    )


async def test_numbers_follow_the_crm_and_ours_stay(store: Store) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    moved = a_record(numbers=("0171 2345678", "030 9018203"), changed_at=later(1))
    await store.pulls.take(RULES, a_page(moved, before="1"), at=later(1))

    assert [number.e164 for number in (await the_contact(store)).numbers] == [
        "+491712345678",
        "+49309018203",
    ]
    (candidate,) = await store.campaigns.next_candidates((await the_entry(store)).campaign_id, limit=9)
    assert candidate.number == "+491712345678"


async def test_an_older_reading_changes_nothing(store: Store) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record(name="New", changed_at=later(60))), at=NOW)

    standing = await store.pulls.take(RULES, a_page(a_record(name="Old"), before="1"), at=later(61))

    assert (await the_contact(store)).name == "New"
    assert standing.counts == {"added": 1, "older": 1}


async def test_what_cannot_be_taken_is_told_by_record(store: Store) -> None:
    await a_campaign_in(store)
    bad = a_record(1, numbers=("call me",))
    half = a_record(2, numbers=("12", "0171 2345678"), zone="Mars")
    none = a_record(3, numbers=())
    good = a_record(4)

    standing = await store.pulls.take(RULES, a_page(bad, half, none, good), at=NOW)

    assert [one.crm_ref for one in await contacts(store)] == ["odoo/crm.lead:2", "odoo/crm.lead:4"]
    assert standing.counts == {"added": 2, "refused": 2, "problems": 1}
    problems = await store.pulls.problems(RULES.name)
    assert [(one.ref[-1], one.refused) for one in problems] == [("1", True), ("2", False), ("3", True)]
    assert "call me" in problems[0].reason
    assert "Mars" in problems[1].reason
    assert problems[2].reason == "no number"
    assert await store.pulls.counts(RULES.name) == (4, 3)

    mended = a_record(1, changed_at=later(1))
    await store.pulls.take(RULES, a_page(mended, before="1"), at=later(1))
    assert len(await contacts(store)) == 3


async def test_a_contact_of_ours_with_the_number_is_taken_over_once(store: Store) -> None:
    campaign = await a_campaign_in(store)
    (ours,) = some_contacts(1)
    ours = replace(ours, name="")
    await store.campaigns.add_list(campaign_id=campaign.id, name="l", source="t", contacts=[ours], at=NOW)
    number = ours.numbers[0].e164

    page = a_page(a_record(1, numbers=(number,)), a_record(2, numbers=(number,)))
    standing = await store.pulls.take(RULES, page, at=NOW)

    assert [(one.name, one.crm_ref) for one in await contacts(store)] == [
        ("Lead 1", "odoo/crm.lead:1"),
        ("Lead 2", "odoo/crm.lead:2"),
    ]
    assert standing.counts == {"joined": 1, "added": 1}
    entries = [await store.finding.entries(one.id) for one in await contacts(store)]
    assert [[entry.list for entry in some] for some in entries] == [["l"], ["odoo-leads"]]


async def test_a_list_s_reference_is_the_record_with_and_without_the_crm_s_name(store: Store) -> None:
    campaign = await a_campaign_in(store)
    (ours,) = some_contacts(1)
    ours = replace(ours, crm_ref="crm.lead:1")
    await store.campaigns.add_list(campaign_id=campaign.id, name="l", source="t", contacts=[ours], at=NOW)

    await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    assert (await the_contact(store)).crm_ref == "odoo/crm.lead:1"


async def test_owners_follow_the_crm_while_they_are_its_own(store: Store) -> None:
    campaign = await a_campaign_in(store)
    anna, ben, eva = [
        await store.agents.add_agent(
            login=login, name=login, endpoint=login, node="pbx", campaign_ids=(campaign.id,)
        )
        for login in ("anna", "ben", "eva")
    ]
    del eva

    async def owner_after(cursor: str, owner: str | None, at: int) -> int | None:
        record = a_record(owner=owner, changed_at=later(at))
        await store.pulls.take(RULES, a_page(record, before=cursor), at=later(at))
        return (await the_contact(store)).owner_agent_id

    assert await owner_after("", "anna", 0) == anna.id
    assert await owner_after("1", "ben@example.com", 1) == ben.id
    assert await owner_after("1", "somebody else", 2) is None
    assert await owner_after("1", None, 3) is None
    assert await owner_after("1", "anna", 4) == anna.id
    standing = await store.pulls.standing(RULES.name)
    assert standing.counts["owner_unknown"] == 1
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    assert candidate.owner_agent_id == anna.id

    ignoring = replace(RULES, owners=False)
    record = a_record(owner="ben", changed_at=later(5))
    await store.pulls.take(ignoring, a_page(record, before="1"), at=later(5))
    assert (await the_contact(store)).owner_agent_id == anna.id


async def test_a_dry_run_writes_nothing_but_what_it_would_do(store: Store) -> None:
    await a_campaign_in(store)
    dry = replace(RULES, dry_run=True)

    standing = await store.pulls.take(dry, a_page(a_record(1), a_record(2, numbers=())), at=NOW)

    assert (standing.cursor, standing.counts) == ("1", {"added": 1, "refused": 1})
    assert await contacts(store) == []
    assert await store.pulls.counts(RULES.name) == (0, 0)
    assert (await store.pulls.standing(RULES.name)).cursor == ""


async def test_what_is_dialed_next_and_was_read_long_ago_is_told(store: Store) -> None:
    campaign = await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record(1), a_record(2)), at=NOW)
    await store.pulls.take(RULES, read(a_record(2)), at=later(60))

    assert await store.pulls.stale(RULES, before=later(1), limit=9) == ["odoo/crm.lead:1"]
    assert await store.pulls.stale(RULES, before=NOW, limit=9) == []
    assert await store.pulls.open_refs(RULES, after="", limit=9) == ["odoo/crm.lead:1", "odoo/crm.lead:2"]
    assert await store.pulls.open_refs(RULES, after="odoo/crm.lead:1", limit=9) == ["odoo/crm.lead:2"]
    del campaign


async def test_follow_ups_that_the_crm_names_wait_until_they_are_dealt_with(store: Store) -> None:
    await a_campaign_in(store)
    record = a_record(next_follow_up_at=later(3600), next_follow_up_on=NOW.date())
    await store.pulls.take(RULES, a_page(record), at=NOW)

    (wanted,) = await store.pulls.follow_ups(RULES.name, limit=9)
    assert (wanted.ref, wanted.at, wanted.day) == ("odoo/crm.lead:1", later(3600), NOW.date())
    await store.pulls.followed_up(RULES.name, wanted.ref, later(1))  # another one: it stays
    assert await store.pulls.follow_ups(RULES.name, limit=9) == [wanted]
    await store.pulls.followed_up(RULES.name, wanted.ref, wanted.at)
    await store.pulls.take(RULES, a_page(record, before="1"), at=later(1))
    assert await store.pulls.follow_ups(RULES.name, limit=9) == []

    await store.pulls.take(RULES, a_page(a_record(changed_at=later(2)), before="1"), at=later(2))
    (wanted,) = await store.pulls.follow_ups(RULES.name, limit=9)
    assert (wanted.at, wanted.day) == (None, None)


async def test_a_crm_that_went_back_in_time_holds_nobody_back_for_ever(store: Store) -> None:
    """Its backup was restored: what it says is older than what we know, and we know it was asked."""
    campaign = await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record(name="Newer", changed_at=later(5))), at=later(5))
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    held = Parked(candidate=candidate, reason=SkipReason.CRM_STALE, until=later(99_999))
    await store.queue.park([held], at=later(4000))

    overtaken = a_page(a_record(), before="1")
    await store.pulls.take(RULES, overtaken, at=later(4100))
    assert await store.pulls.stale(RULES, before=later(4000), limit=9) == ["odoo/crm.lead:1"]
    standing = await store.pulls.take(RULES, read(a_record()), at=later(4200))

    assert await store.pulls.stale(RULES, before=later(4000), limit=9) == []
    assert (await the_contact(store)).name == "Newer"
    assert (await the_entry(store)).state == "pending"
    assert standing.counts["older"] == 2
