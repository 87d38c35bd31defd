"""What pacing has learned so far: takes signals in, gives estimates out. The one state of the predictive pacer's eyes.

Keeps the last attempts, conversations and wrap-ups; estimates are made anew every few seconds from those and from what
is up on the floor at that moment.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from typing import Final

import numpy as np

from cti.pacing.attempts import STEP, Ended, Floats, RingTimes, ring_times
from cti.pacing.durations import Releases, Span, Survival, releases, survival
from cti.pacing.floor import Floor
from cti.pacing.signals import AttemptEnded, PersonAnswered, Result, Signal, TalkEnded, WrapUpEnded

ATTEMPTS: Final = 600
"""Attempts learned from."""
RECENT: Final = 90
"""Attempts that are held against the others: has the answer rate changed?"""
CHANGED: Final = 3.0
"""In standard errors."""
SPANS: Final = 500
"""Conversations, and wrap-ups, learned from."""
FEWEST: Final = 30
"""Ended attempts before anything is believed."""
FRESH_SECONDS: Final = 10.0
"""What is learned of attempts is made anew after this time, or when a tenth more is known."""
SLOW_SECONDS: Final = 30.0
"""The same for conversations, which change slowly and take longer to work out; and for the horizons."""
HORIZON_SHARES: Final = (0.3, 0.6, 0.9)
"""Horizons are where these shares of the answers have come."""
TALK_MEAN, WRAP_UP_MEAN = 180.0, 30.0
"""Seconds that conversations and wrap-ups are taken to last while nothing is known."""
CALIBRATION_PRIOR = 10.0
"""What the given answer chances are worth, in answers, against what is observed."""
LEFT_PRIOR = 50.0
"""Releases without a leave that are taken for seen."""
RATE_SECONDS = 2400.0
"""Span over which the pace of answers is taken."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Estimates of one moment."""

    ring: RingTimes
    calibration: float
    """By what a given answer chance is multiplied."""
    live_share: float
    """Persons among those who answered, 0 to 1; 1 without machine detection."""
    horizons: Floats
    """Seconds after placing, to the answer."""
    answers_by: Floats
    """Share of the answers that have come by each horizon."""
    coming: Floats
    """Chance that a person answers within each horizon, by horizon and steps of age, of calls without a chance of
    their own."""
    release: Releases
    stays: float
    """Share of agents who are free after a wrap-up, of those who had announced no leave."""

    @property
    def enough(self) -> bool:
        """Return whether enough is known to place more calls than agents."""
        return self.ring.attempts >= FEWEST

    def levels(self, chances: Sequence[float | None]) -> Floats:
        """Return the chance of each call to be answered at all, by whomever, on the careful side."""
        rate = careful(self.ring)
        told = self.calibration
        return np.array(
            [rate if one is None else min(0.95, max(0.005, one * told)) for one in chances], float
        )


def careful(ring: RingTimes) -> float:
    """Return the rate and its standard error: few attempts may have shown too little."""
    return min(0.95, ring.rate * (1 + ring.rate_cv))


