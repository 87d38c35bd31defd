"""How many calls per second may leave."""


class Throttle:
    """Allows a number of calls per second, at most one second's worth at once. Time is passed in."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._tokens = max(1.0, per_second)
        self._at: float | None = None

    def allowed(self, now: float) -> int:
        """Return how many calls may leave at `now` (monotonic seconds)."""
        if self._at is not None:
            self._tokens = min(max(1.0, self.per_second), self._tokens + (now - self._at) * self.per_second)
        self._at = now
        return int(self._tokens)

    def spend(self, calls: int) -> None:
        """Take what was used."""
        self._tokens -= calls
