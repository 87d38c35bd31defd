"""The contract of `CampaignStore`."""

from dataclasses import replace

import pytest

from cti.errors import Conflict, NotFound
from cti.model.contacts import CampaignState, NewContact, NewNumber, RowRefused
from tests.builders import NOW, a_campaign, some_contacts
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign


async def test_a_campaign_is_read_back_by_another_process(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    wanted = a_campaign(
        name="秋天", ring_seconds=22.5, wrap_up_seconds=15.0, record=False, max_lines=7, caller_id="+49301"
    )

    stored = await store.campaigns.add_campaign(wanted)

    assert stored == replace(wanted, id=stored.id)
    assert await other.campaigns.campaigns() == [stored]


async def test_a_campaign_s_name_is_taken_once(store: Store) -> None:
    await store.campaigns.add_campaign(a_campaign(name="autumn"))

    with pytest.raises(Conflict, match="autumn"):
        await store.campaigns.add_campaign(a_campaign(name="autumn"))


async def test_a_campaign_changes_its_state(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)

    await store.campaigns.set_state(campaign_id, CampaignState.PAUSED)

    assert [campaign.state for campaign in await store.campaigns.campaigns()] == [CampaignState.PAUSED]


async def test_an_unknown_campaign_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.campaigns.set_state(77, CampaignState.RUNNING)
    with pytest.raises(NotFound):
        await store.campaigns.progress(77)
    with pytest.raises(NotFound):
        await store.campaigns.add_list(campaign_id=77, name="a", source="a", contacts=[], at=NOW)


async def test_candidates_come_in_the_order_of_the_file(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1200)

    candidates = await store.campaigns.next_candidates(campaign_id, limit=5000)

    assert [one.name for one in candidates] == [contact.name for contact in some_contacts(1200)]
    assert [one.number for one in candidates] == [contact.numbers[0].e164 for contact in some_contacts(1200)]


async def test_candidates_are_at_most_so_many_and_skip_those_in_hand(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=5)
    everyone = await store.campaigns.next_candidates(campaign_id, limit=5)

    found = await store.campaigns.next_candidates(
        campaign_id, limit=2, skip=[everyone[0].entry_id, everyone[2].entry_id]
    )

    assert found == [everyone[1], everyone[3]]


async def test_a_candidate_carries_the_preferred_number_and_the_crm_s_reference(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    contact = NewContact(
        name='O\'Brien "王" | , ; $',
        numbers=(
            NewNumber(e164="+4930111", raw="030 111", zone="Europe/Berlin"),
            NewNumber(e164="+4930222", raw="222"),
        ),
        crm_ref="lead/4",
        fields={"city": "北京"},
    )

    await store.campaigns.add_list(
        campaign_id=campaign_id, name="b", source="b.csv", contacts=[contact], at=NOW
    )

    (found,) = await store.campaigns.next_candidates(campaign_id, limit=9)
    assert (found.name, found.number, found.crm_ref, found.tries) == (contact.name, "+4930111", "lead/4", 0)
    assert (found.campaign_id, found.owner_agent_id) == (campaign_id, None)


async def test_candidates_belong_to_their_campaign(store: Store) -> None:
    one, two = (
        await a_stored_campaign(store, name="one"),
        await a_stored_campaign(store, name="two", contacts=1),
    )

    assert {found.campaign_id for found in await store.campaigns.next_candidates(one, limit=9)} == {one}
    assert len(await store.campaigns.next_candidates(two, limit=9)) == 1
    assert await store.campaigns.next_candidates(two + 1000, limit=9) == []


async def test_an_import_says_what_was_taken_and_what_not(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    refused = (RowRefused(line=3, reason="no number"), RowRefused(line=9, reason="a NUL"))

    result = await store.campaigns.add_list(
        campaign_id=campaign_id, name="b", source="b.csv", contacts=some_contacts(4), refused=refused, at=NOW
    )

    assert (result.taken, result.refused) == (4, refused)
    assert (await store.campaigns.progress(campaign_id)).total == 4


async def test_a_list_s_name_is_taken_once_in_a_campaign(store: Store) -> None:
    one, two = (
        await a_stored_campaign(store, name="one"),
        await a_stored_campaign(store, name="two", contacts=0),
    )

    with pytest.raises(Conflict, match="first"):
        await store.campaigns.add_list(
            campaign_id=one, name="first", source="", contacts=some_contacts(2), at=NOW
        )

    assert (await store.campaigns.progress(one)).total == 3
    await store.campaigns.add_list(campaign_id=two, name="second", source="", contacts=[], at=NOW)


async def test_an_empty_campaign_s_progress_is_zero(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)

    progress = await store.campaigns.progress(campaign_id)

    assert (progress.total, progress.pending, progress.dialing, progress.done) == (0, 0, 0, 0)
    assert progress.outcomes == {}
    assert progress.updated_at is None
