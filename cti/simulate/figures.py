"""From the record of a shift to its figures, and from several shifts to what may be expected. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Final

from cti.pacing.signals import Result
from cti.simulate.record import Record

HALF_HOUR: Final = 1800.0
ANSWERS_TO_JUDGE: Final = 30
"""Half an hour with fewer answers says nothing of a drop rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One shift. Shares are 0 to 1, times in seconds."""

    utilisation: float
    """(Talk + wrap-up) / time at work."""
    talk_share: float
    """Talk with persons / time at work."""
    answered: int
    """Persons on the line, and what passed as one."""
    dropped: int
    drop_rate: float
    worst_half_hour: float
    """Highest drop rate of any half hour with 30 answers or more; 0 where no half hour has so many."""
    rep_wait_mean: float
    """Between a rep's calls."""
    rep_wait_p90: float
    calls_per_rep_hour: float
    """Conversations, those with machines included."""
    answer_share: float
    """Answered by a person / carried by the network: what became of the scenario's answer rate."""
    answers_per_1000: float
    """Persons who answered, of 1000 dials."""
    dials: int
    lines_peak: int
    lines_p99: int
    """For 99 % of the time no more lines were open."""
    ran_hours: float
    """Until the end of the shift or of the list."""


def figures(record: Record, *, reps: int) -> Figures:
    """Return the figures of a shift."""
    worked = max(record.ended_at, 1e-9) * reps
    answered, dropped = len(record.answered_at), len(record.dropped_at)
    live = record.results[Result.LIVE]
    carried = record.results.total() - record.results[Result.FAILED]
    idle = sorted(record.idle)
    return Figures(
        utilisation=(record.talk + record.machine_talk + record.wrap_up) / worked,
        talk_share=record.talk / worked,
        answered=answered,
        dropped=dropped,
        drop_rate=dropped / answered if answered else 0.0,
        worst_half_hour=worst_half_hour(record.answered_at, record.dropped_at),
        rep_wait_mean=fmean(idle) if idle else 0.0,
        rep_wait_p90=idle[min(len(idle) - 1, int(0.9 * len(idle)))] if idle else 0.0,
        calls_per_rep_hour=len(record.waited) / (worked / 3600.0),
        answer_share=live / carried if carried else 0.0,
        answers_per_1000=1000.0 * live / record.results.total() if record.results else 0.0,
        dials=record.placed,
        lines_peak=record.lines_peak,
        lines_p99=_lines_for_share(record.lines_for, 0.99),
        ran_hours=record.ended_at / 3600.0,
    )


def worst_half_hour(answered_at: Sequence[float], dropped_at: Sequence[float]) -> float:
    """Return the highest drop rate of the half hours that end with a drop and have answers enough."""
    worst = 0.0
    for place, at in enumerate(dropped_at):
        answers = bisect_right(answered_at, at) - bisect_left(answered_at, at - HALF_HOUR)
        drops = place + 1 - bisect_left(dropped_at, at - HALF_HOUR)
        if answers >= ANSWERS_TO_JUDGE:
            worst = max(worst, drops / answers)
    return worst


def _lines_for_share(lines_for: Mapping[int, float], share: float) -> int:
    """Return the smallest number of lines that was enough for this share of the time."""
    wanted, so_far = share * sum(lines_for.values()), 0.0
    for lines, seconds in sorted(lines_for.items()):
        so_far += seconds
        if so_far >= wanted:
            return lines
    return max(lines_for, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Several shifts of one scenario and mode, which differ by the seed alone."""

    mean: Figures
    """Means; counts rounded, `drop_rate` of all answers together; of peaks and the worst half hour the highest."""
    utilisation_error: float
    """Standard error of the mean utilisation; 0 with one shift."""
    worst_drop_rate: float
    """Of the shifts."""
    shifts: int


def expectation(shifts: Sequence[Figures]) -> Expectation:
    """Return what several shifts (at least one) say together."""
    means = {name: fmean(getattr(shift, name) for shift in shifts) for name in Figures.__slots__}
    answered = sum(shift.answered for shift in shifts)
    dropped = sum(shift.dropped for shift in shifts)
    whole = {name: round(means[name]) for name in ("answered", "dropped", "dials", "lines_p99")}
    together = {
        "drop_rate": dropped / answered if answered else 0.0,
        "worst_half_hour": max(shift.worst_half_hour for shift in shifts),
        "lines_peak": max(shift.lines_peak for shift in shifts),
    }
    used = [shift.utilisation for shift in shifts]
    return Expectation(
        mean=Figures(**(means | whole | together)),  # type: ignore[arg-type]  # by the fields' own names
        utilisation_error=stdev(used) / sqrt(len(used)) if len(used) > 1 else 0.0,
        worst_drop_rate=max(shift.drop_rate for shift in shifts),
        shifts=len(shifts),
    )
