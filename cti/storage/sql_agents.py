"""`AgentStore` on the database: agents and their history."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.agents import UNSET, Agent, AgentChange, AgentState, Unset
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_PRESENT: Final = ("since", "reason", "channel_id", "channel", "call_id", "pause_next", "phone_reachable")
"""What `save_changes` writes of an agent, beside the state; the rest is settled by `add_agent` and `assign`."""

_AGENTS: Final = select(tables.agents).order_by(tables.agents.c.id)
_TEAMS: Final = select(tables.agent_campaigns).order_by(tables.agent_campaigns.c.campaign_id)
_SAVE_AGENT: Final = (
    update(tables.agents)
    .where(tables.agents.c.id == bindparam("agent"))
    .values({name: bindparam(f"new_{name}") for name in ("state", *_PRESENT)})
)


class SqlAgents:
    """Agents, the campaigns they work on, their changes of state."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)

    @to_the_end
    async def agents(self) -> list[Agent]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_AGENTS)).mappings().all()
            teams = (await connection.execute(_TEAMS)).all()
        campaign_ids: defaultdict[int, list[int]] = defaultdict(list)
        for team in teams:
            campaign_ids[team.agent_id].append(team.campaign_id)
        return [_agent(dict(row), tuple(campaign_ids[row["id"]])) for row in rows]

    @to_the_end
    async def add_agent(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """See the port."""
        agent: dict[str, Any] = {"login": login, "name": name, "endpoint": endpoint, "node": node}
        state = AgentState.LOGGED_OUT
        chosen = tuple(sorted(set(campaign_ids)))
        async with self._connections.writing() as connection:
            if await connection.scalar(select(tables.agents.c.id).where(tables.agents.c.login == login)):
                raise Conflict(f"the login {login} is taken")
            row = insert(tables.agents).values(**agent, state=state.value, phone_reachable=True)
            agent_id = (await connection.execute(row.returning(tables.agents.c.id))).scalar_one()
            await _assign(connection, agent_id, chosen)
        return Agent(id=agent_id, **agent, state=state, campaign_ids=chosen)

    @to_the_end
    async def assign(self, agent_id: int, campaign_ids: Sequence[int]) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            known = select(tables.agents.c.id).where(tables.agents.c.id == agent_id).with_for_update()
            if await connection.scalar(known) is None:
                raise NotFound(f"there is no agent {agent_id}")
            table = tables.agent_campaigns
            await connection.execute(delete(table).where(table.c.agent_id == agent_id))
            await _assign(connection, agent_id, sorted(set(campaign_ids)))

    @to_the_end
    async def save_settings(
        self,
        agent_id: int,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
        left_at: datetime | Unset | None = UNSET,
    ) -> None:
        """See the port."""
        settings: dict[str, Any] = {
            **({} if skills is None else {"skills": list(skills)}),
            **({} if weight is None else {"weight": weight}),
            **({} if max_owned is UNSET else {"max_owned": max_owned}),
            **({} if left_at is UNSET else {"left_at": left_at}),
        }
        change = update(tables.agents).where(tables.agents.c.id == agent_id)
        async with self._connections.writing() as connection:
            done = await connection.execute(
                change.values(**settings) if settings else change.values(id=agent_id)
            )
            if done.rowcount == 0:
                raise NotFound(f"there is no agent {agent_id}")

    @to_the_end
    async def save_changes(
        self, changes: Sequence[tuple[AgentChange, Agent]], *, works: Sequence[NewWork] = ()
    ) -> None:
        """See the port."""
        if not changes:
            return
        newest = {agent.id: agent for _, agent in changes}
        async with self._connections.writing() as connection:
            await _must_know(connection, tables.agents.c.id, newest, "agent")
            await connection.execute(
                insert(tables.agent_changes), [_change_values(one) for one, _ in changes]
            )
            # in one order for all, so that no two writers deadlock
            await connection.execute(_SAVE_AGENT, [_present(newest[agent_id]) for agent_id in sorted(newest)])
            await self._works.write(connection, works, now=changes[-1][0].at)


async def _assign(connection: AsyncConnection, agent_id: int, campaign_ids: Sequence[int]) -> None:
    if campaign_ids:
        await _must_know(connection, tables.campaigns.c.id, campaign_ids, "campaign")
        rows = [{"agent_id": agent_id, "campaign_id": campaign_id} for campaign_id in campaign_ids]
        await connection.execute(insert(tables.agent_campaigns), rows)


async def _must_know(connection: AsyncConnection, column: Any, wanted: Iterable[int], noun: str) -> None:
    known = set((await connection.execute(select(column).where(column.in_(list(wanted))))).scalars())
    for missing in sorted(set(wanted) - known):
        raise NotFound(f"there is no {noun} {missing}")


def _agent(values: dict[str, Any], campaign_ids: tuple[int, ...]) -> Agent:
    state = AgentState(values.pop("state"))
    values["skills"] = tuple(values["skills"])
    return Agent(**values, state=state, campaign_ids=campaign_ids)


def _change_values(change: AgentChange) -> dict[str, Any]:
    return {
        "agent_id": change.agent_id,
        "at": change.at,
        "before": change.before.value,
        "after": change.after.value,
        "reason": change.reason,
        "call_id": change.call_id,
    }


def _present(agent: Agent) -> dict[str, Any]:
    present = {f"new_{name}": getattr(agent, name) for name in _PRESENT}
    return {"agent": agent.id, "new_state": agent.state.value, **present}
