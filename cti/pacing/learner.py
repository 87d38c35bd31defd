"""What pacing has learned so far: takes signals in, gives estimates out. The one state of the predictive pacer's eyes.

Keeps the last attempts, conversations and wrap-ups; estimates are made anew every few seconds from those and from what
is up on the floor at that moment.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from cti.pacing.attempts import Ended, Floats, RingTimes, ring_times
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
FRESH_SECONDS: Final = 5.0
"""Estimates are made anew after this time, or when a tenth more is known."""
HORIZON_SHARES: Final = (0.1, 0.3, 0.55, 0.8, 0.95)
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
    release: Releases
    stays: float
    """Share of agents who are free after a wrap-up, of those who had announced no leave."""

    @property
    def enough(self) -> bool:
        """Return whether enough is known to place more calls than agents."""
        return self.ring.attempts >= FEWEST


class Learner:
    """Remembers what happened. Deterministic; times are those of the signals and floors."""

    def __init__(self) -> None:
        self._ended: deque[Ended] = deque(maxlen=2 * ATTEMPTS)
        self._talks: deque[Span] = deque(maxlen=SPANS)
        self._wrap_ups: deque[Span] = deque(maxlen=SPANS)
        self._persons: deque[float] = deque(maxlen=20_000)
        self._answered = self._detected = 1.0
        self._releases, self._left = LEFT_PRIOR, 0.0
        self._began: float | None = None
        self._forget_before = -np.inf
        self._seen = self._seen_then = 0
        self._made_at = -np.inf
        self._made: Learned | None = None

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
                self._releases = 0.99 * self._releases + (not signal.announced)
                self._left = 0.99 * self._left + (not signal.free and not signal.announced)
                self._seen += 1
            case _:
                pass

    def _attempt(self, signal: AttemptEnded) -> None:
        if signal.result is Result.FAILED:
            return
        answered = signal.result is Result.LIVE
        age = max(0.0, signal.at - signal.placed_at)
        self._ended.append(Ended(signal.placed_at, age, answered, signal.answer_chance))
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
        fresh = floor.now - self._made_at
        more = self._seen - self._seen_then
        if self._made is None or fresh >= FRESH_SECONDS or fresh < 0 or 10 * more > self._seen:
            self._made = self._estimates(floor)
            self._made_at, self._seen_then = floor.now, self._seen
        return self._made

    def _estimates(self, floor: Floor) -> Learned:
        ring, calibration = self._ring(floor)
        horizons = ring.horizons(HORIZON_SHARES)
        within = horizons + floor.detection + floor.grace
        live_share = 1.0
        if floor.detection > 0:
            live_share = float(
                np.clip(self._detected / max(1.0, self._answered - len(floor.screening)), 0.05, 1.0)
            )
        return Learned(
            ring=ring,
            calibration=calibration,
            live_share=live_share,
            horizons=horizons,
            answers_by=ring.answered_within(horizons),
            release=releases(*self._survivals(floor, reach=int(np.ceil(within.max())) + 2), within),
            stays=1 - self._left / self._releases,
        )

    def _ring(self, floor: Floor) -> tuple[RingTimes, float]:
        known = [one for one in self._ended if one.placed_at >= self._forget_before]
        known = self._after_change(known, floor)
        if len(known) > ATTEMPTS:
            known.sort(key=lambda one: one.placed_at)
            known = known[-ATTEMPTS:]
        since = min((one.placed_at for one in known), default=-np.inf)
        ages_up = [max(0.0, floor.now - one.placed_at) for one in floor.in_flight if one.placed_at >= since]
        ring = ring_times(known, ages_up, ring_timeout=floor.ring_timeout)
        told = [(one.chance, one.answered) for one in self._complete(known, floor) if one.chance is not None]
        answers, expected = sum(a for _, a in told), sum(c for c, _ in told)
        return ring, (answers + CALIBRATION_PRIOR) / (expected + CALIBRATION_PRIOR)

    @staticmethod
    def _complete(known: list[Ended], floor: Floor) -> list[Ended]:
        """Leave out whose fellows, placed at the same time, may be still up."""
        return [one for one in known if one.placed_at <= floor.now - floor.ring_timeout]

    def _after_change(self, known: list[Ended], floor: Floor) -> list[Ended]:
        """Forget what was before, when the last complete attempts answer otherwise than those before them."""
        complete = sorted(self._complete(known, floor), key=lambda one: one.placed_at)
        before, recent = complete[:-RECENT], complete[-RECENT:]
        if len(before) < RECENT:
            return known
        share = (sum(one.answered for one in before) + 1) / (len(before) + 2)
        error = np.sqrt(share * (1 - share) * (1 / RECENT + 1 / len(before)))
        if abs(sum(one.answered for one in recent) / RECENT - share) < CHANGED * error:
            return known
        self._forget_before = recent[0].placed_at
        return [one for one in known if one.placed_at >= self._forget_before]

    def _survivals(self, floor: Floor, reach: int) -> tuple[Survival, Survival]:
        return (
            self._survival(self._talks, [one.since for one in floor.talking], TALK_MEAN, floor.now, reach),
            self._survival(
                self._wrap_ups, [one.since for one in floor.wrapping], WRAP_UP_MEAN, floor.now, reach
            ),
        )

    @staticmethod
    def _survival(spans: deque[Span], running: list[float], mean: float, now: float, reach: int) -> Survival:
        since = spans[0].ended_at if len(spans) == spans.maxlen else -np.inf
        return survival(spans, running, now=now, prior_mean=mean, since=since, reach=reach)
