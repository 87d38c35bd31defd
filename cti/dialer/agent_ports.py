"""What the dialer needs to write of agents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cti.model.agents import UNSET, Agent, AgentChange, Unset
from cti.model.work import NewWork


class AgentStore(Protocol):
    """Agents and their history."""

    async def agents(self) -> list[Agent]:
        """List all agents as last saved, with their campaigns."""
        ...

    async def add_agent(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """Make an agent, logged out. Raises Conflict when the login or the phone is taken."""
        ...

    async def assign(self, agent_id: int, campaign_ids: Sequence[int]) -> None:
        """Set the campaigns an agent works on. Raises NotFound for an unknown agent or campaign."""
        ...

    async def save_settings(
        self,
        agent_id: int,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
        left_at: datetime | Unset | None = UNSET,
    ) -> None:
        """Write those settings of an agent that are given. Raises NotFound."""
        ...

    async def save_changes(
        self, changes: Sequence[tuple[AgentChange, Agent]], *, works: Sequence[NewWork] = ()
    ) -> None:
        """Write history rows and the agents' present state (state, since, reason, channel, call), in order.

        `works` go in with the same commit.
        """
        ...
