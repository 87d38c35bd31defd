"""Who gets an answered person. Pure."""

from collections.abc import Collection, Sequence

from cti.model.agents import Agent, AgentState
from cti.model.calls import Call


def agent_for(
    call: Call, *, reserved: Agent | None, free: Sequence[Agent], tried: Collection[int] = ()
) -> Agent | None:
    """Return the agent the call was placed for when he can still take it, else the longest free one, else None.

    `free` are the agents of the campaign who may be offered a call, the longest free first; `tried` those a join with
    whom has failed already.
    """
    if reserved is not None and reserved.id not in tried and holds(reserved, call):
        return reserved
    return next((agent for agent in free if agent.id not in tried and agent.node == call.node), None)


def holds(agent: Agent, call: Call) -> bool:
    """Whether the agent is kept for the call and can take it."""
    return (
        agent.state is AgentState.RESERVED
        and agent.call_id == call.id
        and agent.channel is not None
        and agent.phone_reachable
    )
