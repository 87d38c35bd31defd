"""Who gets an answered person. Pure.

An owned contact belongs to one agent, and the campaign's `ownership.spill` says when somebody else may take him. Who
may be dialed for whom is told by `owners`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.model.agents import Agent, AgentState
from cti.model.calls import Call
from cti.model.campaign_rules import Spill

SPILL_MARGIN_SECONDS: Final = 0.4
"""So long before the end of the grace a person whose owner is busy goes to anybody (`Spill.AFTER_GRACE`).

It must hold a join: one round trip of AMI, some 10 ms on a quiet machine, and ten times that on one that is not. The
dialplan asks whether he was fetched at the end of the grace; a join that is ordered after that is too late.
"""


def agent_for(
    call: Call,
    *,
    reserved: Agent | None,
    free: Sequence[Agent],
    owner: Agent | None = None,
    spill: Spill = Spill.NEVER,
    now: datetime | None = None,
    tried: Collection[int] = (),
) -> Agent | None:
    """Return who is to be joined with the person now, None when he has to wait.

    `reserved` is whom the call was placed for; `owner` whoever owns the contact (`call.owner_agent_id`), None also
    when nobody knows that agent any more. `free` are the agents of the campaign who may be offered a call, the longest
    free first: whoever is kept for another call is not among them. `tried` are those a join with whom has failed.
    Without `now` the grace counts as not yet ending.
    """
    able = [agent for agent in free if agent.id not in tried and agent.node == call.node]
    kept = reserved if reserved is not None and reserved.id not in tried and holds(reserved, call) else None
    if call.owner_agent_id is None:
        return kept or next(iter(able), None)
    for agent in (kept, *able):
        if agent is not None and agent.id == call.owner_agent_id:
            return agent
    if not may_spill(call, owner=owner, spill=spill, now=now, tried=tried):
        # He was dialed for this agent while the rule allowed it; an owner who came back meanwhile and is busy does
        # not make a person who is on the line wait.
        return None if spill is Spill.NEVER else kept
    return kept or next(iter(able), None)


def may_spill(
    call: Call, *, owner: Agent | None, spill: Spill, now: datetime | None, tried: Collection[int] = ()
) -> bool:
    """Whether somebody else than the owner may take the person now."""
    away = owner is None or is_away(owner, call.campaign_id, call.node)
    match spill:
        case Spill.NEVER:
            return False
        case Spill.WHEN_OWNER_AWAY:
            return away
        case Spill.AFTER_GRACE:
            ends = spills_at(call)
            cannot = away or (owner is not None and owner.id in tried)
            return cannot or (now is not None and ends is not None and now >= ends)
        case Spill.ALWAYS:
            return True


def is_away(owner: Agent, campaign_id: int | None, node: str) -> bool:
    """Whether the owner cannot take a call of the campaign, however long one waits: a pause or a call does end."""
    return (
        owner.state is AgentState.LOGGED_OUT
        or owner.left_at is not None
        or owner.node != node
        or (campaign_id is not None and campaign_id not in owner.campaign_ids)
    )


def spills_at(call: Call) -> datetime | None:
    """Return when a person who waits for his owner goes to anybody, None while he does not wait.

    The grace begins when the dialplan says that he waits (`Wait(${CTI_GRACE})` follows that word).
    """
    if call.waiting_at is None:
        return None
    return call.waiting_at + timedelta(seconds=max(0.0, call.grace_seconds - SPILL_MARGIN_SECONDS))


def in_turn(waiting: Iterable[Call]) -> list[Call]:
    """Return people in the order in which they are offered agents.

    Those with an owner first: only he can take them, while anybody can take the others. Then who has waited longest.
    """
    return sorted(
        waiting, key=lambda call: (call.owner_agent_id is None, call.waiting_at or call.placed_at, call.id)
    )


def holds(agent: Agent, call: Call) -> bool:
    """Whether the agent is kept for the call and can take it."""
    return (
        agent.state is AgentState.RESERVED
        and agent.call_id == call.id
        and agent.channel is not None
        and agent.phone_reachable
    )
