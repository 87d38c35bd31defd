"""Click to call: one contact for one agent, under all rules."""

import pytest

from cti.errors import Conflict, NodeDown, NotFound
from cti.model.agents import AgentState
from cti.model.calls import Outcome
from cti.model.contacts import Campaign, CampaignState, EntryState, Mode
from cti.model.verdicts import SkipReason, Verdict
from tests.unit.dialer.floor import Floor


async def a_manual_campaign(floor: Floor, **given: object) -> tuple[Campaign, int]:
    campaign = await floor.campaign(2, mode=Mode.MANUAL, **given)
    await floor.agents(1, campaign)
    return campaign, next(iter(floor.store.tables.contacts))


async def test_the_contact_is_called_and_the_agent_kept_for_him(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    call = await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    assert [placed.id for placed in floor.lines.placed] == [call.id]
    assert (call.contact_id, call.mode) == (contact, "manual")
    assert floor.desk.named("agent1").state is AgentState.RESERVED


async def test_a_manual_campaign_dials_nobody_by_itself_and_does_not_finish(floor: Floor) -> None:
    campaign, _ = await a_manual_campaign(floor)
    for entry in floor.store.tables.entries.values():
        entry.state = EntryState.DONE
    await floor.engine.step()
    assert not floor.lines.placed
    assert floor.campaigns.get(campaign.id).state is CampaignState.RUNNING


async def test_what_a_rule_forbids_is_refused_in_its_words(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    number = floor.store.tables.contacts[contact].numbers[0].e164
    refusal = Verdict(allowed=False, reason=SkipReason.OUTSIDE_HOURS, detail="until 08:00 Europe/Berlin")
    floor.gate.verdicts[number] = refusal
    with pytest.raises(Conflict, match="until 08:00"):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    assert not floor.lines.placed


async def test_somebody_elses_contact_is_refused(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    [entry] = [one for one in floor.store.tables.entries.values() if one.contact_id == contact]
    entry.owner_key = 999
    with pytest.raises(Conflict, match="somebody else"):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)


async def test_who_is_on_a_call_cannot_call(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    with pytest.raises(Conflict, match="only who is ready"):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)


async def test_a_contact_who_is_being_called_is_not_called_a_second_time(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    call = await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    floor.desk.release(floor.desk.named("agent1").id, call.id)
    with pytest.raises(Conflict, match="being called already"):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)


async def test_who_is_done_with_in_the_list_may_be_called_again(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    floor.end(floor.lines.placed[0].id, Outcome.NO_ANSWER)
    for entry in floor.store.tables.entries.values():
        entry.state = EntryState.DONE
    again = await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    assert again.list_id is None
    assert len(floor.lines.placed) == 2


async def test_a_waiting_contact_is_called_before_his_time_and_waits_no_more(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    [entry] = [one for one in floor.store.tables.entries.values() if one.contact_id == contact]
    entry.state = EntryState.WAITING
    await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    assert entry.state is EntryState.DIALING


async def test_a_stopped_campaign_an_unknown_contact_and_a_dead_node_are_told_apart(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    with pytest.raises(NotFound, match="no contact 12345"):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=12345)
    floor.lines.up = False
    with pytest.raises(NodeDown):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)
    floor.lines.up = True
    await floor.campaigns.stop(campaign.id)
    with pytest.raises(Conflict, match="start it first"):
        await floor.by_hand.call("agent1", campaign_id=campaign.id, contact_id=contact)


async def test_the_call_belongs_to_the_record_it_was_asked_for_from(floor: Floor) -> None:
    campaign, contact = await a_manual_campaign(floor)
    call = await floor.by_hand.call(
        "agent1", campaign_id=campaign.id, contact_id=contact, crm_ref="crm.lead/4711"
    )
    assert call.crm_ref == "crm.lead/4711"
    stored = await floor.store.calls.get(call.id)
    assert stored is not None
    assert stored.crm_ref == "crm.lead/4711"
