"""Sound cut into the frames by which voice is told from silence. Pure."""

from collections.abc import Iterator
from typing import Final

from cti.asr.engine import Samples
from cti.asr.voice import FRAME_SECONDS

QUIETEST_DB: Final = -60.0
"""Below this nothing is voice, however quiet the rest of the channel is."""


def frame_samples(rate: int) -> int:
    """Return how many samples one frame has."""
    return round(rate * FRAME_SECONDS)


def whole_frames(block: Samples, frame: int) -> Iterator[bytes]:
    """Give each whole frame of a block as bytes."""
    raw = block.tobytes()
    size = frame * 2
    for begin in range(0, len(raw) - size + 1, size):
        yield raw[begin : begin + size]
