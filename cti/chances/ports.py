"""What learning needs of storage."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cti.model.answer_chances import Callee, ChanceFit, PastAttempt
from cti.model.calls import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of some contacts."""

    attempts: Sequence[PastAttempt]
    """Ended ones that can be learned from, in any order."""
    callees: Mapping[int, Callee]
    """By number id; a number that is gone is missing."""


class ChanceStore(Protocol):
    """Ended attempts, and the fits that were made from them. Errors are `StorageError`."""

    async def ended_attempts(
        self,
        campaign_id: int,
        *,
        outcome: Outcome,
        since: datetime,
        before: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[PastAttempt]:
        """List attempts with this outcome that ended since then, newest end first.

        `before`: end and call id of the last one of the page before.
        """
        ...

    async def past_of(
        self, campaign_id: int, contacts: Collection[int], numbers: Collection[int], *, since: datetime
    ) -> Past:
        """Return the campaign's attempts at these contacts that ended since then, and who has these numbers."""
        ...

    async def save_fit(self, fit: ChanceFit) -> int:
        """Store a fit (its `id` is ignored) and return its id; only the newest ones of a campaign are kept.

        Raises NotFound for an unknown campaign.
        """
        ...

    async def newest_fit(self, campaign_id: int) -> ChanceFit | None: ...
