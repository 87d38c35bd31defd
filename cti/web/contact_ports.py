"""What the API needs of contacts: how they come in, and whose they are."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from cti.model.agents import Agent
from cti.model.campaign_rules import Order
from cti.model.imports import HowFar, Import, ImportOrder, Lead, LeadTaken, Refusal
from cti.model.ownership import Moved, OwnerMove, PoolCount, Pooled, Selection
from cti.ownership.assignment import Asked
from cti.ownership.sharing import Method, Shared


class ImportDesk(Protocol):
    """Imports of lists: `cti.contacts.importer`."""

    async def receive(self, order: ImportOrder, chunks: AsyncIterator[bytes]) -> Import:
        """Keep a file and note the import, which begins in its turn.

        Raises BadInput (an order that cannot be carried out), NotFound (campaign), Conflict (name of the list).
        """
        ...

    async def finished(self, import_id: int) -> Import:
        """Return the import when it is done, failed or undone."""
        ...

    async def undo(self, import_id: int, *, by: str) -> Import:
        """Begin to undo. Raises NotFound, Conflict (not done, or a dry run)."""
        ...

    async def get(self, import_id: int) -> Import:
        """Raises NotFound."""
        ...

    async def imports(
        self, *, campaign_id: int | None = None, before_id: int | None = None, limit: int = 50
    ) -> Sequence[Import]:
        """List imports, newest first."""
        ...

    async def refusals(self, import_id: int, *, after_id: int = 0, limit: int = 100) -> Sequence[Refusal]:
        """List refused rows in the order of the file. Raises NotFound."""
        ...

    def how_far(self, now: Import) -> HowFar:
        """Return how far the reading of its file has come."""
        ...


class LeadDesk(Protocol):
    """Leads in real time: `cti.contacts.lead_desk`."""

    async def add(self, lead: Lead, *, order: Order) -> LeadTaken:
        """Store the lead, then tell it on the bus. Raises NotFound (campaign)."""
        ...


class OwnershipDesk(Protocol):
    """Who owns which contact. Raises NotFound, Conflict and BadInput with a sentence that says why."""

    async def pool(
        self, campaign_ids: Iterable[int], *, list_id: int | None = None, limit: int
    ) -> tuple[list[PoolCount], list[Pooled]]:
        """Count the pool of these campaigns and list whom a claim would get first."""
        ...

    async def room(self, login: str) -> int | None:
        """Return how many more contacts an agent may own, None: any number."""
        ...

    async def moves(self, contact_id: int) -> list[OwnerMove]:
        """List a contact's owners, the oldest move first."""
        ...

    async def claim(
        self,
        login: str,
        count: int,
        *,
        campaign_id: int | None = None,
        list_id: int | None = None,
        by: str,
        lead: bool,
    ) -> Moved:
        """Give an agent the next of the pool."""
        ...

    async def claim_these(self, login: str, contact_ids: Sequence[int], *, by: str, lead: bool) -> Moved:
        """Give an agent these contacts of the pool."""
        ...

    async def give_back(self, contact_id: int, *, login: str | None, reason: str, by: str) -> OwnerMove:
        """Put a contact back into the pool. `login`: only when he is this agent's."""
        ...

    async def transfer(self, contact_id: int, *, to: str, reason: str, by: str) -> Moved:
        """Move a contact to another agent."""
        ...


class Distributor(Protocol):
    """Gives many contacts to agents, as a plan or for good."""

    async def assign(
        self,
        selection: Selection,
        *,
        to: Sequence[str],
        method: Method,
        asked: Asked | None = None,
        take_over: bool = False,
        most: int | None = None,
        reason: str = "",
        by: str,
        dry_run: bool,
    ) -> Shared:
        """Share contacts out among agents; without `to` among all of the selection's campaign."""
        ...

    def receivers(self, login: str, to: Sequence[str]) -> tuple[Agent, list[Agent]]:
        """Return who hands over and who takes over; raises what `hand_over` would raise."""
        ...

    async def hand_over(
        self, login: str, *, to: Sequence[str], by: str, reason: str = "", dry_run: bool = False
    ) -> Shared:
        """Give all contacts of an agent to others by their weights; without `to`, and the rest, to the pool."""
