"""Agents at work: log in by their phone, lose it, wrap up, come back."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import pytest

from cti.errors import Conflict, NodeDown, NotFound
from cti.model.agents import AgentState
from cti.model.calls import CallState, Join, Outcome
from cti.model.events import AgentMoved, CallMoved, LegGone, LegUp, NodeLost, NodeUp, PhoneMoved
from tests.unit.dialer.floor import Floor
from tests.waiting import until


async def one_agent(floor: Floor, **campaign: object) -> None:
    made = await floor.campaign(5, **campaign)
    await floor.agents(1, made)


def state(floor: Floor) -> tuple[AgentState, str | None]:
    agent = floor.desk.named("agent1")
    return agent.state, agent.reason


async def test_login_calls_the_phone_once_and_keeps_the_leg(floor: Floor) -> None:
    await one_agent(floor)
    agent = floor.desk.named("agent1")
    assert floor.lines.phones_called == [("a001", agent.channel_id)]
    assert agent.state is AgentState.READY


async def test_a_second_login_is_refused(floor: Floor) -> None:
    await one_agent(floor)
    with pytest.raises(Conflict, match="already"):
        await floor.desk.login("agent1")


async def test_login_says_what_the_network_said(floor: Floor) -> None:
    await floor.desk.add(login="anna", name="Anna", endpoint="a001", node="pbx")
    call_phone = floor.lines.call_phone

    async def busy(agent, channel_id):  # type: ignore[no-untyped-def]
        await call_phone(agent, channel_id)
        now = floor.clock.now()
        floor.bus.publish(
            LegGone(channel_id=channel_id, node="pbx", cause=17, cause_text="User busy", at=now)
        )

    floor.lines.call_phone = busy  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="User busy"):
        await floor.desk.login("anna")
    assert floor.desk.named("anna").channel_id is None


async def test_login_needs_the_node(floor: Floor) -> None:
    await floor.desk.add(login="anna", name="Anna", endpoint="a001", node="pbx")
    floor.lines.up = False
    with pytest.raises(NodeDown, match="pbx"):
        await floor.desk.login("anna")


async def test_an_unknown_login_is_named(floor: Floor) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await floor.desk.pause("nobody", "lunch")


async def test_logout_lets_the_leg_go(floor: Floor) -> None:
    await one_agent(floor)
    leg = floor.desk.named("agent1").channel_id
    await floor.desk.logout("agent1")
    assert floor.lines.hung_up == [leg]
    assert state(floor) == (AgentState.LOGGED_OUT, None)


async def test_nobody_logs_out_while_a_call_is_placed_for_him(floor: Floor) -> None:
    await one_agent(floor)
    await floor.engine.step()
    with pytest.raises(Conflict, match="pause first"):
        await floor.desk.logout("agent1")


async def test_a_dead_leg_logs_out_and_is_told(floor: Floor) -> None:
    await one_agent(floor)
    leg = floor.desk.named("agent1").channel_id or ""
    now = floor.clock.now()
    floor.bus.publish(LegGone(channel_id=leg, node="pbx", cause=44, cause_text="Media timeout", at=now))
    assert state(floor) == (AgentState.LOGGED_OUT, "phone_gone")
    last = [event for event in floor.told if isinstance(event, AgentMoved)][-1]
    assert (last.change.before, last.change.after) == (AgentState.READY, AgentState.LOGGED_OUT)


async def test_an_agent_whose_phone_is_away_is_offered_no_calls(floor: Floor) -> None:
    await one_agent(floor)
    floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=False, at=floor.clock.now()))
    await floor.engine.step()
    assert not floor.lines.placed
    floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=True, at=floor.clock.now()))
    await floor.engine.step()
    assert len(floor.lines.placed) == 1


async def test_a_phone_that_stays_away_logs_its_agent_out(floor: Floor) -> None:
    await one_agent(floor)
    floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=False, at=floor.clock.now()))
    floor.clock.advance(4)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.PAUSED
    floor.clock.advance(2)
    await floor.desk.step()
    assert state(floor) == (AgentState.LOGGED_OUT, "phone_gone")


async def test_wrap_up_ends_by_itself_when_the_campaign_says_so(floor: Floor) -> None:
    await one_agent(floor, wrap_up_seconds=10.0)
    await floor.engine.step()
    call = floor.lines.placed[0]
    floor.answer(call.id)
    floor.bridge(call.id, floor.desk.named("agent1"))
    floor.end(call.id)
    assert state(floor)[0] is AgentState.WRAP_UP
    floor.clock.advance(9)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.WRAP_UP
    floor.clock.advance(2)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.READY


async def test_phones_are_called_again_when_their_node_is_back(floor: Floor) -> None:
    await one_agent(floor)
    await floor.desk.pause("agent1", "lunch")
    leg = floor.desk.named("agent1").channel_id or ""
    floor.lines.up = False
    gone = LegGone(
        channel_id=leg, node="pbx", cause=None, cause_text=None, node_lost=True, at=floor.clock.now()
    )
    floor.bus.publish(gone)
    await floor.desk.step()
    assert state(floor) == (AgentState.LOGGED_OUT, "node_lost")
    floor.lines.up = True
    step = asyncio.create_task(floor.desk.step())
    while len(floor.lines.phones_called) < 2:
        await asyncio.sleep(0)
    anew = floor.lines.phones_called[-1][1]
    floor.bus.publish(LegUp(channel_id=anew, channel="PJSIP/a001-2", node="pbx", at=floor.clock.now()))
    await step
    assert state(floor) == (AgentState.PAUSED, "lunch")


async def test_a_leg_that_nobody_waits_for_is_let_go(floor: Floor) -> None:
    await one_agent(floor)
    stray = "waihu-a-1-ffffffffffff"
    floor.bus.publish(LegUp(channel_id=stray, channel="PJSIP/a001-9", node="pbx", at=floor.clock.now()))
    await floor.desk.step()
    assert floor.lines.hung_up == [stray]


async def test_an_agent_is_let_go_when_his_call_ended_while_the_daemon_was_away(floor: Floor) -> None:
    await one_agent(floor)
    await floor.engine.step()
    reserved = [e for e in floor.told if isinstance(e, AgentMoved)][-1]
    await floor.store.agents.save_changes([(reserved.change, reserved.agent)])
    restarted = Floor(store=floor.store)
    await restarted.desk.load([])
    assert state(restarted)[0] is AgentState.READY


async def lose_the_node(floor: Floor) -> None:
    leg = floor.desk.named("agent1").channel_id or ""
    floor.lines.up = False
    now = floor.clock.now()
    floor.bus.publish(
        LegGone(channel_id=leg, node="pbx", cause=None, cause_text=None, node_lost=True, at=now)
    )


async def run_a_while(work: Awaitable[None]) -> None:
    """Let it run until it waits for the outside."""
    task = asyncio.ensure_future(work)
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})


async def test_who_logged_out_while_his_node_was_lost_is_not_called_again(floor: Floor) -> None:
    await one_agent(floor)
    await lose_the_node(floor)
    await floor.desk.logout("agent1")
    assert state(floor) == (AgentState.LOGGED_OUT, None)
    floor.lines.up = True
    floor.clock.advance(10)
    await run_a_while(floor.desk.run())
    assert len(floor.lines.phones_called) == 1


async def test_who_hung_up_while_nobody_listened_is_not_called_again(floor: Floor) -> None:
    """His leg is gone, but his node was there all the time: it was he who went."""
    await one_agent(floor)
    leg = floor.desk.named("agent1").channel_id or ""
    floor.bus.publish(LegGone(channel_id=leg, node="pbx", cause=None, cause_text=None, at=floor.clock.now()))
    assert state(floor) == (AgentState.LOGGED_OUT, "phone_gone")


async def test_a_phone_that_rings_holds_nobody_else_up(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.dialer.agent_desk.STEP_SECONDS", 0.0)
    campaign = await floor.campaign(5, wrap_up_seconds=10.0)
    await floor.agents(2, campaign)
    await floor.engine.step()
    call = next(c for c in floor.lines.placed if c.agent_id == floor.desk.named("agent2").id)
    floor.answer(call.id)
    floor.bridge(call.id, floor.desk.named("agent2"))
    floor.end(call.id)
    await lose_the_node(floor)
    floor.lines.up = True
    run = asyncio.create_task(floor.desk.run())
    while len(floor.lines.phones_called) < 3:
        assert not run.done()
        await asyncio.sleep(0)
    floor.clock.advance(11)
    await until(lambda: floor.desk.named("agent2").state is AgentState.READY)
    run.cancel()
    await asyncio.wait({run})


async def test_who_logs_out_while_his_phone_rings_may_log_in_again_at_once(floor: Floor) -> None:
    await floor.desk.add(login="agent1", name="Anna", endpoint="a001", node="pbx")
    login = asyncio.create_task(floor.desk.login("agent1"))
    while not floor.lines.phones_called:
        await asyncio.sleep(0)
    await floor.desk.logout("agent1")
    with pytest.raises(Conflict, match="logged out"):
        await login
    assert [leg for _, leg in floor.lines.phones_called] == floor.lines.hung_up
    await floor.log_in("agent1")
    assert state(floor)[0] is AgentState.READY


async def test_a_leg_that_could_not_be_let_go_is_let_go_when_the_node_is_back(floor: Floor) -> None:
    await one_agent(floor)
    leg = floor.desk.named("agent1").channel_id
    floor.lines.up = False
    await floor.desk.logout("agent1")
    await floor.desk.step()
    assert floor.lines.hung_up == []
    floor.lines.up = True
    await floor.desk.step()
    await floor.desk.step()
    assert floor.lines.hung_up == [leg]


async def test_a_phone_that_registers_anew_keeps_the_call_that_rings_for_it(floor: Floor) -> None:
    """A page that is loaded again takes its old registration back and makes a new one, within milliseconds."""
    await one_agent(floor)
    await floor.engine.step()
    for reachable in (False, True):
        floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=reachable, at=floor.clock.now()))
    await floor.engine.step()
    assert len(floor.lines.placed) == 1
    assert floor.desk.named("agent1").call_id == floor.lines.placed[0].id


async def test_a_phone_that_stays_away_while_his_call_rings_pauses_him_when_that_ends(floor: Floor) -> None:
    await one_agent(floor)
    await floor.engine.step()
    floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=False, at=floor.clock.now()))
    floor.end(floor.lines.placed[0].id)
    assert state(floor) == (AgentState.PAUSED, "phone_gone")


async def test_who_logs_in_again_is_not_let_go_for_what_his_phone_did_before(floor: Floor) -> None:
    await one_agent(floor)
    floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=False, at=floor.clock.now()))
    await floor.desk.logout("agent1")
    await floor.log_in("agent1")
    floor.clock.advance(10)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.READY


@pytest.mark.parametrize("ahead_seconds", [-7, 7])
async def test_a_node_whose_clock_is_wrong_neither_shortens_nor_stretches_what_we_time(
    floor: Floor, ahead_seconds: float
) -> None:
    await one_agent(floor, wrap_up_seconds=6.0)
    there = floor.clock.now() + timedelta(seconds=ahead_seconds)
    floor.bus.publish(PhoneMoved(node="pbx", endpoint="a001", reachable=False, at=there))
    floor.clock.advance(4)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.PAUSED
    floor.clock.advance(2)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.LOGGED_OUT


async def test_wrap_up_is_timed_by_our_clock(floor: Floor) -> None:
    await one_agent(floor, wrap_up_seconds=6.0)
    await floor.engine.step()
    call = floor.lines.placed[0]
    floor.answer(call.id)
    floor.bridge(call.id, floor.desk.named("agent1"))
    ended = floor.followed.ended(call.id, floor.clock.now() - timedelta(seconds=20), Outcome.CONNECTED)
    floor.bus.publish(ended)
    await floor.desk.step()
    assert state(floor)[0] is AgentState.WRAP_UP


async def test_an_agents_history_never_goes_back_in_time(floor: Floor) -> None:
    await one_agent(floor)
    await floor.engine.step()
    call = floor.lines.placed[0]
    floor.answer(call.id)
    agent = floor.desk.named("agent1")
    join = Join(agent_id=agent.id, channel_id=agent.channel_id or "", joined_at=floor.clock.now())
    joined = replace(call, state=CallState.CONNECTED, joins=(join,))
    behind = floor.clock.now() - timedelta(seconds=3)
    floor.bus.publish(CallMoved(before=CallState.ANSWERED, call=joined, at=behind))
    times = [event.change.at for event in floor.told if isinstance(event, AgentMoved)]
    assert times == sorted(times)
    assert floor.desk.named("agent1").state is AgentState.ON_CALL


async def test_a_call_placed_just_before_a_kill_keeps_its_agent_after_it(floor: Floor) -> None:
    """Calls are committed before they leave, agents' changes a moment later: that moment may be missing."""
    await one_agent(floor)
    ready = [e for e in floor.told if isinstance(e, AgentMoved)][-1]
    await floor.store.agents.save_changes([(ready.change, ready.agent)])
    await floor.engine.step()
    restarted = Floor(store=floor.store)
    await restarted.campaigns.load()
    await restarted.desk.load(await floor.store.calls.open_calls())
    assert state(restarted)[0] is AgentState.RESERVED
    await restarted.engine.step()
    assert not restarted.lines.placed


