"""Where a contact stands in a campaign's queue, and what moves him there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cti.model.contacts import Candidate, EntryState
from cti.model.verdicts import SkipReason

NOBODY = 0
"""The owner of what nobody owns, wherever owners are told by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Pending entries of one owner in one zone; one queue of many. Never empty."""

    owner_id: int
    """The agent who owns the contacts; `NOBODY` for those without an owner."""
    zone: str
    """IANA name; empty: not known."""
    entry_id: int
    """Who is first in it, and how he stands against the first of other lanes: see `place`."""
    priority: int
    rank: float

    @property
    def place(self) -> tuple[int, float, int]:
        """Return what lanes are compared by: the smallest is dialed first."""
        return (-self.priority, self.rank, self.entry_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A contact that is not dialed now, and why."""

    candidate: Candidate
    reason: SkipReason
    detail: str = ""
    until: datetime | None = None
    """When he may be looked at again; None: never by himself, his entry is done."""

    @property
    def state(self) -> EntryState:
        """Return how the entry stands from now on."""
        return EntryState.DONE if self.until is None else EntryState.WAITING


class ReasonKind(StrEnum):
    """What became of a contact at a moment."""

    DIALED = "dialed"
    SKIPPED = "skipped"
