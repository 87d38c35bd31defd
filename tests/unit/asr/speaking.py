"""A listener that writes down what the sound itself says, and sound that can be told from silence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cti.asr.engine import Samples, Stretch
from cti.asr.profile import EngineName, ModelProfile
from cti.asr.voice import PAD_SECONDS
from cti.errors import EngineError
from cti.model.transcripts import Word

RATE = 8000
PROFILE = ModelProfile(name="fake", language="en", engine=EngineName.VOSK, path=Path("models/fake"))


def sounds(
    *pieces: tuple[float, float], seconds: float, rate: int = RATE, level: float = 8000.0, seed: int = 1
) -> Samples:
    """Return a vowel-like buzz (140 Hz and its harmonics) in these spans, faint noise elsewhere."""
    at = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 140 * number * at) / number for number in range(1, 20))
    wobble = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)
    speaks = np.zeros(len(at), np.bool_)
    for start, end in pieces:
        speaks |= (at >= start) & (at < end)
    noise = np.random.default_rng(seed).normal(0.0, 8.0, len(at))
    sound: Samples = np.clip(np.where(speaks, level * buzz * wobble / 2, 0.0) + noise, -32768, 32767).astype(
        np.int16
    )
    return sound


@dataclass
class FakeEngine:
    """Writes one word for each stretch: its length in tenths of a second."""

    profile: ModelProfile = PROFILE
    fingerprint: str = "0" * 64
    batch_seconds: float = 0.0
    batches: list[list[Stretch]] = field(default_factory=list)
    fails_at: float | None = None

    def listener(self) -> "FakeEngine":
        return self

    def hear(self, stretches: Sequence[Stretch]) -> list[Word]:
        self.batches.append(list(stretches))
        for one in stretches:
            if self.fails_at is not None and one.start >= self.fails_at:
                raise EngineError("model fake: failed")
        return [
            Word(text=f"w{round(one.seconds * 10)}", start=one.start + PAD_SECONDS, end=one.end - PAD_SECONDS)
            for one in stretches
        ]
