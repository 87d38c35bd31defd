"""Attempts at made-up contacts, some of whom answer in the evening."""

from datetime import UTC, datetime, timedelta

import numpy as np

from cti.chances.facts import Attempts, attempts_of
from cti.model.answer_chances import PastAttempt
from cti.model.calls import Outcome

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)


def past(
    number: int,
    contact: int,
    at: datetime,
    outcome: Outcome = Outcome.NO_ANSWER,
    kind: str = "mobile",
    zone: str = "",
) -> PastAttempt:
    return PastAttempt(f"{number:032x}", contact, at, at + timedelta(seconds=30), outcome, kind, zone)


def some_attempts(count: int = 4000, *, evening: float = 2.0, days: float = 8.0, seed: int = 1) -> Attempts:
    """Return attempts between 9:00 and 21:00; after 17:00 the logit of an answer on a mobile is higher by `evening`."""
    random = np.random.default_rng(seed)
    told = []
    for place in range(count):
        day, second = divmod(place / count * days, 1.0)
        at = MONDAY + timedelta(days=int(day), hours=9 + 12 * second)
        mobile = bool(random.random() < 0.5)
        logit = -1.0 + (evening if mobile and at.hour >= 17 else 0.0)
        answers = random.random() < 1.0 / (1.0 + np.exp(-logit))
        outcome = Outcome.CONNECTED if answers else Outcome.NO_ANSWER
        kind = "mobile" if mobile else "fixed_line"
        told.append(past(place, int(random.integers(count // 2)), at, outcome, kind))
    return attempts_of(told)