class Learner:
    """Remembers what happened. Deterministic; times are those of the signals and floors."""

    def __init__(self) -> None:
        self._ended: list[Ended] = []
        """By the time of placing."""
        self._talks: deque[Span] = deque(maxlen=SPANS)
        self._wrap_ups: deque[Span] = deque(maxlen=SPANS)
        self._persons: deque[float] = deque(maxlen=20_000)
        self._answered = self._detected = 1.0
        self._ends, self._left = LEFT_PRIOR, 0.0
        self._began: float | None = None
        self._seen = self._made_of = self._slow_of = 0
        self._made_at = self._slow_at = -inf
        self._made: Learned | None = None
        self._slow: tuple[Floats, Releases] | None = None

    def learn(self, signal: Signal) -> None:
        """Take a signal in."""
        if self._began is None:
            self._began = signal.at
        match signal:
            case AttemptEnded():
                self._attempt(signal)
            case PersonAnswered(at=at):
                self._persons.append(at)
                self._detected += 1
            case TalkEnded(at=at, seconds=seconds):
                self._talks.append(Span(at, max(0.0, seconds)))
                self._seen += 1
            case WrapUpEnded(at=at, seconds=seconds):
                self._wrap_ups.append(Span(at, max(0.0, seconds)))
                self._ends = 0.99 * self._ends + (not signal.announced)
                self._left = 0.99 * self._left + (not signal.free and not signal.announced)
                self._seen += 1
            case _:
                pass

    def _attempt(self, signal: AttemptEnded) -> None:
        if signal.result is Result.FAILED:
            return
        answered = signal.result is Result.LIVE
        age = max(0.0, signal.at - signal.placed_at)
        insort(self._ended, Ended(signal.placed_at, age, answered, signal.answer_chance), key=_placed)
        if len(self._ended) >= 2 * ATTEMPTS:
            del self._ended[:-ATTEMPTS]
        self._seen += 1
        if answered:
            self._answered, self._detected = 0.998 * self._answered + 1, 0.998 * self._detected

    def per_second(self, now: float) -> float:
        """Return how many persons answer per second."""
        while self._persons and self._persons[0] < now - RATE_SECONDS:
            self._persons.popleft()
        began = now if self._began is None else self._began
        span = min(RATE_SECONDS, now - began)
        if len(self._persons) == self._persons.maxlen:
            span = now - self._persons[0]
        return len(self._persons) / max(60.0, span)

    def learned(self, floor: Floor) -> Learned:
        """Return the estimates; made anew when they are old."""
        if self._made is None or self._is_old(self._made_at, self._made_of, FRESH_SECONDS, floor.now):
            self._made = self._estimates(floor)
            self._made_at, self._made_of = floor.now, self._seen
        return self._made

    def _is_old(self, at: float, seen: int, seconds: float, now: float) -> bool:
        return not 0 <= now - at < seconds or 10 * (self._seen - seen) > self._seen

    def _estimates(self, floor: Floor) -> Learned:
        ring, calibration = self._ring(floor)
        horizons, release = self._releases_by(ring, floor)
        live_share = self._live_share(floor)
        ages = STEP * np.arange(len(ring.answered_by), dtype=np.float64)
        return Learned(
            ring=ring,
            calibration=calibration,
            live_share=live_share,
            horizons=horizons,
            answers_by=ring.answered_within(horizons),
            coming=live_share * ring.chance_within(ages, np.full(len(ages), careful(ring)), horizons),
            release=release,
            stays=1 - self._left / self._ends,
        )

    def _live_share(self, floor: Floor) -> float:
        if floor.detection <= 0:
            return 1.0
        return min(1.0, max(0.05, self._detected / max(1.0, self._answered - len(floor.screening))))

    def _releases_by(self, ring: RingTimes, floor: Floor) -> tuple[Floats, Releases]:
        """Return the horizons, and who will be free by them."""
        if self._slow is None or self._is_old(self._slow_at, self._slow_of, SLOW_SECONDS, floor.now):
            horizons = ring.horizons(HORIZON_SHARES)
            within = horizons + floor.detection + floor.grace
            self._slow = horizons, releases(*self._survivals(floor, reach=ceil(within.max()) + 2), within)
            self._slow_at, self._slow_of = floor.now, self._seen
        return self._slow

    def _ring(self, floor: Floor) -> tuple[RingTimes, float]:
        known = self._ended[-ATTEMPTS:]
        # Of those placed since, none can be still up.
        complete = known[: bisect_right(known, floor.now - floor.ring_timeout, key=_placed)]
        since = _change(complete)
        if since is not None:
            del self._ended[: bisect_left(self._ended, since, key=_placed)]
            known = self._ended[-ATTEMPTS:]
            complete = [one for one in complete if one.placed_at >= since]
        begin = known[0].placed_at if known else -inf
        ages_up = [max(0.0, floor.now - one.placed_at) for one in floor.in_flight if one.placed_at >= begin]
        return ring_times(known, ages_up, ring_timeout=floor.ring_timeout), _calibration(complete)

    def _survivals(self, floor: Floor, reach: int) -> tuple[Survival, Survival]:
        return (
            self._survival(self._talks, [one.since for one in floor.talking], TALK_MEAN, floor.now, reach),
            self._survival(
                self._wrap_ups, [one.since for one in floor.wrapping], WRAP_UP_MEAN, floor.now, reach
            ),
        )

    @staticmethod
    def _survival(spans: deque[Span], running: list[float], mean: float, now: float, reach: int) -> Survival:
        since = spans[0].ended_at if len(spans) == spans.maxlen else -inf
        return survival(spans, running, now=now, prior_mean=mean, since=since, reach=reach)


def _placed(one: Ended) -> float:
    return one.placed_at


def _change(complete: Sequence[Ended]) -> float | None:
    """Return since when attempts answer otherwise than those before them; None: they do not."""
    before, recent = complete[:-RECENT], complete[-RECENT:]
    if len(before) < RECENT:
        return None
    share = (sum(one.answered for one in before) + 1) / (len(before) + 2)
    error = sqrt(share * (1 - share) * (1 / RECENT + 1 / len(before)))
    away = abs(sum(one.answered for one in recent) / RECENT - share)
    return recent[0].placed_at if away >= CHANGED * error else None


def _calibration(complete: Sequence[Ended]) -> float:
    """Return by what given answer chances must be multiplied to come out as observed."""
    answers = expected = CALIBRATION_PRIOR
    for one in complete:
        if one.chance is not None:
            answers += one.answered
            expected += one.chance
    return answers / expected
