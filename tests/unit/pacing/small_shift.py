"""A floor of our own for tests: some agents, a list that answers, a pacer. Seeded; an hour takes about a second."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from cti.pacing.floor import Budget, Busy, Floor, InFlight, Pacer
from cti.pacing.signals import (
    AttemptEnded,
    Connected,
    Dropped,
    PersonAnswered,
    Result,
    TalkEnded,
    WrapUpEnded,
)

TIMEOUT, GRACE, LOOK = 28.0, 2.0, 2.0


def always(rate: float) -> Callable[[float], float]:
    """Return an answer rate that never changes."""
    return lambda now: rate


_three_in_ten = always(0.3)


@dataclass
class Shift:
    """One shift; `run` gives what came of it."""

    pacer: Pacer
    agents: int = 10
    hours: float = 2.0
    seed: int = 1
    answer_rate: Callable[[float], float] = _three_in_ten
    broken: Callable[[float], bool] = lambda now: False
    """Whether the trunk refuses everything now."""
    chances: tuple[float, ...] = ()
    """Answer chances of the contacts in turn; the pacer is told. Empty: `answer_rate`, and nothing is told."""
    detection: float = 0.0
    idle: int = field(init=False)
    busy_seconds: float = field(init=False, default=0.0)
    live: int = field(init=False, default=0)
    dropped: int = field(init=False, default=0)
    placed: int = field(init=False, default=0)
    worst_waiting: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.idle, self.random = self.agents, Random(self.seed)
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.flight: dict[int, InFlight] = {}
        self.screening: dict[int, float] = {}
        self.talking: dict[int, Busy] = {}
        self.wrapping: dict[int, Busy] = {}
        self.waiting: dict[int, float] = {}
        self.now, self.count = 0.0, 0

    @property
    def end(self) -> float:
        """Return when the shift ends."""
        return self.hours * 3600

    @property
    def utilisation(self) -> float:
        """Return the share of the agents' time that they talked or wrapped up."""
        return self.busy_seconds / (self.agents * self.end)

    @property
    def drop_rate(self) -> float:
        """Return dropped among answered by a person."""
        return self.dropped / max(1, self.live)

    def run(self) -> "Shift":
        """Run it to its end."""
        while self.now < self.end:
            for _ in range(self.pacer.decide(self.floor()).calls):
                self._place()
            self.now += LOOK
            while self.events and self.events[0][0] <= self.now:
                _, _, happen = heapq.heappop(self.events)
                happen()
        return self

    def floor(self) -> Floor:
        """Return what the pacer sees."""
        told = (
            tuple(self.chances[(self.placed + n) % len(self.chances)] for n in range(50))
            if self.chances
            else ()
        )
        return Floor(
            now=self.now,
            idle_agents=self.idle,
            talking=tuple(self.talking.values()),
            wrapping=tuple(self.wrapping.values()),
            in_flight=tuple(self.flight.values()),
            screening=tuple(self.screening.values()),
            waiting=len(self.waiting),
            next_chances=told,
            ring_timeout=TIMEOUT,
            grace=GRACE,
            detection=self.detection,
            budget=Budget(live=self.live, dropped=self.dropped, seconds_left=self.end - self.now),
            placed=self.placed,
        )

    def _later(self, at: float, happen: Callable[[float], None]) -> None:
        self.count += 1
        heapq.heappush(self.events, (at, self.count, lambda: happen(at)))

    def _place(self) -> None:
        call, placed_at = self.placed, self.now
        chance = self.chances[call % len(self.chances)] if self.chances else None
        self.placed += 1
        self.flight[call] = InFlight(placed_at=placed_at, answer_chance=chance)
        result, seconds = self._fate(self.answer_rate(self.now) if chance is None else chance)
        self._later(placed_at + seconds, lambda at: self._ended(call, placed_at, at, result, chance))

    def _fate(self, rate: float) -> tuple[Result, float]:
        if self.broken(self.now):
            return Result.FAILED, 1.0
        if self.random.random() < rate:
            return Result.LIVE, min(TIMEOUT - 1, 2 + self.random.lognormvariate(2.37, 0.47))
        kind = self.random.random()
        if kind < 0.15:
            return Result.BUSY, 3.0
        return (Result.MACHINE, self.random.uniform(12, 24)) if kind < 0.45 else (Result.NO_ANSWER, TIMEOUT)

    def _ended(self, call: int, placed_at: float, at: float, result: Result, chance: float | None) -> None:
        del self.flight[call]
        screened = self.detection > 0 and result in (Result.LIVE, Result.MACHINE)
        told = Result.LIVE if screened else result
        self.pacer.learn(AttemptEnded(at=at, placed_at=placed_at, result=told, answer_chance=chance))
        if screened:
            self.screening[call] = at
            self._later(at + self.detection, lambda then: self._screened(call, then, result))
        elif result is Result.LIVE:
            self._answered(call, at)

    def _screened(self, call: int, at: float, result: Result) -> None:
        del self.screening[call]
        if result is Result.LIVE:
            self._answered(call, at)

    def _answered(self, call: int, at: float) -> None:
        self.live += 1
        self.pacer.learn(PersonAnswered(at=at))
        if self.idle:
            self._connect(call, at, 0.0)
            return
        self.waiting[call] = at
        self.worst_waiting = max(self.worst_waiting, len(self.waiting))
        self._later(at + GRACE, lambda then: self._grace_ended(call, then))

    def _grace_ended(self, call: int, at: float) -> None:
        if self.waiting.pop(call, None) is not None:
            self.dropped += 1
            self.pacer.learn(Dropped(at=at))

    def _connect(self, call: int, at: float, waited: float) -> None:
        self.idle -= 1
        self.pacer.learn(Connected(at=at, waited=waited))
        seconds = self.random.lognormvariate(4.49, 0.77)
        self.talking[call] = Busy(since=at)
        self._later(at + seconds, lambda then: self._talked(call, then, seconds))

    def _talked(self, call: int, at: float, seconds: float) -> None:
        del self.talking[call]
        self.busy_seconds += seconds
        self.pacer.learn(TalkEnded(at=at, seconds=seconds))
        rest = self.random.uniform(8, 32)
        self.wrapping[call] = Busy(since=at)
        self._later(at + rest, lambda then: self._free(call, then, rest))

    def _free(self, call: int, at: float, seconds: float) -> None:
        del self.wrapping[call]
        self.busy_seconds += seconds
        self.pacer.learn(WrapUpEnded(at=at, seconds=seconds))
        self.idle += 1
        if self.waiting:
            first = next(iter(self.waiting))
            self._connect(first, at, at - self.waiting.pop(first))
