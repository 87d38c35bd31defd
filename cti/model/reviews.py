"""Reviews: a call scored by a person; and the queue of calls that wait for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.model.call_record import moment
from cti.model.judgements import JudgedCall, call_fields

NOT_APPLICABLE: Final = "na"
YES: Final = "yes"
NO: Final = "no"


class ReviewState(StrEnum):
    """Where a review stands. Stored; renamed never."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPEALED = "appealed"
    """The agent contests it."""
    RESOLVED = "resolved"
    """Somebody else decided on the appeal; final."""


COUNTED: Final = frozenset({ReviewState.SUBMITTED, ReviewState.APPEALED, ReviewState.RESOLVED})
"""Reviews whose score counts in results."""


class ReviewMove(StrEnum):
    """What is done to a review; kept in its history."""

    BEGUN = "begun"
    ANSWERED = "answered"
    COMMENTED = "commented"
    SUBMITTED = "submitted"
    APPEALED = "appealed"
    RESOLVED = "resolved"


class AnsweredBy(StrEnum):
    """Who answered a question."""

    SERVICE = "service"
    """By a rule or a figure."""
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreAnswer:
    """The answer to one question."""

    value: str
    """`yes`, `no`, `na`, a whole number, or a choice's code."""
    answered_by: AnsweredBy = AnsweredBy.PERSON
    share: float | None = None
    """Of the question's weight, 0 to 1; None: not applicable."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the service answered by: the rule with its version and hits, or the figure. Kept when it is overridden."""
    note: str = ""

    @property
    def overridden(self) -> bool:
        """Return whether the service answered, and a person thought otherwise."""
        return self.answered_by is AnsweredBy.PERSON and bool(self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the answers come to."""

    points: float | None
    """0 to 100; None: nothing that counts is answered."""
    fatal: tuple[str, ...] = ()
    """Fatal questions that were failed."""
    open: tuple[str, ...] = ()
    """Questions without an answer."""
    sections: tuple[tuple[str, float | None], ...] = ()
    """Title and points of each; fatal questions do not zero these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One call, scored by one reviewer on one version of a card."""

    id: int
    call: JudgedCall
    card_id: int
    """Id of the card's version."""
    card_code: str
    card_version: int
    reviewer: str
    """Name of the token."""
    state: ReviewState
    answers: Mapping[str, ScoreAnswer] = field(default_factory=dict)
    """By the question's code."""
    points: float | None = None
    """0 to 100; of a draft: what it would come to now."""
    fatal: tuple[str, ...] = ()
    passed: bool | None = None
    """None until it is submitted, and where nothing counts."""
    calibration: bool = False
    """Scored beside another review to compare reviewers; counts in no results but calibration."""
    edition: int = 1
    """Counts up with each change; a change that names another one is refused."""
    created_at: datetime
    changed_at: datetime
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewComment:
    """A remark on a review, perhaps at a moment of the call."""

    id: int
    review_id: int
    by: str
    at: datetime
    seconds: float | None
    """From the recording's beginning."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStep:
    """One line of a review's history."""

    at: datetime
    by: str
    move: ReviewMove
    change: Mapping[str, Any] = field(default_factory=dict)


class QueueSource(StrEnum):
    """Why a call waits for a review."""

    RULE = "rule"
    """It was flagged."""
    SAMPLE = "sample"
    """It was drawn."""
    HAND = "hand"
    """Somebody asked for it."""


class QueueState(StrEnum):
    """Where a place in the queue stands."""

    WAITING = "waiting"
    """Nobody has it, or whoever had it let the time pass."""
    DONE = "done"
    DROPPED = "dropped"
    """Taken out: no rule is broken any more, or somebody said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """A call in the review queue."""

    id: int
    call: JudgedCall
    source: QueueSource
    reason: str
    """The rules it was flagged by, or the draw that it was in."""
    priority: int
    state: QueueState
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    created_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTally:
    """Scores of one agent, or of one reviewer, within a span, added up."""

    who: int | str | None
    reviews: int = 0
    points: float = 0.0
    """Sum."""
    passed: int = 0
    fatal: int = 0
    appealed: int = 0
    """Appealed, decided or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionTally:
    """Answers to one question, added up."""

    card: str
    question: str
    answers: int
    na: int
    shares: float
    """Sum over those that are not `na`."""
    overridden: int
    """Answers that the service gave and a person changed."""


def answer_record(answer: ScoreAnswer) -> dict[str, Any]:
    """Return an answer as JSON values."""
    return {
        "value": answer.value,
        "answered_by": answer.answered_by.value,
        "share": answer.share,
        "evidence": dict(answer.evidence),
        "note": answer.note,
    }


def review_record(review: Review) -> dict[str, Any]:
    """Return a review as everybody outside sees it."""
    return {
        "id": review.id,
        **call_fields(review.call),
        "card": review.card_code,
        "card_version": review.card_version,
        "reviewer": review.reviewer,
        "state": review.state.value,
        "answers": {code: answer_record(answer) for code, answer in review.answers.items()},
        "points": review.points,
        "fatal": list(review.fatal),
        "passed": review.passed,
        "calibration": review.calibration,
        "edition": review.edition,
        "created_at": moment(review.created_at),
        "changed_at": moment(review.changed_at),
        "submitted_at": moment(review.submitted_at),
    }


def comment_record(comment: ReviewComment) -> dict[str, Any]:
    """Return a comment as everybody outside sees it."""
    return {
        "id": comment.id,
        "by": comment.by,
        "at": moment(comment.at),
        "seconds": comment.seconds,
        "text": comment.text,
    }


def step_record(step: ReviewStep) -> dict[str, Any]:
    """Return a line of history as everybody outside sees it."""
    return {"at": moment(step.at), "by": step.by, "move": step.move.value, "change": dict(step.change)}


def place_record(place: QueuePlace, now: datetime) -> dict[str, Any]:
    """Return a place in the queue as everybody outside sees it."""
    held = place.claimed_until is not None and place.claimed_until > now
    return {
        "id": place.id,
        **call_fields(place.call),
        "source": place.source.value,
        "reason": place.reason,
        "priority": place.priority,
        "state": place.state.value,
        "claimed_by": place.claimed_by if held else None,
        "claimed_until": moment(place.claimed_until) if held else None,
        "created_at": moment(place.created_at),
        "done_at": moment(place.done_at),
    }
