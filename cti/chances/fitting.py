"""Fits a campaign's chances and judges them on attempts that the fit has not seen. No clock, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cti.chances.baselines import campaign_rate, hour_rate
from cti.chances.facts import PERSON, Attempts, Facts, Floats, Ints, facts_of_attempts
from cti.chances.measures import Happened, gain, losses, measures, reliability
from cti.chances.model import ChanceModel
from cti.model.answer_chances import Bin, Measures

LEAST_ATTEMPTS: Final = 2000
LEAST_OF_EACH: Final = 200
"""Answers, and attempts without one: fewer say more about chance than about people."""
LEAST_DAYS: Final = 2.0
"""Between the first attempt and the last: one day says nothing of the next."""
_TUNED_ON, _HELD_OUT = 0.6, 0.8
"""By time: the first 60 % fit the weights, the next 20 % choose how strongly they are held back, the rest judges."""
_STRENGTHS: Final = (0.001, 0.01, 0.1, 1.0)
_SURE: Final = 2.0
"""Standard errors by which the learned chances must be better than the best baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What came of a fit."""

    used: bool
    why: str
    attempts: int
    answered: int
    held_out: int = 0
    measures: Mapping[str, Measures] = field(default_factory=dict)
    bins: tuple[Bin, ...] = ()
    model: ChanceModel | None = None


def fit(attempts: Attempts) -> Fitted:
    """Fit, judge, and say whether the chances may be used. Takes seconds: never in the event loop."""
    happened = attempts.outcome == PERSON
    if (missing := too_little(attempts, happened)) is not None:
        return _unfit(missing, happened)
    order = np.argsort(attempts.at, kind="stable")
    facts = facts_of_attempts(attempts).at(order)
    return _judged(facts, happened[order], attempts.contact[order])


def too_little(attempts: Attempts, happened: Happened) -> str | None:
    """Say what is missing for a fit; None: nothing."""
    answered = int(happened.sum())
    if len(attempts) < LEAST_ATTEMPTS:
        return f"not used: {len(attempts)} attempts have ended, {LEAST_ATTEMPTS} are needed"
    if min(answered, len(attempts) - answered) < LEAST_OF_EACH:
        return f"not used: {answered} of {len(attempts)} attempts were answered, {LEAST_OF_EACH} of each are needed"
    if (days := float(np.ptp(attempts.at)) / 86_400.0) < LEAST_DAYS:
        return f"not used: the attempts span {days:.1f} days, {LEAST_DAYS:g} are needed"
    return None


def _judged(facts: Facts, happened: Happened, contact: Ints) -> Fitted:
    """`facts` in order of time."""
    from cti.chances.logistic import (
        fitted,  # scikit-learn takes seconds and 100 MB: only in the process that fits
    )

    count = len(happened)
    first, second = int(_TUNED_ON * count), int(_HELD_OUT * count)
    early, seen, new = np.arange(first), np.arange(second), np.arange(second, count)
    if len(np.unique(happened[early])) < 2:
        return _unfit("not used: all early attempts ended alike", happened)

    def loss(strength: float) -> float:
        tuned = np.arange(first, second)
        model = fitted(facts.at(early), happened[early], strength=strength)
        return float(losses(model.chances(facts.at(tuned)), happened[tuned]).mean())

    strength = min(_STRENGTHS, key=loss)
    asked = facts.at(new)
    told: dict[str, Floats] = {
        "learned": fitted(facts.at(seen), happened[seen], strength=strength).chances(asked),
        "hour": hour_rate(facts.at(seen), happened[seen], asked),
        "campaign": campaign_rate(happened[seen], len(new)),
    }
    used, why = verdict(told, happened[new], contact[new])
    return Fitted(
        used=used,
        why=why,
        attempts=count,
        answered=int(happened.sum()),
        held_out=len(new),
        measures={name: measures(chances, happened[new]) for name, chances in told.items()},
        bins=reliability(told["learned"], happened[new]),
        model=fitted(facts, happened, strength=strength),
    )


def _unfit(why: str, happened: Happened) -> Fitted:
    return Fitted(used=False, why=why, attempts=len(happened), answered=int(happened.sum()))


def verdict(told: Mapping[str, Floats], happened: Happened, contact: Ints) -> tuple[bool, str]:
    """Say whether `learned` foretold the held-out attempts surely better than each baseline."""
    loss = {name: losses(chances, happened) for name, chances in told.items()}
    best = min((name for name in loss if name != "learned"), key=lambda name: float(loss[name].mean()))
    better, error = gain(loss["learned"], loss[best], contact)
    words = (
        f"on the newest {len(happened)} attempts its log loss is {loss['learned'].mean():.4f}, that of the"
    )
    words += f" best baseline ({best}) {loss[best].mean():.4f}"
    if better > _SURE * error:
        return True, f"used: {words}"
    return False, f"not used: {words}; the gain {better:.4f} is not {_SURE:g} standard errors ({error:.4f})"
