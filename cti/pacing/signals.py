"""What a pacer learns from. Times are seconds of the same clock as the floor's."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How an attempt ended, as far as pacing cares."""

    LIVE = "live"
    """Answered (by a person, or not yet known by whom while detection runs)."""
    MACHINE = "machine"
    BUSY = "busy"
    FAILED = "failed"
    """Technical: says nothing about who would have answered."""
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """An attempt was answered, or ended without an answer."""

    at: float
    placed_at: float
    result: Result
    answer_chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAnswered:
    """A person is on the line (after detection, where it runs)."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """An agent took the person."""

    at: float
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The grace ended and nobody took the person."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkEnded:
    """A conversation is over; the agent wraps up."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpEnded:
    """An agent's wrap-up is over."""

    at: float
    seconds: float
    free: bool = True
    """Whether he was free afterwards; False: he paused or left."""
    announced: bool = False
    """Whether that he would leave was known before (`Busy.leaving`)."""


Signal = AttemptEnded | PersonAnswered | Connected | Dropped | TalkEnded | WrapUpEnded
