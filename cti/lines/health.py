"""Whether a number is answered less than the others of its pool by more than chance: an exact binomial test. Pure.

A number that carriers or phones mark as spam shows it first in how seldom people answer. Few calls decide nothing: at a
rate of 20 % a number with half of it is found after some 200 calls, one that nobody answers after 39.
"""

import math
from typing import Final

CHANCE: Final = 0.0002
"""A number as good as the others may look so bad with this chance. It is asked after each call, so the chance of a
wrong rest is greater: 0.5 to 2.5 % in 1000 calls (docs/decisions/0079-when-a-number-rests.md)."""
LEAST_CALLS: Final = 20
"""Fewer of either side say nothing, whatever they are."""


def is_unhealthy(*, answered: int, calls: int, others_answered: int, others_calls: int) -> bool:
    """Whether so few answers of so many calls would be rarer than `CHANCE` at the others' rate."""
    if calls < LEAST_CALLS or others_calls < LEAST_CALLS:
        return False
    # One more answer and one more call: the others' rate is an estimate too, and must not be 0 or 1.
    rate = (others_answered + 1) / (others_calls + 2)
    return at_most(answered, calls, rate) < CHANCE


def at_most(successes: int, trials: int, chance: float) -> float:
    """Return the binomial probability of at most so many successes."""
    if successes >= trials:
        return 1.0
    log_yes, log_no = math.log(chance), math.log1p(-chance)
    return sum(
        math.exp(_log_ways(trials, k) + k * log_yes + (trials - k) * log_no) for k in range(successes + 1)
    )


def _log_ways(trials: int, chosen: int) -> float:
    return math.lgamma(trials + 1) - math.lgamma(chosen + 1) - math.lgamma(trials - chosen + 1)
