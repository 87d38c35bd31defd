"""When failed work is tried again. Pure: the chance is handed in."""

from dataclasses import dataclass
from typing import Final

_LAST_DOUBLING: Final = 62
"""Further doublings change nothing but would make huge integers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlan:
    """How long and how often. The default keeps trying for hours: a full disk is not cleared in minutes."""

    first_seconds: float = 1.0
    ceiling_seconds: float = 600.0
    attempts: int = 50
    """Runs in all; after the last one the work is a dead letter."""


def retry_seconds(attempts: int, *, plan: RetryPlan, chance: float) -> float:
    """Return the pause after `attempts` failed runs: full jitter below a bound that doubles each time.

    `chance` is a random number of 0 to 1. Full jitter spreads the retries of rows that failed at one instant
    (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    doublings = min(max(attempts - 1, 0), _LAST_DOUBLING)
    return chance * min(plan.ceiling_seconds, plan.first_seconds * 2.0**doublings)
