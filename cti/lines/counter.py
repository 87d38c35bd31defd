"""Counts calls of the last hour and the last day in steps of some minutes: little memory, never too few. Pure."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

STEP: Final = timedelta(minutes=5)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def step_of(at: datetime) -> int:
    """Return the number of the step of time, counted from 1970."""
    return int(at.timestamp() // STEP.total_seconds())


@dataclass(slots=True)
class Counter:
    """Calls by step, oldest first. A step counts until all of it is too old, so a cap is never passed."""

    _steps: deque[list[int]] = field(default_factory=deque)
    """Pairs of step and count; changed in place."""

    def add(self, at: datetime, calls: int = 1) -> None:
        """Count calls made at this moment; a clock that went back counts into the newest step."""
        step = step_of(at)
        if self._steps and step <= self._steps[-1][0]:
            self._steps[-1][1] = max(0, self._steps[-1][1] + calls)
        elif calls > 0:
            self._steps.append([step, calls])

    def within(self, span: timedelta, now: datetime) -> int:
        """Count the calls of the last hour or day; what is older than a day is forgotten."""
        oldest_kept = step_of(now - DAY)
        while self._steps and self._steps[0][0] < oldest_kept:
            self._steps.popleft()
        oldest = step_of(now - span)
        return sum(calls for step, calls in self._steps if step >= oldest)
