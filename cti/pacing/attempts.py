"""When attempts are answered, and how many: learned from those that ended and from those still up. Pure.

Attempts that end early (busy, refused) would make the answer rate of *ended* attempts collapse at the start of a shift;
so calls still up count as censored (Aalen-Johansen: one survival of all attempts, one cumulative incidence of answers).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 0.5
"""Width of a step of age, in seconds."""
PRIOR_RATE = 0.35
"""Answers per attempt while nothing is known: more than most lists have, because too few calls are the lesser evil."""
PRIOR_ATTEMPTS = 20.0
"""What the prior is worth, in attempts."""
PRIOR_FADES = 150.0
"""Attempts after which the prior is worth e times less: tired lists have answer rates far below it."""
RING_FROM, RING_TO = 0.15, 0.75
"""Between which shares of the ring timeout answers come while nothing is known."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended without technical failure."""

    placed_at: float
    age: float
    """From placing to its end, in seconds."""
    answered: bool
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class RingTimes:
    """How attempts answer. The arrays go by age in steps of `STEP`, from 0 to the ring timeout."""

    rate: float
    """Answered per attempt that did not fail technically, 0 to 1."""
    answered_by: Floats
    """Share of the answered that answered within this age; ends at 1."""
    unanswered_up: Floats
    """Share of the unanswered still up at this age."""
    attempts: int
    """Ended attempts behind it."""

    @property
    def rate_cv(self) -> float:
        """Return the standard error of the rate, as a share of it."""
        known = self.attempts + PRIOR_ATTEMPTS
        return float(np.sqrt((1 - self.rate) / (self.rate * known)))

    def horizons(self, shares: Sequence[float]) -> Floats:
        """Return the ages, in seconds, by which these shares of the answers have come."""
        at = np.searchsorted(self.answered_by, shares)
        return STEP * np.maximum(1, np.minimum(at, len(self.answered_by) - 1)).astype(float)

    def answered_within(self, ages: Floats) -> Floats:
        """Return the share of the answered that answered within these ages; 0 before the first, 1 after the last."""
        return self.answered_by[_places(ages + STEP / 2, len(self.answered_by))]

    def chance_within(self, ages: Floats, levels: Floats, horizons: Floats) -> Floats:
        """Return, by horizon and call, the chance that a call still up is answered within the horizon.

        `levels`: each call's chance, when it was placed, to be answered at all.
        """
        by_now = self.answered_within(ages)
        others_up = self.unanswered_up[_places(ages + STEP / 2, len(self.unanswered_up))]
        up = levels * (1 - by_now) + (1 - levels) * others_up
        later = self.answered_within(ages + horizons[:, None])
        chances: Floats = np.minimum(levels * (later - by_now) / np.maximum(up, 1e-6), 1.0)
        return chances


def _places(ages: Floats, steps: int) -> NDArray[np.intp]:
    """Return in which step each age is; the last takes all later ones. (`np.clip` is four times slower.)"""
    return np.minimum(np.maximum(ages / STEP, 0), steps - 1).astype(np.intp)


def ring_times(ended: Sequence[Ended], ages_up: Sequence[float], *, ring_timeout: float) -> RingTimes:
    """Learn from ended attempts and the ages of those still up, all of one span of placing."""
    steps = max(4, int(np.ceil(ring_timeout / STEP)) + 1)
    ages = np.fromiter((one.age for one in ended), float, len(ended))
    answered = np.fromiter((one.answered for one in ended), bool, len(ended))
    places = _places(ages, steps)
    live, other = _prior(steps, PRIOR_ATTEMPTS * float(np.exp(-len(ended) / PRIOR_FADES)))
    live += np.bincount(places[answered], minlength=steps)
    other += np.bincount(places[~answered], minlength=steps)
    up = _places(np.asarray(ages_up, float), steps)
    return _aalen_johansen(live, other, np.bincount(up, minlength=steps).astype(float), len(ended))


def _prior(steps: int, weight: float) -> tuple[Floats, Floats]:
    live, other = np.zeros(steps), np.zeros(steps)
    first, last = int(RING_FROM * steps), max(int(RING_FROM * steps) + 1, int(RING_TO * steps))
    live[first:last] = weight * PRIOR_RATE / (last - first)
    other[-1] = weight * (1 - PRIOR_RATE)
    return live, other


def _aalen_johansen(live: Floats, other: Floats, up: Floats, attempts: int) -> RingTimes:
    ends = live + other
    gone = np.concatenate(([0.0], np.cumsum(ends + up)[:-1]))
    at_risk = np.maximum((ends + up).sum() - gone - up / 2, 1e-9)
    survival = np.concatenate(([1.0], np.cumprod(np.clip(1 - ends / at_risk, 0.0, 1.0))))
    answers = np.concatenate(([0.0], np.cumsum(survival[:-1] * np.minimum(1.0, live / at_risk))))
    # What no attempt was yet old enough to show is shared like what was seen; answers come first, so that is careful.
    resolved = max(1e-9, 1 - survival[-1])
    rate = float(np.clip(answers[-1] / resolved, 1e-3, 0.99))
    answered_by = np.clip(answers / max(answers[-1], 1e-9), 0.0, 1.0)
    unanswered_up = np.clip((survival - rate * (1 - answered_by)) / (1 - rate), 0.0, 1.0)
    return RingTimes(rate, answered_by, np.maximum.accumulate(unanswered_up[::-1])[::-1], attempts)