async def test_a_talk_that_is_found_after_a_kill_began_when_it_was_joined(floor: Floor) -> None:
    """Neither his reservation nor the talk had been written for him; the call knows when it was joined."""
    await one_agent(floor)
    ready = [e for e in floor.told if isinstance(e, AgentMoved)][-1]
    await floor.store.agents.save_changes([(ready.change, ready.agent)])
    await floor.engine.step()
    floor.clock.advance(5)
    call = floor.answer(floor.lines.placed[0].id)
    talking = floor.bridge(call.id, floor.desk.named("agent1"))
    joined_at = floor.clock.now()
    restarted = Floor(store=floor.store)
    restarted.clock.advance(60)
    await restarted.desk.load(await floor.store.calls.open_calls())
    restarted.bus.publish(CallMoved(before=CallState.RINGING, call=talking, at=restarted.clock.now()))
    agent = restarted.desk.named("agent1")
    assert (agent.state, agent.since) == (AgentState.ON_CALL, joined_at)


@pytest.mark.parametrize("reserved", [False, True])
async def test_a_talk_that_was_written_without_its_agent_has_him_on_it_after_a_kill(
    floor: Floor, reserved: bool
) -> None:
    """Nothing is heard of the call after the start, because it stands as it was."""
    await one_agent(floor)
    changes = [(e.change, e.agent) for e in floor.told if isinstance(e, AgentMoved)]
    await floor.store.agents.save_changes(changes)
    await floor.engine.step()
    if reserved:
        more = [(e.change, e.agent) for e in floor.told if isinstance(e, AgentMoved)][len(changes) :]
        await floor.store.agents.save_changes(more)
    floor.clock.advance(5)
    call = floor.answer(floor.lines.placed[0].id)
    talking = floor.bridge(call.id, floor.desk.named("agent1"))
    joined_at = floor.clock.now()
    await floor.store.calls.save([talking])
    restarted = Floor(store=floor.store)
    restarted.clock.advance(60)
    await restarted.campaigns.load()
    await restarted.desk.load(await floor.store.calls.open_calls())
    agent = restarted.desk.named("agent1")
    assert (agent.state, agent.call_id, agent.since) == (AgentState.ON_CALL, call.id, joined_at)
    await restarted.engine.step()
    assert not restarted.lines.placed


