"""How long conversations and wrap-ups last: survival learned from ended and from running ones. Pure.

Hazards are constant within bins of age that grow with it, and drawn towards one hazard for all ages where little was
seen. Running ones count as censored: otherwise only short ones have ended when a shift begins, and everybody looks
about to be free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cti.pacing.attempts import Floats

SECONDS: Final = 1200
"""Ages are told apart up to here; whoever talks longer has the hazard of the last bin."""
FIRST_BIN, GROWTH = 2.0, 1.25
"""Width of the first bins in seconds; later ones grow by this factor of age."""
PRIOR_ENDS = 3.0
"""What the one hazard for all ages is worth in each bin, in ends."""


def _edges() -> Floats:
    edges = [0.0]
    while edges[-1] < SECONDS:
        edges.append(max(edges[-1] + FIRST_BIN, edges[-1] * GROWTH))
    edges[-1] = 1e9
    return np.array(edges)


EDGES: Final = _edges()


@dataclass(frozen=True, slots=True)
class Span:
    """A conversation or wrap-up that ended."""

    ended_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Survival:
    """Share still running after 0, 1, 2, ... seconds; longer than `SECONDS` by the longest horizon."""

    up: Floats
    ends: int
    """Ended ones behind it."""

    def ended_within(self, seconds: Floats) -> Floats:
        """Return the share that ends within these seconds of the begin."""
        grid = np.arange(len(self.up), dtype=float)
        return 1 - np.interp(np.maximum(seconds, 0.0), grid, self.up)


def survival(
    ended: Sequence[Span],
    running: Sequence[float],
    *,
    now: float,
    prior_mean: float,
    since: float,
    reach: int,
) -> Survival:
    """Learn from spans that ended after `since` and from the begins of running ones.

    What happened before `since` is not known: of a span that began earlier only the rest counts (left truncation).
    `prior_mean`: mean seconds while nothing is known. `reach`: seconds beyond `SECONDS` to tell.
    """
    begins = np.array([one.ended_at - one.seconds for one in ended] + list(running), float)
    last = np.array([one.ended_at for one in ended] + [now] * len(running), float)
    until = np.maximum(0.0, last - begins)
    entry = np.clip(since - begins, 0.0, until)
    low, high = EDGES[:-1, None], EDGES[1:, None]
    exposure = (np.clip(until, low, high) - np.clip(entry, low, high)).sum(axis=1)
    places = np.searchsorted(EDGES, until[: len(ended)], side="right") - 1
    ends = np.bincount(places, minlength=len(EDGES) - 1).astype(float)
    overall = (ends.sum() + 1) / (exposure.sum() + prior_mean)
    hazards = (ends + PRIOR_ENDS) / (exposure + PRIOR_ENDS / overall)
    widths = np.minimum(EDGES[1:], SECONDS + reach + 1.0) - EDGES[:-1]
    summed = np.concatenate(([0.0], np.cumsum(hazards * widths)))
    at = np.concatenate((EDGES[:-1], [SECONDS + reach + 1.0]))
    grid = np.arange(SECONDS + reach + 1, dtype=float)
    return Survival(np.exp(-np.interp(grid, at, summed)), len(ended))


@dataclass(frozen=True, slots=True)
class Releases:
    """Chance that a busy agent is free within each horizon, by horizon and whole seconds since he began."""

    talking: Floats
    wrapping: Floats


def releases(talk: Survival, wrap_up: Survival, within: Floats) -> Releases:
    """Work out the chances for agents who talk (and wrap up then) and who wrap up, within these seconds."""
    talking, wrapping = np.empty((len(within), SECONDS)), np.empty((len(within), SECONDS))
    ending = -np.diff(talk.up)
    for row, horizon in enumerate(within):
        whole = int(np.ceil(horizon))
        middle = np.arange(whole) + 0.5
        rest = wrap_up.ended_within(horizon - middle) * (middle < horizon)
        free = np.correlate(ending[: SECONDS + whole - 1], rest, mode="valid") if whole else np.zeros(SECONDS)
        talking[row] = free / np.maximum(talk.up[:SECONDS], 1e-12)
        first, part = int(horizon), horizon - int(horizon)
        later = (1 - part) * wrap_up.up[first : first + SECONDS]
        later += part * wrap_up.up[first + 1 : first + 1 + SECONDS]
        wrapping[row] = 1 - later / np.maximum(wrap_up.up[:SECONDS], 1e-12)
    return Releases(np.minimum(talking, 1.0), np.minimum(wrapping, 1.0))
