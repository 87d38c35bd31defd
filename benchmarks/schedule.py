"""A fixed rate of calls, and how late each of them left. Pure; moments are monotonic seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from cti.pacing.floor import Decision, Floor


@dataclass(frozen=True, slots=True)
class Schedule:
    """`calls` calls, the first at `start`, then evenly at `rate` per second."""

    rate: float
    calls: int
    start: float

    def due(self, now: float) -> int:
        """Return how many should have left by now."""
        return max(0, min(self.calls, int((now - self.start) * self.rate) + 1)) if now >= self.start else 0

    def lateness(self, left: Sequence[float]) -> list[float]:
        """Return by how many seconds each call was late, in the order in which they left."""
        return [at - (self.start + n / self.rate) for n, at in enumerate(left)]


def offered(schedule: Schedule, floor: Floor, now: float) -> Decision:
    """Return the pacing of a schedule: what is due, whoever is there."""
    wanted = max(0, schedule.due(now) - floor.placed)
    return Decision(calls=wanted, why=f"{schedule.rate:g} per second", reserve=False)
