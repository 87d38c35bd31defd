"""Rates stepped up until a side holds no more, and what that comes to. Pure."""

from dataclasses import dataclass, field

from benchmarks.rows import Row, ratio

STEP: int = 50
HIGHEST: int = 800
LATE_SECONDS: float = 1.0
"""A rate does not hold when an Originate leaves later than this against its schedule."""
TRIES: int = 2
"""A rate that does not hold is tried once more: the machine may have been busy with something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One side at one rate."""

    placed: int
    late_ms_max: float
    late_ms_p99: float
    unfinished: int
    """Without an outcome 10 s after the last Originate."""
    lost: int
    """Without an outcome after a minute more."""
    other: int
    """Ended in another way than busy."""
    cpu_seconds: float
    rss_mb: float
    seconds: float
    """From the first Originate to the last."""

    @property
    def cpu_ms_per_call(self) -> float:
        """Processor time of the side's process for a call, in milliseconds."""
        return 1000 * self.cpu_seconds / max(1, self.placed)

    def holds(self, calls: int) -> bool:
        """Whether all left in time and ended."""
        return self.placed == calls and self.late_ms_max <= 1000 * LATE_SECONDS and self.unfinished == 0


@dataclass(slots=True)
class Climb:
    """One side's way up."""

    name: str
    runs: dict[int, list[Run]] = field(default_factory=dict)
    held: int = 0
    """The highest rate that held."""
    climbing: bool = True

    def note(self, rate: int, run: Run, calls: int) -> bool:
        """Take note of a run; True when this rate is done for this side, one way or the other."""
        tries = self.runs.setdefault(rate, [])
        tries.append(run)
        if run.holds(calls):
            self.held = rate
            return True
        self.climbing = len(tries) < TRIES
        return not self.climbing

    def figures(self, rate: int) -> Row:
        """Return this side's part of the row of a rate."""
        tries = self.runs.get(rate)
        if not tries:
            return {f"{self.name}_held": None}
        run = tries[-1]
        return {
            f"{self.name}_held": self.held >= rate,
            f"{self.name}_tries": len(tries),
            f"{self.name}_placed": run.placed,
            f"{self.name}_late_ms_max": round(run.late_ms_max),
            f"{self.name}_late_ms_p99": round(run.late_ms_p99),
            f"{self.name}_unfinished": run.unfinished,
            f"{self.name}_lost": run.lost,
            f"{self.name}_other_outcome": run.other,
            f"{self.name}_cpu_ms_per_call": round(run.cpu_ms_per_call, 3),
            f"{self.name}_cpu_share": round(run.cpu_seconds / run.seconds, 2) if run.seconds else None,
            f"{self.name}_rss_mb": round(run.rss_mb, 1),
        }


def summary(ours: Climb, bare: Climb) -> Row:
    """Return the last row. Processor time is that of the highest rate that both held.

    `lost` is of all runs up to the highest rate that held; what an overloaded Asterisk keeps beyond it, from either
    side, is in the rows.
    """
    both = min(ours.held, bare.held)
    return {
        "rate": ours.held,
        "bare_rate": bare.held,
        "ratio": ratio(ours.held, bare.held),
        "lost": sum(run.lost for rate, tries in ours.runs.items() if rate <= ours.held for run in tries),
        "cpu_ms_per_call": round(ours.runs[both][-1].cpu_ms_per_call, 3) if both else None,
        "bare_cpu_ms_per_call": round(bare.runs[both][-1].cpu_ms_per_call, 3) if both else None,
    }
