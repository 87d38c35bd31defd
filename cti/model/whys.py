"""Why contacts are dialed or not: what is stored, and what is answered."""

from dataclasses import dataclass
from datetime import datetime

from cti.model.contacts import Candidate, EntryState
from cti.model.decisions import PacingDecision
from cti.model.standing import ReasonKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An entry as it stands now."""

    candidate: Candidate
    state: EntryState
    owner_id: int
    """In whose lane it stands; 0: nobody's."""
    due_at: datetime | None = None
    reason: str | None = None
    detail: str = ""
    reason_at: datetime | None = None
    call_id: str | None = None
    """Its last call, or the one that is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldReason:
    """What became of a contact at a moment."""

    id: int
    at: datetime
    kind: ReasonKind
    reason: str
    """A `SkipReason`; empty when he was dialed."""
    detail: str
    entry_id: int
    contact_id: int
    campaign_id: int
    number: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many entries of a campaign wait, or are done, for one reason."""

    state: EntryState
    reason: str | None
    entries: int
    next_at: datetime | None = None
    """When the first of them may be dialed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCount:
    """How many entries are pending in one lane."""

    owner_id: int
    zone: str
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why an entry is not being dialed at this moment."""

    reason: str
    words: str
    until: datetime | None = None
    """The next moment at which that changes by itself; None: not known, or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWhy:
    """An entry, and the answer."""

    standing: Standing
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWhy:
    """All that is known of why a number or a contact is dialed or not."""

    entries: tuple[EntryWhy, ...] = ()
    history: tuple[ToldReason, ...] = ()
    """Newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGroup:
    """Entries of a campaign that are not dialed for one reason."""

    state: EntryState
    answer: Answer
    """Its `until` is when the first of them may be dialed."""
    entries: int
    samples: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignWhy:
    """Why a campaign's contacts are not dialed, all of them."""

    campaign_id: int
    groups: tuple[ReasonGroup, ...] = ()
    """The largest first."""
    next_at: datetime | None = None
    """The next moment at which something changes by itself."""
    pacing: PacingDecision | None = None
    """The last decision on how many calls to place; None: there was none since the service began."""