async def written(floor: Floor) -> None:
    """Let the store have all that the agents did so far."""
    changes = [(e.change, e.agent) for e in floor.told if isinstance(e, AgentMoved)]
    await floor.store.agents.save_changes(changes)


async def test_talks_that_are_found_crosswise_after_a_kill_began_when_they_were_joined(floor: Floor) -> None:
    """Each of two agents was kept for the call that the other took, and only that had been written."""
    made = await floor.campaign(5)
    one, other = await floor.agents(2, made)
    await floor.engine.step()
    await written(floor)
    calls = {call.agent_id: call for call in floor.lines.placed}
    floor.clock.advance(5)
    first = floor.bridge(floor.answer(calls[one.id].id).id, other)
    floor.clock.advance(1)
    second = floor.bridge(floor.answer(calls[other.id].id).id, one)
    restarted = Floor(store=floor.store)
    restarted.clock.advance(60)
    await restarted.desk.load(await floor.store.calls.open_calls())
    for talking in (first, second):
        restarted.bus.publish(CallMoved(before=CallState.RINGING, call=talking, at=restarted.clock.now()))
    found = {agent.id: (agent.state, agent.call_id, agent.since) for agent in restarted.desk.agents()}
    assert found == {
        other.id: (AgentState.ON_CALL, first.id, first.joins[0].joined_at),
        one.id: (AgentState.ON_CALL, second.id, second.joins[0].joined_at),
    }


