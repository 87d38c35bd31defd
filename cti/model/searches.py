"""What is asked of transcripts, and what is found."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cti.model.transcripts import Speaker


class SearchScope(StrEnum):
    """Where all words of a query must be."""

    SEGMENT = "segment"
    """In one utterance."""
    CALL = "call"
    """Anywhere in one call; NOT: nowhere in it."""


class SearchOrder(StrEnum):
    """Which hits come first."""

    NEWEST = "newest"
    """Those of the latest call; within a call the last utterance first."""
    RANK = "rank"
    """Those that are most about what was asked, among the newest 1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilter:
    """Which utterances; every field that is not None narrows. Times are of `placed_at`, to the millisecond."""

    speaker: Speaker | None = None
    agent_id: int | None = None
    """Was on the call."""
    campaign_id: int | None = None
    list_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    call_id: str | None = None
    disposition: str | None = None
    min_seconds: float | None = None
    """Length of the recording."""
    max_seconds: float | None = None
    min_score: float | None = None
    """Of a score card's result (a mark of kind `score`)."""
    max_score: float | None = None
    rule: str | None = None
    """A keyword rule that flagged the call (a mark of kind `rule`)."""
    min_confidence: float | None = None
    """Of the utterance, 0 to 1; those without one fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Where the next page begins: after this segment, or at this place of the ranked ones."""

    segment_id: int = 0
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One utterance that was found. Times are seconds from the recording's beginning."""

    segment_id: int
    call_id: str
    version: int
    placed_at: datetime
    campaign: str | None
    agent: str | None
    """Login."""
    list_id: int | None
    disposition: str | None
    speaker: Speaker
    start: float
    end: float
    at: float
    """When the first of what was found was said."""
    text: str
    marks: tuple[tuple[int, int], ...]
    """What was found, as letters of the text; the second exclusive."""
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of hits."""

    hits: tuple[Hit, ...]
    next: After | None
    """None: there are no more. A page may be short, even empty, and still have a next one."""


class MarkKind(StrEnum):
    """What judging a call leaves on it."""

    RULE = "rule"
    """A keyword rule flagged it."""
    SCORE = "score"
    """A score card's result; has a value."""
