"""Sound -> what was said: voice activity per channel, stretches, words, utterances. Knows no engine and no file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cti.asr.engine import Engine, Listener, Samples
from cti.model.transcripts import CHANNELS, Segment, Span, Speaker

LIMIT_SHARE: Final = 1.0
LIMIT_SECONDS: Final = 30.0
"""A recording may take as long as it lasts, and so much more."""


class Sound(Protocol):
    """A recording that can be read from any place, so that three hours need no more memory than a minute."""

    rate: int
    """8000 or 16000 samples a second."""
    channels: int
    frames: int
    """Samples of each channel that are really there."""
    problem: str | None
    """What is wrong with it though it can be read (cut short)."""

    def read(self, channel: int, start: int, frames: int) -> Samples:
        """Return that much of one channel; less at the end. Raises BadInput when it cannot be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a transcript is made of, call and model aside."""

    seconds: float
    segments: tuple[Segment, ...] = ()
    """By start; all speakers."""
    voices: Mapping[Speaker, tuple[Span, ...]] = field(default_factory=dict)
    """When each was heard, without padding."""
    problem: str | None = None


def time_limit(seconds: float) -> float:
    """Return how long a recording of that length may take to transcribe, in seconds."""
    return LIMIT_SHARE * seconds + LIMIT_SECONDS


def transcribe(
    sound: Sound,
    *,
    engine: Engine,
    listener: Listener,
    speakers: Sequence[Speaker] = CHANNELS,
    still: Callable[[], None] = lambda: None,
) -> Heard:
    """Write down a whole recording; blocks, belongs in a thread that owns the listener.

    `still` is called between stretches (each a second or two of work) and ends the run by raising: for a time limit,
    a lost lease, the end of the service. Raises BadInput for sound that cannot be transcribed (wrong number of
    channels), EngineError.
    """
    raise NotImplementedError
