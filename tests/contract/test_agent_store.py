"""The contract of `AgentStore`."""

from dataclasses import replace

import pytest

from cti.errors import Conflict, NotFound
from cti.model.agents import Agent, AgentChange, AgentState
from tests.builders import NOW, an_agent, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_agent, a_stored_campaign


async def test_an_agent_begins_logged_out(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    campaign_id = await a_stored_campaign(store)

    agent = await store.agents.add_agent(
        login="anna", name="安娜", endpoint="a001", node="pbx", campaign_ids=[campaign_id]
    )

    expected = Agent(
        id=agent.id, login="anna", name="安娜", endpoint="a001", node="pbx", campaign_ids=(campaign_id,)
    )
    assert agent == expected
    assert await other.agents.agents() == [expected]


async def test_a_login_belongs_to_one_agent(store: Store) -> None:
    await a_stored_agent(store, login="anna")

    with pytest.raises(Conflict, match="anna"):
        await store.agents.add_agent(login="anna", name="", endpoint="another", node="pbx")


async def test_a_phone_belongs_to_one_agent_of_its_node(store: Store) -> None:
    await store.agents.add_agent(login="anna", name="", endpoint="a001", node="pbx")
    await store.agents.add_agent(login="bert", name="", endpoint="a001", node="another")

    with pytest.raises(Conflict, match="phone"):
        await store.agents.add_agent(login="carl", name="", endpoint="a001", node="pbx")


async def test_an_agent_of_an_unknown_campaign_is_not_made(store: Store) -> None:
    with pytest.raises(NotFound, match="campaign 77"):
        await store.agents.add_agent(login="anna", name="", endpoint="a001", node="pbx", campaign_ids=[77])

    assert await store.agents.agents() == []


async def test_assigning_sets_the_campaigns_anew(store: Store) -> None:
    one, two = await a_stored_campaign(store, name="one"), await a_stored_campaign(store, name="two")
    agent_id = await a_stored_agent(store, campaign_ids=(one,))

    await store.agents.assign(agent_id, [two, two])

    (agent,) = await store.agents.agents()
    assert agent.campaign_ids == (two,)


async def test_assigning_to_something_unknown_changes_nothing(store: Store) -> None:
    one = await a_stored_campaign(store)
    agent_id = await a_stored_agent(store, campaign_ids=(one,))

    with pytest.raises(NotFound):
        await store.agents.assign(agent_id, [77])
    with pytest.raises(NotFound):
        await store.agents.assign(agent_id + 1000, [one])

    (agent,) = await store.agents.agents()
    assert agent.campaign_ids == (one,)


async def test_the_present_state_is_saved_with_its_history(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    agent_id = await a_stored_agent(store, campaign_ids=(campaign_id,))
    (stored,) = await store.agents.agents()
    ready = replace(
        stored,
        state=AgentState.READY,
        since=later(1),
        channel_id="waihu-a-1-0a",
        channel="PJSIP/a-1",
    )
    busy = replace(
        ready,
        state=AgentState.RESERVED,
        since=later(2),
        call_id="c" * 32,
        pause_next="lunch",
        phone_reachable=False,
        reason="x",
    )
    changes = [
        AgentChange(agent_id=agent_id, at=later(1), before=AgentState.LOGGED_OUT, after=AgentState.READY),
        AgentChange(
            agent_id=agent_id,
            at=later(2),
            before=AgentState.READY,
            after=AgentState.RESERVED,
            reason="x",
            call_id="c" * 32,
        ),
    ]

    await store.agents.save_changes(list(zip(changes, [ready, busy], strict=True)))

    assert await store.agents.agents() == [busy]
    assert await store.facts.agent_changes(since=NOW, until=later(60)) == changes


async def test_history_keeps_its_order_when_all_happens_at_one_moment(store: Store) -> None:
    agent_id = await a_stored_agent(store)
    agent = an_agent(id=agent_id)
    ready, paused = AgentState.READY, AgentState.PAUSED
    changes = [
        AgentChange(agent_id=agent_id, at=NOW, before=before, after=after)
        for before, after in ((ready, paused), (paused, ready), (ready, paused))
    ]

    await store.agents.save_changes([(change, agent) for change in changes])

    assert await store.facts.agent_changes(since=NOW, until=later(1)) == changes


async def test_changes_of_an_unknown_agent_are_refused_whole(store: Store) -> None:
    known = await a_stored_agent(store)
    changes = [
        AgentChange(agent_id=agent_id, at=NOW, before=AgentState.LOGGED_OUT, after=AgentState.READY)
        for agent_id in (known, known + 1000)
    ]

    with pytest.raises(NotFound):
        await store.agents.save_changes([(change, an_agent(id=change.agent_id)) for change in changes])

    assert await store.facts.agent_changes(since=NOW, until=later(1)) == []
    assert [agent.state for agent in await store.agents.agents()] == [AgentState.LOGGED_OUT]


async def test_no_changes_are_no_error(store: Store) -> None:
    before = await store.agents.agents()
    await store.agents.save_changes([])
    assert await store.agents.agents() == before


async def test_settings_that_are_given_are_changed_and_survive_a_change_of_state(store: Store) -> None:
    agent_id = await a_stored_agent(store)
    await store.agents.save_settings(agent_id, skills=["中文", "german"], weight=2.5, max_owned=30)
    await store.agents.save_settings(agent_id, left_at=NOW)

    (agent,) = await store.agents.agents()
    assert (agent.skills, agent.weight, agent.max_owned, agent.left_at) == (("中文", "german"), 2.5, 30, NOW)
    change = AgentChange(agent_id=agent_id, at=NOW, before=agent.state, after=AgentState.READY)
    await store.agents.save_changes([(change, an_agent(id=agent_id, state=AgentState.READY))])
    await store.agents.save_settings(agent_id, max_owned=None, left_at=None)

    (agent,) = await store.agents.agents()
    assert (agent.skills, agent.weight, agent.max_owned, agent.left_at) == (
        ("中文", "german"),
        2.5,
        None,
        None,
    )


async def test_settings_of_an_unknown_agent_are_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="agent 77"):
        await store.agents.save_settings(77)