async def test_a_talk_is_as_old_as_it_is_for_who_had_been_kept_for_a_call_before_it(floor: Floor) -> None:
    """That call had ended, and the kill came before it was written that he was free again."""
    await one_agent(floor)
    await floor.engine.step()
    await written(floor)
    ended = floor.followed.ended(floor.lines.placed[0].id, floor.clock.now(), Outcome.BUSY)
    floor.bus.publish(ended)
    await floor.store.calls.save([ended.call])
    floor.clock.advance(5)
    await floor.engine.step()
    call = floor.lines.placed[1]
    floor.clock.advance(5)
    talking = floor.bridge(floor.answer(call.id).id, floor.desk.named("agent1"))
    joined_at = floor.clock.now()
    restarted = Floor(store=floor.store)
    restarted.clock.advance(60)
    await restarted.desk.load(await floor.store.calls.open_calls())
    restarted.bus.publish(CallMoved(before=CallState.RINGING, call=talking, at=restarted.clock.now()))
    agent = restarted.desk.named("agent1")
    assert (agent.state, agent.call_id, agent.since) == (AgentState.ON_CALL, call.id, joined_at)


async def test_who_left_a_call_while_nobody_looked_left_it_then(floor: Floor) -> None:
    await one_agent(floor)
    await floor.engine.step()
    floor.clock.advance(5)
    talking = floor.bridge(floor.answer(floor.lines.placed[0].id).id, floor.desk.named("agent1"))
    floor.clock.advance(3)
    left_at = floor.clock.now()
    floor.clock.advance(60)
    over = replace(talking, joins=(replace(talking.joins[0], left_at=left_at),))
    floor.bus.publish(CallMoved(before=CallState.CONNECTED, call=over, at=floor.clock.now()))
    agent = floor.desk.named("agent1")
    assert (agent.state, agent.since) == (AgentState.WRAP_UP, left_at)


