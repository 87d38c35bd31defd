"""What the dialer needs of campaigns: the settings, the lists, and who is next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cti.model.contacts import (
    Campaign,
    CampaignState,
    Candidate,
    EntryState,
    ImportResult,
    NewContact,
    Progress,
    RowRefused,
)


class CampaignStore(Protocol):
    """Campaigns, their lists, and what is next."""

    async def add_campaign(self, campaign: Campaign) -> Campaign:
        """Store a campaign (its `id` is ignored) and return it with its id. Raises Conflict on a taken name."""
        ...

    async def campaigns(self) -> list[Campaign]: ...

    async def set_state(self, campaign_id: int, state: CampaignState) -> None:
        """Raises NotFound."""
        ...

    async def update_campaign(self, campaign: Campaign) -> None:
        """Write all settings of a campaign but its state. Raises NotFound, Conflict (name)."""
        ...

    async def candidate(self, campaign_id: int, contact_id: int) -> tuple[Candidate, EntryState] | None:
        """Return a contact as he stands in the campaign's lists (where he may still be dialed, if anywhere).

        None when he is in none of them.
        """
        ...

    async def wake(self, entry_id: int) -> None:
        """Make a waiting entry pending; any other stays as it is."""
        ...

    async def add_list(
        self,
        *,
        campaign_id: int,
        name: str,
        source: str,
        contacts: Sequence[NewContact],
        refused: Sequence[RowRefused] = (),
        at: datetime,
    ) -> ImportResult:
        """Store a list with its contacts, all or nothing, entries in the order given.

        Raises NotFound, Conflict (name).
        """
        ...

    async def next_candidates(
        self, campaign_id: int, *, limit: int, skip: Sequence[int] = ()
    ) -> list[Candidate]:
        """List pending entries of the campaign's lists, first first, without the entries in `skip`."""
        ...

    async def progress(self, campaign_id: int) -> Progress:
        """Count entries by standing and ended calls by outcome. Raises NotFound."""
        ...
