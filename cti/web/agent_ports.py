"""What the API needs of agents."""

from collections.abc import Sequence
from typing import Protocol

from cti.model.agents import UNSET, Agent, Unset


class AgentDesk(Protocol):
    """Agents, and what they ask for. Raises NotFound (login), Conflict (not in this state), NodeDown."""

    def agents(self) -> Sequence[Agent]:
        """List all agents as they are now, by login."""
        ...

    async def add(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """Make an agent, logged out. Raises Conflict (login or phone taken), NotFound (campaign, node)."""
        ...

    async def assign(self, login: str, campaign_ids: Sequence[int]) -> Agent:
        """Set the campaigns he works on."""
        ...

    async def configure(
        self,
        login: str,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
    ) -> Agent:
        """Set what contacts may ask of him and how many he may own; what is not given stays."""
        ...

    async def leave(self, login: str) -> Agent:
        """Note that he works here no more. While he is logged in: Conflict."""
        ...

    async def come_back(self, login: str) -> Agent:
        """Note that he works here again."""
        ...

    async def login(self, login: str, *, ready: bool = True) -> Agent:
        """Call his phone and keep the leg; then ready, or paused for `login`. Returns when it is up."""
        ...

    async def logout(self, login: str) -> Agent:
        """Let his leg go. While he is on a call: Conflict."""
        ...

    async def ready(self, login: str) -> Agent:
        """Offer him calls. Ends wrap-up and pause."""
        ...

    async def pause(self, login: str, reason: str) -> Agent:
        """No more calls; on a call it holds from its end (`pause_next`)."""
        ...

    async def hang_up(self, login: str) -> Agent:
        """End the customer's leg of his present call. Conflict when he has none."""
        ...
