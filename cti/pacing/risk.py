"""The risk that one more call is answered when no agent is free. Pure.

Each call in flight is answered within a horizon with its own chance, each busy agent stays busy with his: their
number is Poisson-binomial. Exact while it is small, by the characteristic function and an FFT; a normal with the
skewness taken in beyond (Volkova 1996; Hong 2013, "refined normal approximation").
"""

from dataclasses import dataclass
from functools import cache
from math import erf, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from cti.pacing.attempts import Floats

EXACT = 110
"""Up to so many calls and agents the distribution is exact."""


@cache
def _turn(points: int) -> NDArray[np.complex128]:
    turn: NDArray[np.complex128] = np.exp(-2j * pi * np.arange(points // 2 + 1) / points) - 1
    return turn


def tails(chances: Floats) -> Floats:
    """Return P(number >= t) for t = 0, 1, ..., n by row; `chances` is rows by n independent chances. Exact."""
    rows, n = chances.shape
    points = 1 << max(2, n).bit_length()
    turn = _turn(points)
    spectrum = np.prod(1 + chances[:, :, None] * turn, axis=1) if n else np.ones((rows, len(turn)), complex)
    weights: Floats = np.maximum(np.fft.irfft(spectrum, points, axis=1)[:, : n + 1], 0.0)
    tail: Floats = np.minimum(1.0, np.cumsum(weights[:, ::-1], axis=1)[:, ::-1])
    return tail


def normal_tail(mean: Floats, variance: Floats, third: Floats, at: Floats | float) -> Floats:
    """Return P(number >= at) from mean, variance and third central moment, continuity corrected."""
    spread = np.sqrt(np.maximum(variance, 1e-9))
    x = (at - 0.5 - mean) / spread
    flat = np.fromiter((erf(one) for one in (x / sqrt(2)).ravel().tolist()), float, x.size)
    below = 0.5 * (1 + flat.reshape(x.shape))
    skew = np.clip(third / spread**3, -1.0, 1.0)
    below += skew * (1 - x * x) * np.exp(-x * x / 2) / (6 * sqrt(2 * pi))
    tail: Floats = np.clip(1 - below, 0.0, 1.0)
    return tail


@dataclass(frozen=True, slots=True)
class Pool:
    """What may need an agent within each horizon. Rows are horizons."""

    chances: Floats
    """Of calls in flight to be answered, and of busy agents to stay busy."""
    room: int
    """How many of these there may be without anybody being left alone."""
    doubt: Floats
    """Variance added for what is not known well, by horizon."""


def risks(pool: Pool, new: Floats, weights: Floats, *, until: float = 1.0) -> Floats:
    """Return the risk of each further call, given that those before it are placed; it never falls.

    Ends with the first that is above `until`.

    `new`: chance, by horizon and further call, that it is answered. `weights`: by horizon, how much a lack at this
    horizon counts for the further call (the share of its answers that have come by then).
    """
    count = new.shape[1]
    if pool.room <= 0:
        return np.ones(count)
    if pool.chances.shape[1] <= EXACT:
        return _exact(pool, new, weights, until)
    found = np.maximum.accumulate((weights[:, None] * _normal(pool, new)).max(axis=0))
    return found[: int(np.searchsorted(found, until, side="right")) + 1]


def _exact(pool: Pool, new: Floats, weights: Floats, until: float) -> Floats:
    room, count = pool.room, new.shape[1]
    known = tails(pool.chances)
    tail = np.zeros((len(known), room + 1))
    width = min(room + 1, known.shape[1])
    tail[:, :width] = known[:, :width]
    found: list[float] = []
    for call in range(count):
        found.append(max(float((weights * tail[:, room]).max()), found[-1] if found else 0.0))
        if found[-1] > until:
            break
        chance = new[:, call, None]
        tail[:, 1:] += chance * (tail[:, :-1] - tail[:, 1:])
    return np.array(found)


def _normal(pool: Pool, new: Floats) -> Floats:
    mean, variance, third = (
        one.sum(axis=1, keepdims=True) + _before(extra)
        for one, extra in zip(_moments(pool.chances), _moments(new), strict=True)
    )
    return normal_tail(mean, variance + pool.doubt[:, None], third, float(pool.room))


def _moments(chances: Floats) -> tuple[Floats, Floats, Floats]:
    variance = chances * (1 - chances)
    return chances, variance, variance * (1 - 2 * chances)


def _before(values: Floats) -> Floats:
    """Sum, by row, what stands before each column."""
    return np.cumsum(values, axis=1) - values
