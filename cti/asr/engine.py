"""What a speech engine is to us: a model that is opened once per process and hands one listener to each thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cti.asr.profile import ModelProfile
from cti.model.transcripts import Word

Samples = npt.NDArray[np.int16]
"""Sound of one channel; one dimension."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """Sound in which somebody speaks, cut from one channel: some tenths of a second to some tens of seconds."""

    start: float
    """Seconds from the recording's beginning."""
    rate: int
    """Samples a second: 8000 or 16000."""
    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def end(self) -> float:
        return self.start + self.seconds


class Listener(Protocol):
    """Writes down what is said. Belongs to one thread; keeps what is dear to make from one call to the next."""

    def hear(self, stretches: Sequence[Stretch]) -> list[Word]:
        """Return the words of stretches of one channel, in order; times are seconds from the recording's beginning.

        Blocks, and lets other threads run meanwhile. Raises EngineError; the listener can be used again after it.
        """
        ...


class Engine(Protocol):
    """A loaded model. Threads share it."""

    @property
    def profile(self) -> ModelProfile:
        """What it was made from."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of engine, model files and settings: equal ones write the same text for the same sound."""
        ...

    @property
    def batch_seconds(self) -> float:
        """How much sound it wants to be given at once; 0: each stretch alone.

        Whisper takes a window of 30 s whether it is full or not, so short stretches are handed to it together.
        """
        ...

    def listener(self) -> Listener:
        """Make a listener for the calling thread."""
        ...
