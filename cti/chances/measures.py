"""How well chances foretold what happened. Pure."""

from typing import Final

import numpy as np
import numpy.typing as npt

from cti.chances.facts import Floats, Ints
from cti.model.answer_chances import Bin, Measures

BINS: Final = 10
_NEVER_ZERO: Final = 1e-6

Happened = npt.NDArray[np.bool_]


def losses(chances: Floats, happened: Happened) -> Floats:
    """Return the log loss of each."""
    safe = np.clip(chances, _NEVER_ZERO, 1.0 - _NEVER_ZERO)
    return -np.log(np.where(happened, safe, 1.0 - safe))


def measures(chances: Floats, happened: Happened) -> Measures:
    """Return all measures (Brier 1950; Naeini, Cooper, Hauskrecht 2015 for the calibration error, equal counts)."""
    bins = reliability(chances, happened)
    apart = [abs(one.foretold - one.observed) * one.attempts for one in bins]
    return Measures(
        brier=float(np.mean((chances - happened) ** 2)),
        log_loss=float(np.mean(losses(chances, happened))),
        calibration_error=sum(apart) / len(chances),
    )


def reliability(chances: Floats, happened: Happened, *, bins: int = BINS) -> tuple[Bin, ...]:
    """Return attempts in order of their chance, in bins of equal size: foretold against observed."""
    order = np.argsort(chances, kind="stable")
    return tuple(
        Bin(
            attempts=len(part),
            foretold=float(chances[part].mean()),
            observed=float(happened[part].mean()),
        )
        for part in np.array_split(order, bins)
        if len(part)
    )


def gain(better: Floats, worse: Floats, contact: Ints) -> tuple[float, float]:
    """Return by how much the mean loss is smaller, and the standard error of that.

    Attempts at one contact resemble each other, so the error is of the contacts' sums.
    """
    apart = worse - better
    _, which = np.unique(contact, return_inverse=True)
    by_contact = np.bincount(which, weights=apart - apart.mean())
    return float(apart.mean()), float(np.sqrt(np.sum(by_contact**2)) / len(apart))
