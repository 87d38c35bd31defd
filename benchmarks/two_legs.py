"""Calls with two legs, made of sentences whose text is known: turns, pauses, some overlap, crosstalk, noise. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.prompts import Prompt
from cti.asr.engine import Samples

OVERLAPS: Final = 0.12
"""Share of turns that begin before the other's end."""
PAUSES: Final = (0.3, 1.6)
CROSSTALK_DB: Final = -45.0
NOISE_DB: Final = -65.0
"""Below full scale, on both channels."""
LOUDNESS_DB: Final = -23.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One sentence in a call."""

    channel: int
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TwoLegs:
    """A call."""

    rate: int
    channels: tuple[Samples, Samples]
    turns: tuple[Turn, ...]

    @property
    def seconds(self) -> float:
        return len(self.channels[0]) / self.rate

    def text(self, channel: int) -> str:
        """Return what one side said."""
        return " ".join(turn.text for turn in self.turns if turn.channel == channel)

    def occupancy(self, channel: int) -> float:
        """Return how much of the time one side speaks, 0 to 1."""
        return sum(turn.end - turn.start for turn in self.turns if turn.channel == channel) / self.seconds


def call(sentences: Sequence[Prompt], seed: int) -> TwoLegs:
    """Make a call of sentences, taken in order, mostly by turns."""
    chance = Random(seed)
    rate = sentences[0].rate
    turns: list[Turn] = []
    free = [0.5, 0.5]
    """When each side may speak again."""
    channel = 0
    for sentence in sentences:
        other = free[1 - channel]
        start = other - 0.5 if chance.random() < OVERLAPS else other + chance.uniform(*PAUSES)
        start = max(start, free[channel])
        turns.append(Turn(channel=channel, start=start, end=start + sentence.seconds, text=sentence.text))
        free[channel] = start + sentence.seconds + 0.3
        if chance.random() < 0.85:
            channel = 1 - channel
    length = round((max(turn.end for turn in turns) + 1.0) * rate)
    clean = np.zeros((2, length), np.float64)
    for turn, sentence in zip(turns, sentences, strict=True):
        begin = round(turn.start * rate)
        clean[turn.channel, begin : begin + len(sentence.samples)] += leveled(sentence.samples)
    noise = np.random.default_rng(seed).normal(0.0, 32768 * 10 ** (NOISE_DB / 20), (2, length))
    mixed = clean + clean[::-1] * 10 ** (CROSSTALK_DB / 20) + noise
    left, right = (np.clip(np.rint(one), -32768, 32767).astype(np.int16) for one in mixed)
    return TwoLegs(rate=rate, channels=(left, right), turns=tuple(turns))


def leveled(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the sound at one loudness."""
    sound = samples.astype(np.float64)
    power = float(np.sqrt(np.mean(np.square(sound)))) or 1.0
    return sound * (32768 * 10 ** (LOUDNESS_DB / 20) / power)
