"""What the API needs of campaigns: their lists, their pacing, and why they dial or do not."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.answer_chances import ChanceFit
from cti.model.contacts import Campaign, Progress
from cti.model.decisions import PacingDecision
from cti.model.ledger import Standing
from cti.model.whys import CampaignWhy, ContactWhy


class CampaignDesk(Protocol):
    """Campaigns and their lists."""

    async def campaigns(self) -> Sequence[Campaign]:
        """List all campaigns, oldest first, as they are now."""
        ...

    async def add(self, campaign: Campaign) -> Campaign:
        """Store a campaign, stopped; its `id` is ignored. Raises Conflict (name), NotFound (node)."""
        ...

    async def change(self, campaign: Campaign) -> Campaign:
        """Write all settings but the state, also while it dials. Raises Conflict (name), NotFound (id, node)."""
        ...

    async def start(self, campaign_id: int) -> Campaign: ...

    async def pause(self, campaign_id: int) -> Campaign: ...

    async def stop(self, campaign_id: int) -> Campaign: ...

    async def progress(self, campaign_id: int) -> Progress:
        """Raises NotFound."""
        ...


class Ledger(Protocol):
    """The drop ledgers."""

    async def standing(self, campaign: Campaign) -> Standing:
        """Return where the campaign stands against its limit."""
        ...


class Decisions(Protocol):
    """What pacing decided."""

    def last(self, campaign_id: int) -> PacingDecision | None:
        """Return the last look of the running service, None before the first one."""
        ...

    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> Sequence[PacingDecision]:
        """List what was kept of a span, newest first."""
        ...


class AnswerChances(Protocol):
    """What was learned of who answers."""

    async def newest(self, campaign_id: int) -> ChanceFit | None:
        """Return the campaign's newest fit, used or not; None: there was none."""
        ...

    async def order(self, campaign_id: int) -> None:
        """Have the campaign's chances fitted soon."""
        ...


class Recycled(Protocol):
    """What became of a list that was recycled."""

    @property
    def by_outcome(self) -> Mapping[str, int]:
        """How many contacts there are, by the outcome of their last attempt."""
        ...

    @property
    def moved(self) -> int:
        """How many are pending again."""
        ...


class Recycler(Protocol):
    """Puts contacts a list is done with back into its queue."""

    async def recycle(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str], dry_run: bool
    ) -> Recycled:
        """Raises NotFound."""
        ...


class Whys(Protocol):
    """Says why contacts are dialed or not."""

    async def of_number(self, number: str) -> ContactWhy:
        """Raises NotFound when nobody knows the number (E.164)."""
        ...

    async def of_contact(self, contact_id: int) -> ContactWhy:
        """Raises NotFound."""
        ...

    async def of_campaign(self, campaign: Campaign) -> CampaignWhy:
        """Answer for every entry that is not being dialed."""
        ...
