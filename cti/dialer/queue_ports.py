"""What the dialer needs of a campaign's queue: who is next, who is not, and why."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.contacts import Candidate, EntryState
from cti.model.standing import Lane, Parked
from cti.model.whys import LaneCount, ReasonCount, Standing, ToldReason


class QueueStore(Protocol):
    """Who is next, who is not, and why. Every method is one transaction; errors are `StorageError`."""

    async def lanes(self, campaign_id: int, *, owners: Collection[int]) -> list[Lane]:
        """List the lanes of these owners (`NOBODY` among them or not) that hold somebody, first first."""
        ...

    async def heads(
        self,
        campaign_id: int,
        *,
        owners: Collection[int],
        closed_zones: Collection[str] = (),
        limit: int,
        skip: Collection[int] = (),
    ) -> list[Candidate]:
        """Merge the heads of these owners' lanes: the best pending entries by priority, rank and entry.

        Without those in `skip`, and without the lanes of `closed_zones`. A candidate whose number is no longer there
        has the empty text for one.
        """
        ...

    async def park(self, parked: Sequence[Parked], *, at: datetime) -> int:
        """Take entries out of the queue, with the reason, and note it in the history; returns how many.

        One that is no longer pending is left alone, and nothing is noted of it.
        """
        ...

    async def wake(self, now: datetime, *, limit: int) -> Mapping[int, int]:
        """Make entries pending that were to wait until now, the longest due first.

        At most `limit` of them. Returns how many of each campaign.
        """
        ...

    async def recyclable(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str] = ()
    ) -> Mapping[str, int]:
        """Count, by outcome, the list's entries that are done after one of these outcomes or dispositions.

        Not those that somebody stopped, or that a rule of law refused. Raises NotFound.
        """
        ...

    async def recycle(
        self,
        list_id: int,
        *,
        outcomes: Collection[str],
        dispositions: Collection[str] = (),
        after: int,
        limit: int,
        at: datetime,
    ) -> list[int]:
        """Put the first `limit` of them behind entry `after` back to pending, as if never tried; return their ids.

        Raises NotFound.
        """
        ...

    async def has_other_numbers(self, campaign_id: int) -> bool:
        """Return whether any contact in the campaign's lists has a second number. Reads all of them when none has."""
        ...


class ReasonStore(Protocol):
    """How entries stand, why, and what became of contacts before. Errors are `StorageError`."""

    async def standings(self, *, number: str | None = None, contact_id: int | None = None) -> list[Standing]:
        """List the entries of whoever has this number (E.164), or of this contact, oldest first."""
        ...

    async def history(
        self, *, number: str | None = None, contact_id: int | None = None, limit: int
    ) -> list[ToldReason]:
        """List what became of a number or a contact, newest first."""
        ...

    async def reason_counts(self, campaign_id: int) -> list[ReasonCount]:
        """Count the campaign's entries that wait or are done, by reason. Read from an index alone."""
        ...

    async def lane_counts(self, campaign_id: int) -> list[LaneCount]:
        """Count the campaign's pending entries, by owner and zone."""
        ...

    async def samples(
        self,
        campaign_id: int,
        state: EntryState,
        *,
        reason: str | None = None,
        owner_id: int | None = None,
        zone: str | None = None,
        limit: int,
    ) -> list[Standing]:
        """List some entries: pending ones of a lane, first first; others of a reason, the soonest due first."""
        ...

    async def before(self, candidate: Candidate, *, owner_id: int, limit: int) -> int:
        """Count who stands before a candidate in his lane, at most `limit`."""
        ...

    async def forget(self, before: datetime, *, limit: int) -> int:
        """Delete what was told before that moment, at most `limit` rows, the oldest first; returns how many."""
        ...
