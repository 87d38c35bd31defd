"""How much risk a further call may have, so that the drop rate comes out at the target. Pure but for the one state.

Two loops. `theta` moves a little with each answered person and each drop, so that its mean is right for the campaign
whatever the estimates get wrong. The plan looks at the ledger: what may still be dropped among those still to come.
"""

from dataclasses import dataclass, replace
from math import exp, log
from typing import Final

import numpy as np

from cti.pacing.floor import Budget

AIM = 0.95
"""Share of the target that is aimed at: the last drops cannot be taken back."""
STEP = 0.003
"""Largest change of log theta for an answer."""
MEMORY_SECONDS = 2400.0
"""About as long does theta remember."""
PLAN_SECONDS = 4 * 3600.0
"""Longest span that is planned for."""
ROLLING_SECONDS = 2 * 3600.0
"""Span that is planned for when the window rolls."""
FEWEST = 25.0
"""At least so many answers are planned for: the end of a shift is not a lottery."""
MOST = 1.5
"""A surplus raises theta by no more than this: it is for bad luck, not to be spent at once."""
LOWEST, HIGHEST = -6.0, 4.0
"""How far log theta may go from where it began."""


SIZES: Final = (4, 10, 30)
"""Team sizes for which the following were found with simulated shifts; between them by the logarithm."""
LOG_SIZES: Final = tuple(log(size) for size in SIZES)
FIRST_THETA: Final = (0.014, 0.012, 0.02)
IDLE_EXPONENT: Final = (1.2, 0.6, 0.0)


@dataclass(frozen=True, slots=True)
class Theta:
    """How the accepted risk was moved from where it began, before the plan."""

    log: float = 0.0

    def answered(self, per_second: float) -> "Theta":
        """Return it after an answer by a person; `per_second`: how often they come."""
        return replace(self, log=min(HIGHEST, self.log + _step(per_second)))

    def dropped(self, per_second: float, target: float) -> "Theta":
        """Return it after a drop."""
        return replace(self, log=max(LOWEST, self.log - _step(per_second) / max(AIM * target, 1e-4)))


def _step(per_second: float) -> float:
    return min(STEP, 1 / max(1.0, per_second * MEMORY_SECONDS))


@dataclass(frozen=True, slots=True)
class Plan:
    """What the ledger still allows."""

    drops_left: float
    """How many more may be dropped among those expected; below 0: overspent."""
    factor: float
    """By what theta is multiplied; 0: one call for each agent."""


def plan(budget: Budget, per_second: float) -> Plan:
    """Spread what may still be dropped over the answers still to come.

    The factor is 0 when one more drop could not be made good: by the answers that are to come within the window, or,
    where it rolls and may be looked at any day, by those it holds already.
    """
    rolls = budget.seconds_left is None
    span = ROLLING_SECONDS if rolls else min(PLAN_SECONDS, max(0.0, budget.seconds_left or 0.0))
    coming = per_second * span
    planned = max(FEWEST, coming)
    aim = AIM * budget.target
    left = aim * (budget.live + planned) - budget.dropped
    certain = budget.live + (FEWEST if rolls else coming)
    if left <= 0 or budget.dropped + 1 > budget.target * certain:
        return Plan(min(left, 0.0), 0.0)
    return Plan(left, min(MOST, left / planned / aim))


def first_theta(agents: int) -> float:
    """Return theta to begin with; found with simulated shifts."""
    return _by_size(agents, FIRST_THETA)


def idle_exponent(agents: int) -> float:
    """Return by what power of the idle agents theta grows.

    At the exact optimum of a memoryless campaign the accepted risk grows with the idle agents: who is far
    behind gains more by an answer. In large teams their number hardly moves.
    """
    return _by_size(agents, IDLE_EXPONENT)


def _by_size(agents: int, values: tuple[float, ...]) -> float:
    """Read a value between those for `SIZES`."""
    return float(np.interp(log(max(1, agents)), LOG_SIZES, values))


def accepted(theta: Theta, factor: float, *, idle: int, agents: int) -> float:
    """Return the highest risk a further call may have now."""
    grown = (1.0 + max(0, idle)) ** idle_exponent(agents)
    return float(min(0.9, exp(theta.log) * first_theta(agents) * factor * grown))
