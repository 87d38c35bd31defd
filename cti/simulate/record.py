"""What is written down of a shift while it runs."""

from collections import Counter
from dataclasses import dataclass, field

from cti.pacing.signals import Result


@dataclass(slots=True)
class Record:
    """Raw facts of one shift. Times are seconds since it began."""

    answered_at: list[float] = field(default_factory=list)
    """When each person (or who passed as one) was on the line, rising."""
    dropped_at: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    """How long a rep waited for each of his calls."""
    waited: list[float] = field(default_factory=list)
    """How long each person waited for his rep."""
    talk: float = 0.0
    """Seconds of reps with persons."""
    machine_talk: float = 0.0
    """Seconds of reps with machines."""
    wrap_up: float = 0.0
    placed: int = 0
    results: Counter[Result] = field(default_factory=Counter)
    """True ends of attempts."""
    lines_for: Counter[int] = field(default_factory=Counter)
    """Seconds during which exactly so many lines were open."""
    lines_peak: int = 0
    ended_at: float = 0.0
    """End of the shift, or of the list."""

    def lines(self, count: int, seconds: float) -> None:
        """Note that so many lines were open for so long."""
        self.lines_for[count] += seconds  # type: ignore[assignment]  # a Counter of seconds
        self.lines_peak = max(self.lines_peak, count)
