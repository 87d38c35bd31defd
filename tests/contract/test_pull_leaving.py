"""The contract of `PullStore`: who is over in the CRM, or opted out, leaves his list, and may come back."""

from dataclasses import replace

import pytest

from cti.compliance.listings import START
from cti.model.contacts import EntryState
from tests.builders import NOW, a_call, later, some_contacts
from tests.contract.conftest import Store
from tests.contract.pulled import RULES, a_campaign_in, a_page, a_record, contacts, the_contact, the_entry


@pytest.mark.parametrize("over", ["won", "lost", "merged", "archived"])
async def test_a_record_that_is_over_leaves_the_list_and_comes_back(store: Store, over: str) -> None:
    campaign = await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    gone = a_record(over=over, changed_at=later(1))
    standing = await store.pulls.take(RULES, a_page(gone, before="1", cursor="2"), at=later(1))

    entry = await the_entry(store)
    assert (entry.state, entry.reason, entry.reason_detail) == ("done", "crm_over", f"{over} in odoo")
    assert standing.counts["left"] == 1
    assert await store.campaigns.next_candidates(campaign.id, limit=9) == []
    (why,) = await store.reasons.history(contact_id=(await the_contact(store)).id, limit=9)
    assert (why.reason, why.detail) == ("crm_over", f"{over} in odoo")
    (told,) = await store.finding.changes((await the_contact(store)).id, limit=9)
    assert told.change["entries"][str(entry.id)]["state"] == ["pending", "done"]

    again = a_record(changed_at=later(2))
    standing = await store.pulls.take(RULES, a_page(again, before="2"), at=later(2))
    entry = await the_entry(store)
    assert (entry.state, entry.reason) == ("pending", None)
    assert standing.counts["back"] == 1


async def test_a_record_that_was_over_before_it_came_is_not_brought_in(store: Store) -> None:
    await a_campaign_in(store)

    standing = await store.pulls.take(RULES, a_page(a_record(over="won")), at=NOW)

    assert await contacts(store) == []
    assert standing.counts == {"passed": 1}
    earlier = a_record(changed_at=later(-60))  # a page that comes late
    await store.pulls.take(RULES, a_page(earlier, before="1"), at=later(1))
    assert await contacts(store) == []

    await store.pulls.take(RULES, a_page(a_record(changed_at=later(2)), before="1"), at=later(2))
    assert (await the_entry(store)).state == "pending"


async def test_whoever_is_done_here_is_not_brought_back(store: Store) -> None:
    campaign = await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    call = a_call(number=candidate.number, campaign_id=campaign.id, contact_id=candidate.contact_id)
    await store.calls.place([(call, candidate)])

    # a call that is under way is not touched
    over = a_record(over="lost", changed_at=later(1))
    await store.pulls.take(RULES, a_page(over, before="1", cursor="2"), at=later(1))
    assert (await the_entry(store)).state == EntryState.DIALING

    (standing,) = await store.pulls.entries([candidate.entry_id], pulls=[RULES.name])
    assert (standing.over, standing.seen_at) == ("lost", later(1))


async def test_whoever_opted_out_is_listed_and_leaves(store: Store) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    out = a_record(do_not_call=True, changed_at=later(1))
    for cursor in ("1", "2"):
        await store.pulls.take(RULES, a_page(out, before=cursor, cursor="2"), at=later(1))

    (listing,) = await store.do_not_call.listings(after=START, limit=9)
    assert (listing.key, listing.campaign_id, listing.added_by) == ("+49309018201", 0, "crm odoo")
    assert len(await store.do_not_call.history(listing.key)) == 1
    assert (await the_entry(store)).reason_detail == "opted out in odoo"

    await store.pulls.take(RULES, a_page(a_record(changed_at=later(2)), before="2"), at=later(2))
    assert len(await store.do_not_call.listings(after=START, limit=9)) == 1  # a person takes it back


async def test_opting_out_before_he_ever_came_counts(store: Store) -> None:
    await a_campaign_in(store)

    out = a_record(do_not_call=True)
    for cursor in ("", "1"):
        await store.pulls.take(RULES, a_page(out, before=cursor), at=NOW)

    assert await contacts(store) == []
    (listing,) = await store.do_not_call.listings(after=START, limit=9)
    assert len(await store.do_not_call.history(listing.key)) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_number_that_comes_after_the_opt_out_is_listed_too(store: Store, *, known: bool) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record(do_not_call=not known)), at=NOW)
    await store.pulls.take(
        RULES, a_page(a_record(do_not_call=True, changed_at=later(1)), before="1"), at=later(1)
    )

    both = ("030 9018201", "030 9018255")
    await store.pulls.take(
        RULES, a_page(a_record(do_not_call=True, numbers=both, changed_at=later(2)), before="1"), at=later(2)
    )

    keys = [one.key for one in await store.do_not_call.listings(after=START, limit=9)]
    assert sorted(keys) == ["+49309018201", "+49309018255"]
    assert len(await store.do_not_call.history("+49309018201")) == 1


async def test_who_opts_out_is_called_on_none_of_his_numbers(store: Store) -> None:
    """Also not on one that the CRM does not know: he spoke for himself, not for a number."""
    campaign = await a_campaign_in(store)
    (ours,) = some_contacts(1)
    ours = replace(ours, crm_ref="odoo/crm.lead:1")
    await store.campaigns.add_list(campaign_id=campaign.id, name="fair", source="t", contacts=[ours], at=NOW)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)

    await store.pulls.take(
        RULES, a_page(a_record(do_not_call=True, changed_at=later(1)), before="1"), at=later(1)
    )

    keys = {one.key for one in await store.do_not_call.listings(after=START, limit=9)}
    assert keys == {"+49309018201", *(number.e164 for number in ours.numbers)}


async def test_a_consent_that_is_withdrawn_is_written_with_its_history(store: Store) -> None:
    await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record(consent=True)), at=NOW)

    await store.pulls.take(
        RULES, a_page(a_record(consent=False, changed_at=later(9)), before="1"), at=later(10)
    )

    one = await the_contact(store)
    assert (one.consent, one.consent_at, one.consent_source) == ("withdrawn", later(9), "crm odoo")
    lines = await store.consents.history(one.id)
    assert [(line.standing.value, line.evidence) for line in lines] == [
        ("given", ""),
        ("withdrawn", "odoo/crm.lead:1"),
    ]


async def test_many_records_of_one_page_leave_at_once(store: Store) -> None:
    campaign = await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(*(a_record(n) for n in range(1, 5))), at=NOW)

    over = [a_record(n, over="won", changed_at=later(1)) for n in range(1, 4)]
    await store.pulls.take(RULES, a_page(*over, before="1"), at=later(2))

    left = await store.campaigns.next_candidates(campaign.id, limit=9)
    assert [one.crm_ref for one in left] == ["odoo/crm.lead:4"]
