"""The outline of a recording, for a page that draws it. Pure."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from cti.model.recordings import Peaks
from cti.recording.ports import Samples

BUCKET_MS: Final = 100
MOST_BUCKETS: Final = 10_000
"""Sixteen minutes at 100 ms; a longer recording gets wider buckets. 40 kB with two channels."""


def bucket_ms(seconds: float) -> int:
    """Return how wide the buckets of so long a recording are, in whole steps of 100 ms."""
    needed = -(-round(seconds * 1000) // BUCKET_MS)
    return BUCKET_MS * max(1, -(-needed // MOST_BUCKETS))


def peaks_of(blocks: Iterable[Samples], *, rate: int, channels: int, seconds: float) -> Peaks:
    """Return the lowest and highest sample of each bucket; the last bucket may be shorter."""
    width_ms = bucket_ms(seconds)
    width = rate * width_ms // 1000
    rows: list[np.ndarray] = []
    rest = np.zeros((0, channels), np.int16)
    for block in blocks:
        rest = np.concatenate((rest, block))
        whole = len(rest) // width * width
        if whole:
            rows.append(_levels(rest[:whole].reshape(-1, width, channels)))
            rest = rest[whole:]
    if len(rest):
        rows.append(_levels(rest[np.newaxis]))
    levels = np.concatenate(rows).tobytes() if rows else b""
    return Peaks(bucket_ms=width_ms, channels=channels, levels=levels)


def _levels(buckets: np.ndarray) -> np.ndarray:
    """Return int8 of shape (buckets, channels, 2): lowest, highest."""
    pair = np.stack((buckets.min(axis=1), buckets.max(axis=1)), axis=-1)
    return (pair >> 8).astype(np.int8)
