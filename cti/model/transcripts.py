"""What was said in a call: words with times, by who said them. Times are seconds from the recording's beginning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


class Speaker(StrEnum):
    """Whose voice; a recording has one channel for each."""

    CUSTOMER = "customer"
    """The left channel."""
    AGENT = "agent"
    """The right channel."""


CHANNELS: Final = (Speaker.CUSTOMER, Speaker.AGENT)
"""By the channel's number in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word as the engine wrote it."""

    text: str
    start: float
    end: float
    confidence: float | None = None
    """0 to 1; None: the engine gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One utterance: what one speaker said without a longer pause. Never without words."""

    speaker: Speaker
    words: tuple[Word, ...]
    text: str = ""
    """As shown and searched; empty: the words, joined by spaces."""

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def shown(self) -> str:
        return self.text or " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float | None:
        """Return the mean over words that have one."""
        known = [word.confidence for word in self.words if word.confidence is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """All that one model heard in one recording."""

    call_id: str
    engine: str
    """`vosk`, `whisper`."""
    model: str
    """Name of the model profile."""
    fingerprint: str
    """Of engine, model files and settings: the same recording with the same fingerprint is not transcribed twice."""
    language: str
    """BCP 47, for example `en`, `zh`, `ko`."""
    seconds: float
    """Length of the recording."""
    segments: tuple[Segment, ...] = ()
    """By start; both speakers."""
    voices: Mapping[Speaker, tuple[Span, ...]] = field(default_factory=dict)
    """When each voice was heard, words or not: what talk figures are made of."""
    made_at: datetime
    version: int = 0
    """Counts up for each transcript of one call; the highest is the current one. 0: not stored yet."""
    problem: str | None = None
    """Why there is nothing, or less than could be (a channel that could not be read)."""
