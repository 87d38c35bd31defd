"""A clock that stands still until it is told to move."""

from datetime import datetime, timedelta

from tests.builders import NOW


class FakeClock:
    """Implements `Clock` of cti.clock."""

    def __init__(self, at: datetime = NOW) -> None:
        self._at = at
        self._start = at

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return (self._at - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._at += timedelta(seconds=seconds)
