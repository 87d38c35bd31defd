"""What the runner of work needs from storage.

Writing new work is not here: it is written by the store that changes what the work is about, in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cti.model.work import NewWork, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCounts:
    """How much work stands where, for one kind."""

    kind: str
    waiting: int
    leased: int
    done: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkQueue:
    """How the work of one kind stands in line."""

    oldest_due_at: datetime | None
    """When that was due which is due and held by nobody for the longest time; None: nothing is."""
    done: int
    """Rows done within the span that was asked for."""


class WorkStore(Protocol):
    """The durable work table. Every method is one transaction."""

    async def add(self, works: Sequence[NewWork], *, now: datetime) -> None:
        """Write work outside of another transaction (maintenance, tests)."""
        ...

    async def lease(
        self, *, kinds: Sequence[str], limit: int, now: datetime, lease_for: timedelta
    ) -> list[Work]:
        """Take up to `limit` due rows of these kinds, highest priority then longest due first.

        A row whose lease has run out is due again. Two callers never get one row at one time.
        """
        ...

    async def extend(self, work: Work, *, now: datetime, lease_for: timedelta) -> bool:
        """Keep the lease longer; False when it is no longer ours."""
        ...

    async def extend_all(self, works: Sequence[Work], *, now: datetime, lease_for: timedelta) -> set[int]:
        """Keep the leases of works that one `lease` handed out; return the ids of those that are still ours."""
        ...

    async def finish(self, work: Work, *, now: datetime) -> bool:
        """Mark it done. False when the lease is no longer ours, or a newer version came meanwhile (which stays due)."""
        ...

    async def finish_all(self, works: Sequence[Work], *, now: datetime) -> set[int]:
        """Mark works done that one `lease` handed out, as `finish` does each; return the ids of those it did."""
        ...

    async def retry(self, work: Work, *, error: str, due_at: datetime, now: datetime) -> bool:
        """Give it back, due again at `due_at`. False when the lease is no longer ours.

        When a newer version came meanwhile, that one is due when it wished to be, with no attempts counted.
        """
        ...

    async def give_back(self, work: Work, *, due_at: datetime, now: datetime) -> bool:
        """Give it back as if it had not been run: due at `due_at`, this run not counted, its last error kept.

        False when the lease is no longer ours. When a newer version came meanwhile, that one is due when it wished.
        """
        ...

    async def bury(self, work: Work, *, error: str, now: datetime) -> bool:
        """Move it to the dead letters.

        False when the lease is no longer ours, or a newer version came meanwhile (which stays due).
        """
        ...

    async def revive(self, work_id: int, *, now: datetime) -> bool:
        """Make a dead letter due again with its attempts at 0. False when there is none of that id."""
        ...

    async def discard(self, work_id: int, *, now: datetime) -> bool:
        """Take a dead letter for done, its error kept. False when there is none of that id."""
        ...

    async def dead(self, *, kind: str | None = None, limit: int = 100) -> list[Work]:
        """List dead letters, newest first."""
        ...

    async def queue(self, *, kind: str, now: datetime, since: datetime) -> WorkQueue:
        """Tell how the work of one kind stands in line, and how much of it was done from `since` on."""
        ...

    async def forget_done(self, *, before: datetime, kinds: Sequence[str] | None = None) -> int:
        """Delete the rows (of these kinds) that were done before then, and say how many.

        History that nobody asks for grows for ever.
        """
        ...

    async def counts(self) -> list[WorkCounts]:
        """Count the rows by kind and standing."""
        ...
