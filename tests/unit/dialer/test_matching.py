"""Who gets an answered person."""

from cti.dialer.matching import agent_for
from cti.model.agents import AgentState
from tests.builders import a_call, an_agent

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
