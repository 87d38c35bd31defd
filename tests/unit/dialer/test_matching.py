"""Who gets an answered person."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.dialer.agent_states import may_take_calls
from cti.dialer.matching import SPILL_MARGIN_SECONDS, agent_for, in_turn, may_spill, spills_at
from cti.model.agents import Agent, AgentState
from cti.model.campaign_rules import Spill
from tests.builders import NOW, a_call, an_agent, later

BERTA = an_agent(id=2, login="berta", endpoint="a002")
CALL = a_call(agent_id=1)
RESERVED = an_agent(state=AgentState.RESERVED, call_id=CALL.id)


def test_the_agent_it_was_placed_for_gets_it() -> None:
    assert agent_for(CALL, reserved=RESERVED, free=[BERTA]) is RESERVED


def test_the_longest_free_one_gets_it_when_that_agents_phone_is_away() -> None:
    gone = an_agent(state=AgentState.RESERVED, call_id=CALL.id, phone_reachable=False)
    assert agent_for(CALL, reserved=gone, free=[BERTA]) is BERTA


def test_the_agent_reserved_for_another_call_does_not_get_it() -> None:
    other = an_agent(state=AgentState.RESERVED, call_id="other")
    assert agent_for(CALL, reserved=other, free=[]) is None


def test_one_a_join_has_failed_with_is_not_tried_again() -> None:
    assert agent_for(CALL, reserved=RESERVED, free=[BERTA], tried={1}) is BERTA
    assert agent_for(CALL, reserved=RESERVED, free=[BERTA], tried={1, 2}) is None


def test_nobody_gets_a_call_of_another_node() -> None:
    assert agent_for(CALL, reserved=None, free=[an_agent(id=3, node="elsewhere")]) is None


OWNED = a_call(
    campaign_id=1, agent_id=1, owner_agent_id=1, waiting_at=NOW, answered_at=NOW, grace_seconds=2.0
)
"""Placed for its owner, anna; the person waits since NOW."""
FOR_BERTA = replace(OWNED, agent_id=2)
"""The same, placed for somebody else while the rule allowed it."""
EARLY, LATE = later(1.0), later(1.7)

KEPT = an_agent(state=AgentState.RESERVED, call_id=OWNED.id)
FREE = an_agent()
BUSY = an_agent(state=AgentState.ON_CALL, call_id="another")
PAUSED = an_agent(state=AgentState.PAUSED, reason="lunch")
LOGGED_OUT = an_agent(state=AgentState.LOGGED_OUT, channel=None, channel_id=None)
ELSEWHERE = an_agent(campaign_ids=(7,))
LEFT = an_agent(left_at=NOW)
KEPT_BERTA = replace(BERTA, state=AgentState.RESERVED, call_id=OWNED.id)

NEVER, AWAY, GRACE, ALWAYS = Spill.NEVER, Spill.WHEN_OWNER_AWAY, Spill.AFTER_GRACE, Spill.ALWAYS


@pytest.mark.parametrize(
    ("owner", "spill", "now", "gets"),
    [
        *(pytest.param(KEPT, rule, LATE, 1, id=f"{rule}: kept for it") for rule in Spill),
        *(pytest.param(FREE, rule, LATE, 1, id=f"{rule}: the owner is free") for rule in Spill),
        pytest.param(BUSY, NEVER, EARLY, None, id="never: a busy owner is waited for"),
        pytest.param(BUSY, NEVER, LATE, None, id="never: to the end of the grace"),
        pytest.param(LOGGED_OUT, NEVER, LATE, None, id="never: nobody else, though the owner is not there"),
        pytest.param(None, NEVER, LATE, None, id="never: nobody else, though nobody knows the owner"),
        pytest.param(BUSY, AWAY, LATE, None, id="away: a busy owner is not away"),
        pytest.param(PAUSED, AWAY, LATE, None, id="away: a pause ends"),
        pytest.param(LOGGED_OUT, AWAY, EARLY, 2, id="away: logged out"),
        pytest.param(ELSEWHERE, AWAY, EARLY, 2, id="away: the owner works on another campaign"),
        pytest.param(LEFT, AWAY, EARLY, 2, id="away: the owner left"),
        pytest.param(None, AWAY, EARLY, 2, id="away: nobody knows the owner"),
        pytest.param(BUSY, GRACE, EARLY, None, id="after grace: a busy owner is waited for"),
        pytest.param(BUSY, GRACE, None, None, id="after grace: without a time the grace does not end"),
        pytest.param(BUSY, GRACE, LATE, 2, id="after grace: shortly before its end anybody"),
        pytest.param(LOGGED_OUT, GRACE, EARLY, 2, id="after grace: who is not there is not waited for"),
        pytest.param(BUSY, ALWAYS, EARLY, 2, id="always: anybody when the owner is busy"),
        pytest.param(LOGGED_OUT, ALWAYS, EARLY, 2, id="always: anybody when the owner is not there"),
    ],
)
def test_an_owned_person_reaches_his_owner_and_others_by_rule(
    owner: Agent | None, spill: Spill, now: datetime | None, gets: int | None
) -> None:
    free = [agent for agent in (owner, BERTA) if agent is not None and agent.state is AgentState.READY]
    if owner in (ELSEWHERE, LEFT):
        free = [BERTA]
    found = agent_for(OWNED, reserved=owner, owner=owner, free=free, spill=spill, now=now)
    assert (found and found.id) == gets


@pytest.mark.parametrize(
    ("owner", "spill", "gets"),
    [
        pytest.param(LOGGED_OUT, AWAY, 2, id="the owner is still away"),
        pytest.param(FREE, AWAY, 1, id="the owner came back and is free"),
        pytest.param(BUSY, AWAY, 2, id="the owner came back and is busy"),
        pytest.param(BUSY, ALWAYS, 2, id="ownership is told alone"),
        pytest.param(FREE, ALWAYS, 1, id="ownership is told alone, and the owner is free"),
        pytest.param(BUSY, NEVER, None, id="the rule became strict meanwhile"),
    ],
)
def test_whom_it_was_placed_for_in_the_owners_place_gets_it_unless_the_owner_can(
    owner: Agent, spill: Spill, gets: int | None
) -> None:
    free = [owner] if owner is FREE else []
    found = agent_for(FOR_BERTA, reserved=KEPT_BERTA, owner=owner, free=free, spill=spill, now=EARLY)
    assert (found and found.id) == gets


def test_an_owner_whose_join_failed_is_not_waited_for_where_others_may_in_the_end() -> None:
    assert (
        agent_for(OWNED, reserved=KEPT, owner=KEPT, free=[BERTA], spill=GRACE, now=EARLY, tried={1}) is BERTA
    )
    assert agent_for(OWNED, reserved=KEPT, owner=KEPT, free=[BERTA], spill=NEVER, now=LATE, tried={1}) is None


def test_a_person_without_owner_goes_to_the_longest_free_and_to_nobody_who_is_kept() -> None:
    call = a_call(waiting_at=NOW)
    assert agent_for(call, reserved=None, free=[BERTA, FREE]) is BERTA
    assert agent_for(call, reserved=KEPT, free=[]) is None


def test_who_does_not_wait_yet_spills_at_no_time() -> None:
    assert spills_at(a_call(owner_agent_id=1)) is None
    assert spills_at(OWNED) == later(2.0 - SPILL_MARGIN_SECONDS)
    assert spills_at(replace(OWNED, grace_seconds=0.1)) == NOW


def test_people_with_an_owner_are_offered_first_then_who_waited_longest() -> None:
    calls = {
        "b": a_call(id="b", waiting_at=later(1)),
        "a": a_call(id="a", waiting_at=later(2)),
        "d": a_call(id="d", owner_agent_id=1, waiting_at=later(4)),
        "c": a_call(id="c", owner_agent_id=2, waiting_at=later(3)),
    }
    assert [call.id for call in in_turn(calls.values())] == ["c", "d", "b", "a"]


AGENTS = st.lists(
    st.builds(
        an_agent,
        id=st.integers(1, 4),
        state=st.sampled_from(AgentState),
        campaign_ids=st.sampled_from([(1,), (7,), (1, 7)]),
        node=st.sampled_from(["pbx", "elsewhere"]),
        phone_reachable=st.booleans(),
    ),
    unique_by=lambda agent: agent.id,
)


@given(
    agents=AGENTS,
    owner_id=st.integers(1, 4),
    spill=st.sampled_from(Spill),
    seconds=st.floats(0, 3),
    tried=st.sets(st.integers(1, 4)),
)
def test_nobody_but_the_owner_ever_gets_an_owned_person_that_may_not_spill(
    agents: list[Agent], owner_id: int, spill: Spill, seconds: float, tried: set[int]
) -> None:
    call = a_call(campaign_id=1, owner_agent_id=owner_id, waiting_at=NOW)
    free = [agent for agent in agents if may_take_calls(agent) and 1 in agent.campaign_ids]
    owner = next((agent for agent in agents if agent.id == owner_id), None)
    now = later(seconds)
    found = agent_for(call, reserved=None, owner=owner, free=free, spill=spill, now=now, tried=tried)

    if found is None:
        able = {agent.id for agent in free if agent.node == "pbx"} - tried
        assert owner_id not in able
        assert not able or not may_spill(call, owner=owner, spill=spill, now=now, tried=tried)
    else:
        assert found in free
        assert found.id not in tried
        assert found.id == owner_id or may_spill(call, owner=owner, spill=spill, now=now, tried=tried)
