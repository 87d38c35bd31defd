"""The engine: commits, then dials; one call per free agent; nobody twice."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cti.dialer.refusals import IN_A_ROW
from cti.errors import BadInput, NodeRefused, NodeSilent, NotFound, StorageError
from cti.model.agents import AgentState
from cti.model.calls import Call, EndReason, Outcome
from cti.model.contacts import CampaignState, Candidate, EntryState
from cti.model.events import CallMoved, ContactAdded, LegGone, NodeLost, NodeUp
from cti.model.verdicts import Verdict
from cti.pacing.floor import Decision
from tests.unit.dialer.floor import Floor
from tests.waiting import until


async def write(floor: Floor) -> None:
    """Store what was told of calls, as the journal does."""
    await floor.store.calls.save([event.call for event in floor.told if isinstance(event, CallMoved)])


async def test_one_call_is_placed_for_each_free_agent(floor: Floor) -> None:
    campaign = await floor.campaign(10)
    agents = await floor.agents(3, campaign)
    await floor.engine.step()
    await floor.engine.step()
    assert {call.agent_id for call in floor.lines.placed} == {agent.id for agent in agents}
    assert len(floor.lines.placed) == 3
    assert all(agent.state is AgentState.RESERVED for agent in floor.desk.agents())


async def test_the_attempt_is_committed_before_the_order_leaves(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    committed_first: list[bool] = []
    place = floor.lines.place

    async def look(call: Call, **order: Any) -> None:
        committed_first.append(await floor.store.calls.get(call.id) is not None)
        await place(call, **order)

    floor.lines.place = look  # type: ignore[method-assign]
    await floor.engine.step()
    assert committed_first == [True]


async def test_an_unanswered_call_frees_its_agent_for_the_next(floor: Floor) -> None:
    campaign = await floor.campaign(2)
    await floor.agents(1, campaign)
    await floor.engine.step()
    floor.end(floor.lines.placed[0].id)
    await floor.engine.step()
    assert len({call.number for call in floor.lines.placed}) == 2


async def test_nothing_is_dialed_while_the_node_is_away(floor: Floor) -> None:
    campaign = await floor.campaign(2)
    await floor.agents(1, campaign)
    floor.lines.up = False
    await floor.engine.step()
    assert not floor.store.tables.calls


async def test_an_order_that_never_left_gives_agent_and_contact_back(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    connected = floor.lines.connected
    floor.lines.connected = lambda node: True  # type: ignore[method-assign]
    floor.lines.up = False
    await floor.engine.step()
    floor.lines.connected = connected  # type: ignore[method-assign]
    floor.lines.up = True
    ended = [e.call for e in floor.told if isinstance(e, CallMoved) and e.call.ended]
    assert [call.end_reason for call in ended] == [EndReason.NOT_SENT]
    assert floor.desk.named("agent1").state is AgentState.READY


async def test_a_refused_order_ends_as_failed_with_asterisks_words(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    floor.lines.refusals["place"] = [NodeRefused("Extension does not exist.")]
    await floor.engine.step()
    ended = [e.call for e in floor.told if isinstance(e, CallMoved) and e.call.ended]
    assert [(call.end_reason, call.cause_text) for call in ended] == [
        (EndReason.REFUSED, "Extension does not exist.")
    ]


async def test_an_order_without_an_answer_is_neither_ended_nor_sent_again(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    floor.lines.refusals["place"] = [NodeSilent("no answer")]
    await floor.engine.step()
    await floor.engine.step()
    assert len(floor.followed.calls) == 1
    assert not floor.lines.placed


async def test_a_contact_that_another_engine_took_is_not_dialed(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)

    async def taken(calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        return []

    floor.store.calls.place = taken  # type: ignore[method-assign]
    await floor.engine.step()
    assert not floor.lines.placed
    assert floor.desk.named("agent1").state is AgentState.READY


async def test_placing_goes_on_when_the_database_is_back(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.dialer.placing.AWAY_SECONDS", 0.0)
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    place = floor.store.calls.place
    tries: list[list[str]] = []

    async def away_at_first(calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        tries.append([call.id for call, _ in calls])
        if len(tries) < 3:
            raise StorageError("the database is away", temporary=True)
        return await place(calls)

    floor.store.calls.place = away_at_first  # type: ignore[method-assign]
    await floor.engine.step()
    assert len(floor.lines.placed) == 1
    assert tries[0] == tries[1] == tries[2], "the same call is committed again, not another one"


async def test_a_refusal_of_the_database_frees_the_agents(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)

    async def refuses(calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        raise StorageError("no such table", temporary=False)

    floor.store.calls.place = refuses  # type: ignore[method-assign]
    monkeypatch.setattr("cti.dialer.placing.AWAY_SECONDS", 0.0)
    await floor.engine.step()
    assert floor.desk.named("agent1").state is AgentState.READY
    assert not floor.lines.placed


async def test_no_more_calls_than_lines(floor: Floor) -> None:
    campaign = await floor.campaign(10, max_lines=2)
    await floor.agents(5, campaign)
    await floor.engine.step()
    assert len(floor.lines.placed) == 2


async def test_the_campaign_is_finished_when_its_last_call_has_ended(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(2, campaign)
    await floor.engine.step()
    await floor.engine.step()
    assert floor.campaigns.get(campaign.id).state is CampaignState.RUNNING
    floor.end(floor.lines.placed[0].id)
    await floor.engine.step()
    assert floor.campaigns.get(campaign.id).state is CampaignState.RUNNING, "its outcome is not written yet"
    await write(floor)
    await floor.engine.step()
    assert floor.campaigns.get(campaign.id).state is CampaignState.FINISHED


async def test_the_campaign_is_finished_also_when_no_agent_is_left(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    await floor.engine.step()
    leg = floor.desk.named("agent1").channel_id or ""
    now = floor.clock.now()
    floor.bus.publish(LegGone(channel_id=leg, node="pbx", cause=16, cause_text="Normal Clearing", at=now))
    floor.end(floor.lines.placed[0].id, Outcome.DROPPED)
    await write(floor)
    await floor.engine.step()
    assert floor.campaigns.get(campaign.id).state is CampaignState.FINISHED


async def test_a_pacing_without_agents_reserves_nobody() -> None:
    floor = Floor(pacing=lambda seen: Decision(calls=4 - seen.placed, why="four", reserve=False))
    await floor.campaign(10)
    await floor.engine.step()
    await floor.engine.step()
    assert len(floor.lines.placed) == 4
    assert {call.agent_id for call in floor.lines.placed} == {None}


async def test_an_outcome_is_told_once_and_lines_are_free_again(floor: Floor) -> None:
    campaign = await floor.campaign(3, max_lines=1)
    await floor.agents(1, campaign)
    for _ in range(3):
        await floor.engine.step()
        floor.end(floor.lines.placed[-1].id, Outcome.BUSY)
    assert len(floor.lines.placed) == 3
    assert floor.engine.floor(campaign).open_calls == 0


async def test_no_call_is_placed_for_an_agent_whose_leg_is_on_another_node(floor: Floor) -> None:
    campaign = await floor.campaign(2)
    await floor.desk.add(
        login="anna", name="Anna", endpoint="a009", node="elsewhere", campaign_ids=[campaign.id]
    )
    await floor.log_in("anna")
    await floor.engine.step()
    assert not floor.lines.placed
    assert floor.engine.floor(campaign).idle_agents == 0


@pytest.mark.parametrize("error", [NotFound("no such campaign"), RuntimeError("a bug")])
async def test_whatever_goes_wrong_at_the_commit_frees_the_agents(floor: Floor, error: Exception) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)

    async def fails(calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        raise error

    floor.store.calls.place = fails  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        await floor.engine.step()
    assert floor.desk.named("agent1").state is AgentState.READY
    assert floor.engine.floor(campaign).open_calls == 0


async def commit_takes(floor: Floor, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let the next commits take so long."""
    place = floor.store.calls.place

    async def slow(calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        committed = await place(calls)
        floor.clock.advance(seconds)
        meanwhile()
        return committed

    floor.store.calls.place = slow  # type: ignore[method-assign]


def ends(floor: Floor) -> list[EndReason | None]:
    return [e.call.end_reason for e in floor.told if isinstance(e, CallMoved) and e.call.ended]


async def test_nobody_is_dialed_whose_commit_took_too_long(floor: Floor) -> None:
    """By then his call counts as overdue, and the moment it was placed at is wrong."""
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    await commit_takes(floor, 60)
    await floor.engine.step()
    assert not floor.lines.placed
    assert ends(floor) == [EndReason.NOT_SENT]
    assert floor.desk.named("agent1").state is AgentState.READY


async def test_nobody_is_dialed_for_an_agent_who_went_away_meanwhile(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    leg = floor.desk.named("agent1").channel_id or ""
    gone = LegGone(channel_id=leg, node="pbx", cause=16, cause_text=None, at=floor.clock.now())
    await commit_takes(floor, 0.1, lambda: floor.bus.publish(gone))
    await floor.engine.step()
    assert not floor.lines.placed
    assert ends(floor) == [EndReason.NOT_SENT]


async def test_nobody_is_dialed_for_a_campaign_that_was_stopped_meanwhile(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    place = floor.store.calls.place

    async def stopped_meanwhile(calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        committed = await place(calls)
        await floor.campaigns.stop(campaign.id)
        return committed

    floor.store.calls.place = stopped_meanwhile  # type: ignore[method-assign]
    await floor.engine.step()
    assert not floor.lines.placed
    assert ends(floor) == [EndReason.NOT_SENT]


async def test_a_campaign_whose_last_call_ended_before_the_restart_is_finished_after_it(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    await floor.engine.step()
    floor.end(floor.lines.placed[0].id)
    await write(floor)
    restarted = Floor(store=floor.store)
    await restarted.campaigns.load()
    run = asyncio.create_task(restarted.engine.run())
    await until(lambda: restarted.campaigns.get(campaign.id).state is CampaignState.FINISHED)
    run.cancel()
    await asyncio.wait({run})


async def test_nothing_is_dialed_before_it_is_known_what_is_up_on_the_node(floor: Floor) -> None:
    """Connected again, an Asterisk may have lost the legs of all who still count as ready."""
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    floor.bus.publish(NodeLost(node="pbx", reason="the wire was cut", at=floor.clock.now()))
    await floor.engine.step()
    assert not floor.lines.placed
    floor.bus.publish(NodeUp(node="pbx", version="22", restarted=False, at=floor.clock.now()))
    await floor.engine.step()
    assert len(floor.lines.placed) == 1


async def test_nothing_is_dialed_at_the_start_before_the_node_was_asked() -> None:
    floor = Floor(unasked=["pbx"])
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    await floor.engine.step()
    assert not floor.lines.placed
    floor.bus.publish(NodeUp(node="pbx", version="22", restarted=False, at=floor.clock.now()))
    await floor.engine.step()
    assert len(floor.lines.placed) == 1


async def refuse(floor: Floor, times: int) -> None:
    """Let the node refuse as many orders, one by one."""
    for _ in range(times):
        floor.lines.refusals["place"] = [NodeRefused("Extension does not exist.")]
        await floor.engine.step()
    floor.lines.refusals.clear()


async def test_a_campaign_is_paused_when_the_node_refuses_everything(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    campaign = await floor.campaign(20)
    await floor.agents(1, campaign)
    await refuse(floor, IN_A_ROW + 3)
    assert floor.campaigns.get(campaign.id).state is CampaignState.PAUSED
    assert len([e for e in floor.told if isinstance(e, CallMoved) and e.call.ended]) == IN_A_ROW
    assert "Extension does not exist." in caplog.text


async def test_a_paused_campaign_may_try_again_when_it_is_started(floor: Floor) -> None:
    campaign = await floor.campaign(20)
    await floor.agents(1, campaign)
    await refuse(floor, IN_A_ROW + 1)
    await floor.campaigns.start(campaign.id)
    await floor.engine.step()
    assert len(floor.lines.placed) == 1


async def test_refusals_between_calls_that_are_taken_pause_nothing(floor: Floor) -> None:
    campaign = await floor.campaign(20)
    await floor.agents(1, campaign)
    # Too few in all for the trunk's breaker.
    for refusals in (IN_A_ROW - 1, IN_A_ROW - 2):
        await refuse(floor, refusals)
        await floor.engine.step()
        floor.end(floor.lines.placed[-1].id, Outcome.BUSY)
    assert floor.campaigns.get(campaign.id).state is CampaignState.RUNNING


async def test_a_contact_that_comes_in_revives_a_campaign_that_was_finished(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    await floor.engine.step()
    floor.end(floor.lines.placed[0].id)
    await write(floor)
    await floor.engine.step()
    assert floor.campaigns.get(campaign.id).state is CampaignState.FINISHED
    entry = next(iter(floor.store.tables.entries.values()))
    entry.state = EntryState.PENDING
    floor.bus.publish(ContactAdded(campaign_id=campaign.id, entry_id=entry.id, at=floor.clock.now()))
    await floor.engine.step()
    assert len(floor.lines.placed) == 2


async def test_agents_of_two_campaigns_are_dialed_for_by_one_of_them_each(floor: Floor) -> None:
    first = await floor.campaign(10)
    second = await floor.campaign(10, name="winter")
    for agent in await floor.agents(4, first):
        await floor.desk.assign(agent.login, [first.id, second.id])
    await floor.engine.step()
    placed = [call.campaign_id for call in floor.lines.placed]
    assert (placed.count(first.id), placed.count(second.id)) == (2, 2)


async def test_owned_contacts_are_called_for_their_owner_alone(floor: Floor) -> None:
    campaign = await floor.campaign(3)
    agents = await floor.agents(2, campaign)
    entries = list(floor.store.tables.entries.values())
    entries[2].owner_key = agents[1].id
    await floor.engine.step()
    kept = {call.contact_id: call.agent_id for call in floor.lines.placed}
    assert kept == {entries[2].contact_id: agents[1].id, entries[0].contact_id: agents[0].id}


async def test_an_owned_contact_waits_while_his_owner_is_away(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    agents = await floor.agents(2, campaign)
    next(iter(floor.store.tables.entries.values())).owner_key = agents[1].id
    await floor.desk.pause("agent2", "lunch")
    await floor.engine.step()
    assert not floor.lines.placed


async def test_a_campaign_whose_rules_cannot_be_kept_is_paused_and_the_others_dial_on(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await floor.campaign(1)
    await floor.agents(1, broken)

    async def no_such_profile(*_: object) -> list[Verdict]:
        raise BadInput("rules.compliance.profile: there is no profile 'mars'")

    floor.gate.ask = no_such_profile  # type: ignore[method-assign, assignment]
    await floor.engine.step()
    assert floor.campaigns.get(broken.id).state is CampaignState.PAUSED
    assert "there is no profile 'mars'" in caplog.text