async def test_who_logs_in_just_when_his_phone_is_called_again_gets_one_call(floor: Floor) -> None:
    await one_agent(floor)
    await lose_the_node(floor)
    floor.lines.up = True
    run = asyncio.create_task(floor.desk.run())
    login = asyncio.create_task(floor.desk.login("agent1"))
    for _ in range(20):
        await asyncio.sleep(0)
    run.cancel()
    login.cancel()
    await asyncio.wait({run, login})
    assert len(floor.lines.phones_called) == 2, "the first login, and one more"


async def test_a_phone_that_came_back_while_another_was_let_go_is_kept(floor: Floor) -> None:
    campaign = await floor.campaign(0)
    await floor.agents(2, campaign)
    for endpoint in ("a001", "a002"):
        gone = PhoneMoved(node="pbx", endpoint=endpoint, reachable=False, at=floor.clock.now())
        floor.bus.publish(gone)
    hang_up = floor.lines.hang_up

    async def slow(*, node: str, channel_id: str) -> None:
        back = PhoneMoved(node="pbx", endpoint="a002", reachable=True, at=floor.clock.now())
        floor.bus.publish(back)
        await hang_up(node=node, channel_id=channel_id)

    floor.lines.hang_up = slow  # type: ignore[method-assign]
    floor.clock.advance(6)
    await floor.desk.step()
    assert state(floor) == (AgentState.LOGGED_OUT, "phone_gone")
    assert floor.desk.named("agent2").state is AgentState.READY


