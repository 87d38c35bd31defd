"""Sound -> what was said: voice activity per channel, stretches, words, utterances. Knows no engine and no file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from cti.asr.engine import Engine, Listener, Samples, Stretch
from cti.asr.frames import frame_samples
from cti.asr.utterances import utterances
from cti.asr.voice import Activity, spans_of, stretches_of, without_crosstalk
from cti.asr.voice_detectors import VoiceDetector, best_detector
from cti.errors import BadInput, TooSlow
from cti.model.transcripts import CHANNELS, Segment, Span, Speaker, Word

VERSION: Final = 1
"""Counts up when the same engine and model would write other words because of a change here; in each fingerprint."""
_BLOCK_FRAMES: Final = 500
"""Frames of voice detection that are read at once: 10 s."""


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


def transcribe(
    sound: Sound,
    *,
    engine: Engine,
    listener: Listener,
    speakers: Sequence[Speaker] = CHANNELS,
    detector: VoiceDetector | None = None,
    still: Callable[[], None] = lambda: None,
) -> Heard:
    """Write down a whole recording; blocks, belongs in a thread that owns the listener.

    `still` is called between batches of stretches (each a second or two of work) and ends the run by raising: for a
    time limit (`until`), a lost lease, the end of the service. Raises BadInput for sound that cannot be transcribed
    (wrong number of channels), EngineError.
    """
    if sound.channels != len(speakers):
        raise BadInput(
            f"the recording has {_channels(sound.channels)}; {_channels(len(speakers))} are needed:"
            f" {', '.join(speakers)}"
        )
    seconds = sound.frames / sound.rate
    if not sound.frames:
        return Heard(seconds=0.0, problem=sound.problem or "there is no sound in it")
    problems = [sound.problem] if sound.problem else []
    if _same_on_all(sound):
        problems.append(f"all channels hold the same sound; all of it stands under {speakers[0]}")
        speakers = speakers[:1]
    segments: list[Segment] = []
    voices: dict[Speaker, tuple[Span, ...]] = {}
    for channel, spans in enumerate(_voices(sound, len(speakers), detector or best_detector(), still)):
        words: list[Word] = []
        for batch in _batches(sound, channel, stretches_of(spans, seconds), engine.batch_seconds):
            still()
            words.extend(listener.hear(batch))
        segments.extend(utterances(words, speakers[channel], seconds))
        voices[speakers[channel]] = tuple(spans)
    return Heard(
        seconds=seconds,
        segments=tuple(sorted(segments, key=lambda segment: (segment.start, segment.end))),
        voices=voices,
        problem="; ".join(problems) or None,
    )


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def _blocks(sound: Sound, channel: int) -> Iterator[Samples]:
    step = _BLOCK_FRAMES * frame_samples(sound.rate)
    for start in range(0, sound.frames, step):
        yield sound.read(channel, start, step)


def _same_on_all(sound: Sound) -> bool:
    """Whether the channels are copies of each other, which happens to recordings that were mixed on the way."""
    if sound.channels < 2:
        return False
    first = _blocks(sound, 0)
    others = [_blocks(sound, channel) for channel in range(1, sound.channels)]
    heard = False
    for block, *copies in zip(first, *others, strict=True):
        heard = heard or bool(block.any())
        if not all(np.array_equal(block, copy) for copy in copies):
            return False
    return heard


def _voices(
    sound: Sound, channels: int, detector: VoiceDetector, still: Callable[[], None]
) -> list[list[Span]]:
    """Return for each channel when its own voice is heard."""
    heard: list[Activity] = []
    for channel in range(channels):
        still()
        heard.append(detector.activity(_blocks(sound, channel), sound.rate))
    if len(heard) == 2:
        left, right = heard
        return [spans_of(without_crosstalk(left, right)), spans_of(without_crosstalk(right, left))]
    return [spans_of(one.voiced) for one in heard]


def _batches(
    sound: Sound, channel: int, spans: Sequence[Span], batch_seconds: float
) -> Iterator[list[Stretch]]:
    """Give the sound of the spans, each alone or as many together as the engine likes."""
    batch: list[Stretch] = []
    filled = 0.0
    for span in spans:
        if batch and filled + span.seconds > batch_seconds:
            yield batch
            batch, filled = [], 0.0
        start, end = round(span.start * sound.rate), round(span.end * sound.rate)
        samples = sound.read(channel, start, end - start)
        batch.append(Stretch(start=start / sound.rate, rate=sound.rate, samples=samples))
        filled += span.seconds
    if batch:
        yield batch


def until(limit: float, monotonic: Callable[[], float]) -> Callable[[], None]:
    """Return a `still` that raises TooSlow once the clock has passed `limit`."""

    def still() -> None:
        if (late := monotonic() - limit) > 0:
            raise TooSlow(f"the recording took longer than it may; stopped {late:.1f} s after the limit")

    return still
