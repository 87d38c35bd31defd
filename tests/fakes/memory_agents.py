"""`AgentStore` in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.agents import UNSET, Agent, AgentChange, Unset
from cti.model.work import NewWork
from tests.fakes.memory_tables import MemoryTables


class MemoryAgents:
    """Agents and their history in a dictionary and a list."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def agents(self) -> list[Agent]:
        return [self._tables.agents[agent_id] for agent_id in sorted(self._tables.agents)]

    async def add_agent(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        for other in self._tables.agents.values():
            if other.login == login:
                raise Conflict(f"the login {login} is taken")
            if (other.node, other.endpoint) == (node, endpoint):
                raise Conflict(f"the phone {endpoint} on {node} belongs to another agent")
        self._must_know(campaign_ids)
        agent_id = self._tables.new_id()
        chosen = tuple(sorted(set(campaign_ids)))
        agent = Agent(id=agent_id, login=login, name=name, endpoint=endpoint, node=node, campaign_ids=chosen)
        self._tables.agents[agent_id] = agent
        return agent

    async def assign(self, agent_id: int, campaign_ids: Sequence[int]) -> None:
        if agent_id not in self._tables.agents:
            raise NotFound(f"there is no agent {agent_id}")
        self._must_know(campaign_ids)
        agent = self._tables.agents[agent_id]
        self._tables.agents[agent_id] = replace(agent, campaign_ids=tuple(sorted(set(campaign_ids))))

    async def save_settings(
        self,
        agent_id: int,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
        left_at: datetime | Unset | None = UNSET,
    ) -> None:
        if agent_id not in self._tables.agents:
            raise NotFound(f"there is no agent {agent_id}")
        agent = self._tables.agents[agent_id]
        self._tables.agents[agent_id] = replace(
            agent,
            skills=agent.skills if skills is None else tuple(skills),
            weight=agent.weight if weight is None else weight,
            max_owned=agent.max_owned if max_owned is UNSET else max_owned,
            left_at=agent.left_at if left_at is UNSET else left_at,
        )

    async def save_changes(
        self, changes: Sequence[tuple[AgentChange, Agent]], *, works: Sequence[NewWork] = ()
    ) -> None:
        for _, agent in changes:
            if agent.id not in self._tables.agents:
                raise NotFound(f"there is no agent {agent.id}")
        for change, agent in changes:
            self._tables.agent_changes.append(change)
            stored = self._tables.agents[agent.id]
            self._tables.agents[agent.id] = replace(
                agent,
                login=stored.login,
                name=stored.name,
                endpoint=stored.endpoint,
                node=stored.node,
                campaign_ids=stored.campaign_ids,
                skills=stored.skills,
                weight=stored.weight,
                max_owned=stored.max_owned,
                left_at=stored.left_at,
            )
        if changes:
            self._tables.write_works(works, changes[-1][0].at)

    def _must_know(self, campaign_ids: Sequence[int]) -> None:
        for campaign_id in campaign_ids:
            if campaign_id not in self._tables.campaigns:
                raise NotFound(f"there is no campaign {campaign_id}")
