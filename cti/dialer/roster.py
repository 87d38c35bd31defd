"""Every agent as he is now, and the only place where one changes: by the table of `agent_states`, told on the bus.

Knows who is kept for which call. Decides nothing and orders nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from cti.bus import EventBus
from cti.dialer.agent_states import AgentSignal, change_between, moved
from cti.errors import NotFound
from cti.model.agents import Agent
from cti.model.events import AgentMoved


class Roster:
    """Agents by number."""

    def __init__(self, *, bus: EventBus) -> None:
        self._bus = bus
        self._agents: dict[int, Agent] = {}
        self._holders: dict[str, set[int]] = {}
        """By call id: who is kept for it, talks on it, or wraps it up. A call does not know all of them."""

    def all(self) -> list[Agent]:
        """List all agents, by login."""
        return sorted(self._agents.values(), key=lambda agent: agent.login)

    def get(self, agent_id: int | None) -> Agent | None:
        """Return the agent as he is now."""
        return None if agent_id is None else self._agents.get(agent_id)

    def now(self, agent: Agent) -> Agent:
        """Return the same agent as he is now."""
        return self._agents[agent.id]

    def named(self, login: str) -> Agent:
        """Return the agent of this login; raises NotFound."""
        for agent in self._agents.values():
            if agent.login == login:
                return agent
        raise NotFound(f"there is no agent with the login {login!r}")

    def on_node(self, node: str) -> list[Agent]:
        """List the agents whose phone is on a node."""
        return [agent for agent in self._agents.values() if agent.node == node]

    def holders(self, call_id: str) -> list[Agent]:
        """List those who are kept for a call, talk on it, or wrap it up."""
        return [self._agents[agent_id] for agent_id in sorted(self._holders.get(call_id, ()))]

    def know(self, agent: Agent) -> None:
        """Take an agent as the store has him; nobody is told."""
        before = self._agents.get(agent.id)
        self._agents[agent.id] = agent
        if before is not None and before.call_id is not None:
            holders = self._holders[before.call_id]
            holders.discard(agent.id)
            if not holders:
                del self._holders[before.call_id]
        if agent.call_id is not None:
            self._holders.setdefault(agent.call_id, set()).add(agent.id)

    def assign(self, agent: Agent, campaign_ids: Iterable[int]) -> Agent:
        """Note the campaigns he works on."""
        self.know(replace(self.now(agent), campaign_ids=tuple(campaign_ids)))
        return self.now(agent)

    def settle(self, stored: Agent) -> Agent:
        """Take the settings of an agent as the store has them; return him as he is now."""
        now = replace(
            self._agents[stored.id],
            skills=stored.skills,
            weight=stored.weight,
            max_owned=stored.max_owned,
            left_at=stored.left_at,
        )
        self.know(now)
        return now

    def apply(self, agent: Agent, signal: AgentSignal, at: datetime) -> Agent:
        """Move an agent and tell it; return him as he is then."""
        # Some moments are told by Asterisk's clock, and a history that went back in time would count wrong.
        at = at if agent.since is None else max(at, agent.since)
        after = moved(agent, signal, at)
        if after is agent:
            return agent
        self.know(after)
        change = change_between(agent, after, at)
        if change is not None:
            self._bus.publish(AgentMoved(change=change, agent=after))
        return after