def end_leg(floor: Floor, login: str, *, by_node: bool) -> None:
    leg = floor.desk.named(login).channel_id or ""
    now = floor.clock.now()
    floor.bus.publish(LegGone(channel_id=leg, node="pbx", cause=16, cause_text=None, at=now, by_node=by_node))


def restart_node(floor: Floor, after_seconds: float) -> None:
    floor.clock.advance(after_seconds)
    for reason in ("Asterisk closed the connection", "nobody listens there"):
        floor.bus.publish(NodeLost(node="pbx", reason=reason, at=floor.clock.now()))
        floor.clock.advance(40)
    floor.bus.publish(NodeUp(node="pbx", version="22", restarted=True, at=floor.clock.now()))


async def test_an_asterisk_that_was_stopped_politely_took_its_legs_with_it(floor: Floor) -> None:
    """It hangs up every channel before it goes: no agent wished for that, and each is called again as he was."""
    campaign = await floor.campaign(0)
    await floor.agents(3, campaign)
    await floor.desk.pause("agent2", "lunch")
    end_leg(floor, "agent1", by_node=True)
    end_leg(floor, "agent2", by_node=True)
    end_leg(floor, "agent3", by_node=False)
    restart_node(floor, 2)
    agents = [floor.desk.named(login) for login in ("agent1", "agent2", "agent3")]
    assert [agent.reason for agent in agents] == ["node_lost", "node_lost", "phone_gone"]
    assert [agent.pause_next for agent in agents] == [None, "lunch", None]


async def test_a_leg_that_somebody_ended_long_before_a_restart_is_not_called_again(floor: Floor) -> None:
    await one_agent(floor)
    end_leg(floor, "agent1", by_node=True)
    restart_node(floor, 60)
    assert state(floor) == (AgentState.LOGGED_OUT, "phone_gone")


async def test_an_agent_s_settings_are_set_while_he_works(floor: Floor) -> None:
    await one_agent(floor)
    await floor.desk.configure("agent1", skills=["german"], weight=2.0, max_owned=10)
    agent = await floor.desk.configure("agent1", max_owned=None)
    assert (agent.state, agent.skills, agent.weight, agent.max_owned) == (
        AgentState.READY,
        ("german",),
        2.0,
        None,
    )
    assert floor.desk.named("agent1") == agent


async def test_who_left_cannot_log_in_until_he_is_back(floor: Floor) -> None:
    await one_agent(floor)
    with pytest.raises(Conflict, match="log out first"):
        await floor.desk.leave("agent1")
    await floor.desk.logout("agent1")
    assert (await floor.desk.leave("agent1")).left_at == floor.clock.now()
    with pytest.raises(Conflict, match="works here no more"):
        await floor.desk.login("agent1")
    await floor.desk.come_back("agent1")
    await floor.log_in("agent1")
    assert state(floor) == (AgentState.READY, None)
