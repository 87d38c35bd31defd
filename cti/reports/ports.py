"""What reports and lists of calls are made from."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.agents import AgentChange
from cti.model.queries import CallFilter, CallRow
from cti.model.stories import Story


class FactStore(Protocol):
    """Reads what happened."""

    async def call_rows(self, wanted: CallFilter) -> list[CallRow]:
        """List calls newest first, at most `wanted.limit`."""
        ...

    def all_call_rows(self, wanted: CallFilter) -> AsyncIterator[CallRow]:
        """Stream all calls that match, newest first, whatever `limit` says; memory stays flat."""
        ...

    async def agent_changes(self, *, since: datetime, until: datetime) -> list[AgentChange]:
        """List the agents' changes of state in the span, oldest first, each agent's last one before it included."""
        ...


class Stories(Protocol):
    """What a node wrote down itself (CEL)."""

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        """Return one channel's story, None when its node's records have none or are not reachable."""
        ...

    async def all_since(self, node: str, since: datetime) -> Sequence[Story]:
        """List the stories of all channels whose id is one of ours that started since then."""
        ...
