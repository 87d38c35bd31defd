"""People who answer are joined with agents at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cti.dialer.matching import SPILL_MARGIN_SECONDS
from cti.errors import NodeRefused
from cti.model.agents import AgentState
from cti.model.calls import Call, Outcome
from cti.model.campaign_rules import CampaignRules, OwnershipRules, Spill
from cti.model.contacts import Campaign
from cti.model.events import LegGone, PhoneMoved
from cti.pacing.floor import Decision
from tests.unit.dialer.floor import Floor


@pytest.fixture
async def dialing(floor: Floor) -> AsyncIterator[Floor]:
    """Two agents, both reserved for a call that rings."""
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        campaign = await floor.campaign(2)
        await floor.agents(2, campaign)
        await floor.engine.step()
        yield floor


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_he_is_joined_with_the_agent_the_call_was_placed_for(dialing: Floor) -> None:
    call = dialing.lines.placed[1]
    dialing.answer(call.id)
    await settle()
    assert dialing.lines.joined == [(call.id, call.agent_id)]


async def test_the_agent_is_on_the_call_only_when_the_bridge_is_seen(dialing: Floor) -> None:
    call = dialing.lines.placed[0]
    dialing.answer(call.id)
    await settle()
    agent = dialing.desk.get(call.agent_id or 0)
    assert agent is not None
    assert agent.state is AgentState.RESERVED
    dialing.bridge(call.id, agent)
    now = dialing.desk.get(agent.id)
    assert now is not None
    assert (now.state, now.call_id) == (AgentState.ON_CALL, call.id)


async def test_one_answer_makes_one_join_however_often_it_is_told(dialing: Floor) -> None:
    call = dialing.lines.placed[0]
    dialing.answer(call.id)
    dialing.answer(call.id)
    await settle()
    dialing.answer(call.id)
    await settle()
    assert len(dialing.lines.joined) == 1


async def test_another_free_agent_gets_him_when_the_phone_went_away(dialing: Floor) -> None:
    mine, other = dialing.lines.placed
    dialing.end(other.id)
    agent = dialing.desk.get(mine.agent_id or 0)
    assert agent is not None
    dialing.bus.publish(
        PhoneMoved(node="pbx", endpoint=agent.endpoint, reachable=False, at=dialing.clock.now())
    )
    dialing.answer(mine.id)
    await settle()
    assert dialing.lines.joined == [(mine.id, other.agent_id)]


async def test_a_failed_join_goes_to_the_next_free_agent(dialing: Floor) -> None:
    mine, other = dialing.lines.placed
    dialing.end(other.id)
    dialing.lines.refusals["join"] = [NodeRefused("Channel2 does not exist")]
    dialing.answer(mine.id)
    await settle()
    assert dialing.lines.joined == [(mine.id, other.agent_id)]
    freed = dialing.desk.get(mine.agent_id or 0)
    assert freed is not None
    assert freed.state is AgentState.READY


async def test_who_waits_is_joined_with_the_first_agent_who_becomes_free() -> None:
    floor = Floor(pacing=lambda seen: Decision(calls=1 - seen.placed, why="one", reserve=False))
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        campaign = await floor.campaign(1)
        await floor.engine.step()
        call = floor.answer(floor.lines.placed[0].id)
        await settle()
        assert floor.joiner.waiting(campaign.id) == 1
        await floor.agents(1, campaign)
        await settle()
        assert floor.lines.joined == [(call.id, floor.desk.named("agent1").id)]
        assert floor.joiner.waiting(campaign.id) == 0


async def test_who_hung_up_or_heard_the_message_is_not_joined(dialing: Floor) -> None:
    first, second = dialing.lines.placed
    dialing.joiner._tasks = None
    dialing.answer(first.id)
    dialing.end(first.id, Outcome.GONE_EARLY)
    dialing.answer(second.id)
    dialing.move(second.id, dropped_at=dialing.clock.now())
    assert dialing.joiner.waiting(dialing.campaigns.all()[0].id) == 0


async def test_the_agent_wraps_up_when_the_customer_hangs_up(dialing: Floor) -> None:
    call = dialing.lines.placed[0]
    agent = dialing.desk.get(call.agent_id or 0)
    assert agent is not None
    dialing.answer(call.id)
    await settle()
    dialing.bridge(call.id, agent)
    dialing.end(call.id, Outcome.CONNECTED)
    now = dialing.desk.get(agent.id)
    assert now is not None
    assert (now.state, now.call_id) == (AgentState.WRAP_UP, call.id)


async def test_whoever_was_taken_for_him_is_free_again_when_he_hangs_up_before_the_bridge() -> None:
    """The call was placed for nobody, so only the agent himself says for which call he is kept."""
    floor = Floor(pacing=lambda seen: Decision(calls=1 - seen.placed, why="one", reserve=False))
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        campaign = await floor.campaign(1)
        await floor.engine.step()
        await floor.agents(1, campaign)
        call = floor.answer(floor.lines.placed[0].id)
        assert floor.desk.named("agent1").call_id == call.id
        floor.end(call.id, Outcome.GONE_EARLY)
        await settle()
        assert floor.desk.named("agent1").state is AgentState.READY


async def test_an_agent_taken_in_anothers_place_is_free_again_when_the_customer_is_gone(
    dialing: Floor,
) -> None:
    mine, other = dialing.lines.placed
    dialing.end(other.id)
    absent = dialing.desk.get(mine.agent_id or 0)
    assert absent is not None
    dialing.bus.publish(
        PhoneMoved(node="pbx", endpoint=absent.endpoint, reachable=False, at=dialing.clock.now())
    )
    dialing.lines.refusals["join"] = [NodeRefused("Channel1 does not exist")]
    dialing.answer(mine.id)
    dialing.end(mine.id, Outcome.GONE_EARLY)
    await settle()
    taken = dialing.desk.get(other.agent_id or 0)
    assert taken is not None
    assert (taken.state, taken.call_id) == (AgentState.READY, None)


async def test_who_answers_when_the_service_has_stopped_joining_just_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    floor = Floor(pacing=lambda seen: Decision(calls=1 - seen.placed, why="one", reserve=False))
    campaign = await floor.campaign(1)
    await floor.agents(1, campaign)
    run = asyncio.create_task(floor.engine.run())
    while not floor.lines.placed:
        await asyncio.sleep(0)
    run.cancel()
    await asyncio.wait({run})
    floor.answer(floor.lines.placed[0].id)
    assert floor.joiner.waiting(campaign.id) == 1
    assert floor.desk.named("agent1").state is AgentState.READY
    assert not caplog.records


async def test_who_waits_is_joined_when_his_agents_phone_is_back(dialing: Floor) -> None:
    mine, _ = dialing.lines.placed
    agent = dialing.desk.get(mine.agent_id or 0)
    assert agent is not None
    now = dialing.clock.now()
    dialing.bus.publish(PhoneMoved(node="pbx", endpoint=agent.endpoint, reachable=False, at=now))
    dialing.answer(mine.id)
    await settle()
    assert dialing.lines.joined == []
    dialing.bus.publish(PhoneMoved(node="pbx", endpoint=agent.endpoint, reachable=True, at=now))
    await settle()
    assert dialing.lines.joined == [(mine.id, agent.id)]


async def an_owned_call(floor: Floor, spill: Spill, *, owner: str = "agent1") -> tuple[Call, Campaign]:
    """Two agents; agent1 is on another call. A contact that belongs to `owner` answers."""
    campaign = await floor.campaign(1, rules=CampaignRules(ownership=OwnershipRules(spill=spill)))
    await floor.engine.step()
    await floor.agents(2, campaign)
    floor.desk.reserve(floor.desk.named("agent1").id, "another call")
    call = floor.lines.placed[0]
    floor.move(call.id, owner_agent_id=floor.desk.named(owner).id)
    return floor.answer(call.id), campaign


def one_call(seen: object) -> Decision:
    return Decision(calls=1 - seen.placed, why="one", reserve=False)  # type: ignore[attr-defined]


async def test_an_owned_person_waits_for_his_owner_and_not_for_who_is_free() -> None:
    floor = Floor(pacing=one_call)
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        call, campaign = await an_owned_call(floor, Spill.NEVER)
        await settle()
        assert floor.lines.joined == []
        assert floor.joiner.waiting_calls(campaign.id) == [call]
        owner = floor.desk.named("agent1")
        floor.desk.release(owner.id, "another call")
        await settle()
        assert floor.lines.joined == [(call.id, owner.id)]


async def test_an_owned_person_goes_to_another_shortly_before_the_grace_ends() -> None:
    floor = Floor(pacing=one_call)
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        call, _ = await an_owned_call(floor, Spill.AFTER_GRACE)
        floor.joiner.spill(call.id)
        await settle()
        assert floor.lines.joined == []
        floor.clock.advance(call.grace_seconds - SPILL_MARGIN_SECONDS)
        floor.joiner.spill(call.id)
        await settle()
        assert floor.lines.joined == [(call.id, floor.desk.named("agent2").id)]
        floor.joiner.rest()


async def test_the_time_for_others_comes_by_itself() -> None:
    floor = Floor(pacing=one_call)
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        call, _ = await an_owned_call(floor, Spill.AFTER_GRACE)
        timer = floor.joiner._spills[call.id]
        wait = timer.when() - asyncio.get_running_loop().time()
        assert wait == pytest.approx(call.grace_seconds - SPILL_MARGIN_SECONDS, abs=1.0)
        floor.end(call.id, Outcome.GONE_EARLY)
        assert timer.cancelled()
        assert floor.joiner._spills == {}


async def test_who_waited_for_an_owner_goes_to_another_when_the_owner_logs_out() -> None:
    floor = Floor(pacing=one_call)
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        call, _ = await an_owned_call(floor, Spill.WHEN_OWNER_AWAY)
        await settle()
        assert floor.lines.joined == []
        leg = floor.desk.named("agent1").channel_id or ""
        floor.bus.publish(
            LegGone(channel_id=leg, node="pbx", cause=16, cause_text=None, at=floor.clock.now())
        )
        await settle()
        assert floor.lines.joined == [(call.id, floor.desk.named("agent2").id)]


async def test_an_owner_who_becomes_free_gets_his_own_person_before_one_of_nobodys() -> None:
    floor = Floor(pacing=lambda seen: Decision(calls=2 - seen.placed, why="two", reserve=False))
    async with asyncio.TaskGroup() as tasks:
        floor.joiner.work_in(tasks)
        campaign = await floor.campaign(2)
        await floor.engine.step()
        await floor.agents(1, campaign)
        agent = floor.desk.named("agent1")
        floor.desk.reserve(agent.id, "another call")
        nobodys, his = floor.lines.placed
        floor.answer(nobodys.id)
        floor.clock.advance(0.5)
        floor.move(his.id, owner_agent_id=agent.id)
        floor.answer(his.id)
        floor.desk.release(agent.id, "another call")
        await settle()
        assert floor.lines.joined == [(his.id, agent.id)]
