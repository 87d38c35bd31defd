"""What bringing calls into CRMs needs of storage."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cti.model.crm import CallLog, Link, TargetStanding
from cti.model.work import Work

Change = Callable[[TargetStanding], TargetStanding]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounts:
    """How many calls of a target stand how."""

    target: str
    written: int
    """Stand there, as far as we know."""
    unsure: int
    """A write began, and nobody knows how it ended."""
    deleted: int
    """A user deleted them there."""


class CrmStore(Protocol):
    """What is remembered of calls in CRMs, and of the CRMs. Every method is one transaction."""

    async def logs(self, call_ids: Sequence[str]) -> Mapping[str, CallLog]:
        """Return the present facts of those of the calls that have ended.

        `recording_seconds` is set when there is a file; `recording_url` and `transcript` are not.
        """
        ...

    async def ended_ids(
        self, *, since: datetime, until: datetime, after: str = "", limit: int = 1000
    ) -> list[str]:
        """List calls that were placed in this span (`until` not included) and have ended, from the id `after` on."""
        ...

    async def links(self, target: str, call_ids: Sequence[str]) -> Mapping[str, Link]:
        """Return what is remembered of these calls; calls of which nothing is are left out."""
        ...

    async def links_after(self, target: str, call_id: str, *, limit: int) -> list[Link]:
        """List all that is remembered, by call id, from the one after this on ("" for the first)."""
        ...

    async def begin(self, target: str, call_ids: Sequence[str], *, now: datetime) -> None:
        """Write that writing begins now; what is remembered else stays."""
        ...

    async def put_links(self, links: Sequence[Link]) -> None:
        """Write links, in place of what was remembered of the same calls."""
        ...

    async def begin_held(
        self, target: str, works: Sequence[Work], *, now: datetime, lease_for: timedelta
    ) -> set[int]:
        """Keep the leases of works, and write for those still held that writing their calls begins now; return the ids
        of the others."""
        ...

    async def settle_held(
        self,
        target: str,
        settled: Sequence[tuple[Work, Link]],
        *,
        over: Collection[int],
        change: Callable[[Collection[int]], Change],
        now: datetime,
        lease_for: timedelta,
    ) -> set[int]:
        """Write what is remembered after works, mark those of the ids `over` done, and change the target's standing.

        Works that are no longer held are left out, with their links; their ids are given to `change`, and returned.
        """
        ...

    async def standing(self, target: str) -> TargetStanding:
        """Return how a target stands; as new when nothing is known of it."""
        ...

    async def change_standing(self, target: str, change: Change) -> TargetStanding:
        """Write what `change` makes of the standing, and return it. Two changes never overtake each other."""
        ...

    async def standings(self) -> list[TargetStanding]:
        """List all that are known, by name."""
        ...

    async def link_counts(self) -> list[LinkCounts]:
        """Count the links of each target."""
        ...
