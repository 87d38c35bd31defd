"""What the API needs of trunks, of numbers to show, and of Asterisk nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cti.model.lines import CallerPool, PoolStanding, TrunkStanding


class LineDesk(Protocol):
    """Numbers to show, and trunks."""

    def trunks(self) -> Sequence[TrunkStanding]:
        """List all trunks as they are now."""
        ...

    def pools(self) -> Sequence[PoolStanding]:
        """List all pools with the use of their numbers, oldest first."""
        ...

    async def add(self, pool: CallerPool) -> PoolStanding:
        """Store a pool; its `id` is ignored. Raises Conflict (name, a number of another pool)."""
        ...

    async def change(
        self, name: str, *, settings: dict[str, object], numbers: dict[str, dict[str, object]]
    ) -> PoolStanding:
        """Change fields of a pool, and of its numbers; unknown numbers are added. Raises NotFound, Conflict."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStanding:
    """One Asterisk node now."""

    name: str
    connected: bool
    version: str | None = None
    reason: str | None = None
    """Why it is not connected."""


class Nodes(Protocol):
    """The Asterisk nodes."""

    def standing(self) -> Sequence[NodeStanding]:
        """List the nodes in the order of the settings."""
        ...
