"""How many calls to place now. Pure functions of a `Floor`; the engine looks, asks, acts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One campaign at one instant."""

    now: datetime
    idle_agents: int
    """Logged in, ready, reachable, nothing reserved for them."""
    waiting: int
    """Answered calls that nobody has fetched yet. Each already owns an agent."""
    open_calls: int
    """Placed and not ended."""
    free_lines: int
    """How many more calls its limits allow."""
    placed: int
    """Calls placed by this engine for the campaign since it was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many calls to place, for whom, and why."""

    calls: int
    why: str
    reserve: bool = True
    """Whether each call is placed for one agent, who is reserved for it."""


Pacing = Callable[[Floor], Decision]


def progressive(floor: Floor) -> Decision:
    """Offer one call for each free agent who has no answered call coming."""
    free = max(0, floor.idle_agents - floor.waiting)
    calls = max(0, min(free, floor.free_lines))
    if calls:
        return Decision(calls=calls, why=f"{floor.idle_agents} free, {floor.waiting} waiting")
    if not free:
        return Decision(calls=0, why="no free agent")
    return Decision(calls=0, why="no free line")


class Throttle:
    """Allows a number of calls per second, at most one second's worth at once. Time is passed in."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._tokens = max(1.0, per_second)
        self._at: float | None = None

    def allowed(self, now: float) -> int:
        """Return how many calls may leave at `now` (monotonic seconds)."""
        if self._at is not None:
            self._tokens = min(max(1.0, self._per_second), self._tokens + (now - self._at) * self._per_second)
        self._at = now
        return int(self._tokens)

    def spend(self, calls: int) -> None:
        """Take what was used."""
        self._tokens -= calls
