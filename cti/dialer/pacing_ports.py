"""What pacing needs: calls counted for the ledger, and a place for its decisions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from cti.model.decisions import PacingDecision
from cti.model.ledger import Tally


class LedgerStore(Protocol):
    """Ended calls, counted for the drop ledger."""

    async def tallies(
        self,
        campaign_id: int,
        spans: Sequence[tuple[datetime | None, datetime]],
        *,
        until: datetime,
    ) -> list[Tally]:
        """Count the ended calls of each span (begin inclusive, None: from the start; end exclusive) before `until`."""
        ...


class DecisionStore(Protocol):
    """What pacing decided, and why."""

    async def add(self, decisions: Sequence[PacingDecision]) -> None:
        """Write decisions, all or none."""
        ...

    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[PacingDecision]:
        """List the campaign's decisions of a span, newest first."""
        ...

    async def thin(
        self, *, since: datetime | None, until: datetime, keep_one_per: timedelta, limit: int
    ) -> datetime | None:
        """Of the decisions in this span keep the first of each campaign and piece of time.

        Looks at no more than `limit` rows. Returns up to when it came; None: to the end of the span.
        """
        ...

    async def forget(self, *, older_than: datetime, limit: int) -> int:
        """Remove decisions older than this, at most `limit`; return how many went."""
        ...
