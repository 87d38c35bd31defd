"""What this package needs: a place where pools are kept, and what stored calls say of the use of their numbers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from cti.model.lines import CallerId, CallerPool, UseCount


class CallerStore(Protocol):
    """Pools of numbers to show. Every method is one transaction; errors are `StorageError`."""

    async def pools(self) -> list[CallerPool]:
        """List all pools with their numbers, oldest first, numbers in order."""
        ...

    async def add_pool(self, pool: CallerPool) -> CallerPool:
        """Store a pool (its `id` is ignored) and return it with its id. Raises Conflict (name, a number)."""
        ...

    async def save_pool(self, pool: CallerPool) -> None:
        """Write a pool's settings and its numbers; numbers it does not have any more stay as they are.

        Raises NotFound (pool), Conflict (name, a number of another pool).
        """
        ...

    async def save_rests(self, numbers: Sequence[CallerId]) -> None:
        """Write until when and why these numbers rest; unknown ones are passed over."""
        ...

    async def use_since(self, since: datetime, step: timedelta) -> list[UseCount]:
        """Count stored calls placed since then by number shown and step of time, oldest first."""
        ...
