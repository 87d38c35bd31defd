"""Where a contact stands in a campaign's queue, and what moves him there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cti.model.calls import Call
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """An entry of which a call has ended, or got another disposition since."""

    entry_id: int
    campaign_id: int
    call: Call
    disposition: str | None = None
    tries: int = 1
    """Attempts so far, this one among them."""
    same_outcome: int = 1
    """Of these, how many had this one's outcome, this one among them."""
    same_disposition: int = 0
    """Of these, how many had this one's disposition, this one among them."""
    number_position: int = 0
    numbers: int = 1
    """How many numbers the contact has."""
    raised: int = 0
    """How much of the entry's priority comes from a retry or a callback."""
    promised_at: datetime | None = None
    """A callback stands open that no attempt was made for yet: when it is due."""
    callback_tries: int = 0
    """Attempts for the callback that is due, this one among them; 0: this one was for none."""


class CallbackEnd(StrEnum):
    """What an attempt means for the callback it was made for."""

    DONE = "done"
    """Somebody talked with him."""
    MISSED = "missed"
    """He was not reached, and no further attempt is made for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAfter:
    """How an entry stands from now on."""

    state: EntryState
    due_at: datetime | None = None
    """Always there while it waits, else never."""
    raised: int = 0
    """Beside the priority it has from its list."""
    number_position: int = 0
    reason: SkipReason | None = None
    detail: str = ""
    counted: bool = True
    """Whether the attempt counts as a try."""
    callback: CallbackEnd | None = None
    rank: float | None = None
    """Where it stands among those of equal priority; None: as before."""


Plan = Callable[[EntryFacts], EntryAfter]
"""Says how an entry stands after an attempt; pure, for the stores that call it within their transaction."""

PLANNED: Final = frozenset(
    {SkipReason.RETRY_LATER, SkipReason.GIVEN_UP, SkipReason.NO_RULE, SkipReason.REACHED}
)
"""Reasons that a plan gives: a disposition that comes later may give another, but nobody else's is overruled."""
