"""What pulling lists from CRMs needs of storage."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.crm_pulls import (
    PullAnswer,
    PullProblem,
    PullRules,
    PullStanding,
    RecordStanding,
    Wanted,
)

PullChange = Callable[[PullStanding], PullStanding]


class PullStore(Protocol):
    """Records of pulls, and how far each has come. Every method is one transaction."""

    async def standing(self, pull: str) -> PullStanding:
        """Return how far a pull has come; as new when nothing is known of it."""
        ...

    async def standings(self) -> list[PullStanding]:
        """List all that are known, by name."""
        ...

    async def change(self, pull: str, change: PullChange) -> PullStanding:
        """Write what `change` makes of the standing, and return it. Two changes never overtake each other."""
        ...

    async def take(self, rules: PullRules, answer: PullAnswer, *, at: datetime) -> PullStanding:
        """Take records into the campaign's list, and the cursor with them.

        The same answer again changes nothing. Raises NotFound (campaign), Conflict (a page that was asked with another
        cursor than the one that holds: somebody else has read on). With `dry_run` only the standing is written.
        """
        ...

    async def stale(self, rules: PullRules, *, before: datetime, limit: int) -> list[str]:
        """List records that were read before then and whose entries are held back for it, or dialed next."""
        ...

    async def open_refs(self, rules: PullRules, *, after: str, limit: int) -> list[str]:
        """List records whose entries are still to be dialed, by reference, from the one after this on."""
        ...

    async def entries(self, entry_ids: Collection[int], *, pulls: Sequence[str]) -> list[RecordStanding]:
        """Return what is remembered of those of the entries that these pulls brought."""
        ...

    async def problems(self, pull: str, *, after: str = "", limit: int = 100) -> list[PullProblem]:
        """List records of which something was not taken, by reference, from the one after this on."""
        ...

    async def follow_ups(self, pull: str, *, limit: int) -> list[Wanted]:
        """List follow-ups that the CRM names and that no callback was made for yet."""
        ...

    async def followed_up(self, pull: str, ref: str, at: datetime | None) -> None:
        """Note that this follow-up was dealt with; another that came meanwhile stays to be."""
        ...

    async def counts(self, pull: str) -> tuple[int, int]:
        """Count the records that are remembered, and those of which something was not taken."""
        ...
