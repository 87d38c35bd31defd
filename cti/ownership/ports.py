"""What ownership needs: a place where it is written who owns whom."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.ownership import (
    Claim,
    Moved,
    Ownable,
    OwnerMove,
    PoolCount,
    Pooled,
    Selection,
    Success,
    Terms,
    Untouched,
    Wish,
)


class OwnershipStore(Protocol):
    """Owners of contacts and their history. Every method is one transaction; errors are `StorageError`."""

    async def move(self, wishes: Sequence[Wish], *, terms: Terms) -> Moved:
        """Carry out what `cti.ownership.judging` allows, all in one commit: owner, lanes of the lists, history, rota.

        The contacts, those that share a number with them, and the agents they come to are locked meanwhile, so that
        what was judged is true when it is written. At most some hundred wishes at a time: on SQLite calls wait.
        """
        ...

    async def claim(self, claim: Claim, *, terms: Terms) -> Moved:
        """Give the agent the next of the pool that he may have: fresh ones in the order of dialing, then given-back
        ones, the longest ago first. Never waits for another claim and never gives what another one is taking.

        Fewer than asked for when the pool has no more for him. `refused` is empty.
        """
        ...

    async def ownable(
        self, selection: Selection, *, after: int = 0, limit: int, since: datetime | None = None
    ) -> list[Ownable]:
        """List the selected contacts with an id above `after`, by id. `since`: who gave them back after that."""
        ...

    async def due(self, campaign_id: int, agent_id: int, untouched: Untouched, *, limit: int) -> list[int]:
        """List contacts of the agent that stand in the campaign and are due to go back."""
        ...

    async def owned(self) -> Mapping[int, int]:
        """Count contacts by owner; who owns none is not in it."""
        ...

    async def turns(self, rota: str) -> Mapping[int, float]:
        """Return where a rota stands; empty at first."""
        ...

    async def moves(self, contact_id: int) -> list[OwnerMove]:
        """List a contact's history, the oldest first. Raises NotFound."""
        ...

    async def pool_counts(self, campaign_ids: Collection[int]) -> list[PoolCount]:
        """Count the pool of these campaigns, by their ids."""
        ...

    async def pool(self, campaign_id: int, *, list_id: int | None = None, limit: int) -> list[Pooled]:
        """List the contacts that a claim would look at first."""
        ...

    async def successes(
        self, codes: Collection[str], *, since: datetime, call_id: str | None = None
    ) -> list[Success]:
        """List calls placed since then with one of these dispositions, of contacts that belong to nobody.

        A contact that was given back after the disposition is not among them.
        """
        ...
