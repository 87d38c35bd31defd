"""One shift, event by event. What a real floor does with a decision, this one does: reserved reps, grace, limits.

Not modelled: breaks, reps who come late, orders that take time to reach the exchange, callees who hang up while they
wait.
"""

import heapq
import math
from collections.abc import Callable
from typing import Any, Final

from cti.pacing.floor import Budget, Floor, InFlight, Pacer
from cti.pacing.signals import (
    AttemptEnded,
    Connected,
    Dropped,
    PersonAnswered,
    Result,
    TalkEnded,
    WrapUpEnded,
)
from cti.pacing.throttle import Throttle
from cti.simulate.callees import Callees, Dial
from cti.simulate.record import Record
from cti.simulate.reps import Reps
from cti.simulate.scenario import Scenario

_UNLIMITED: Final = 1_000_000


class SimulatedFloor:
    """A floor for one run of one pacer."""

    def __init__(self, scenario: Scenario, *, pacer: Pacer, callees: Callees) -> None:
        self._scenario = scenario
        self._pacer = pacer
        self._callees = callees
        self._record = Record()
        self._reps = Reps(scenario.reps, self._record)
        self._throttle = Throttle(scenario.calls_per_second) if scenario.calls_per_second else None
        self._now = 0.0
        self._coming: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbered = 0
        self._in_flight: dict[int, InFlight] = {}
        self._screening: dict[int, float] = {}
        self._waiting: dict[int, tuple[Dial, float]] = {}

    def run(self) -> Record:
        """Run the shift to its end, or to the end of the list."""
        step, end = self._scenario.look, self._scenario.seconds
        for look in range(math.ceil(end / step)):
            self._happen(until=look * step)
            if self._callees.ended(self._now) and not self._calls_under_way():
                break
            self._look()
        else:
            self._happen(until=end)
        self._reps.close(self._now)
        self._record.ended_at = self._now
        return self._record

    def floor(self) -> Floor:
        """Return the floor as a pacer may see it: nothing of what will become of the calls."""
        scenario, record, lines = self._scenario, self._record, self._lines()
        free = _UNLIMITED if scenario.lines is None else scenario.lines - lines
        if self._throttle is not None:
            free = min(free, self._throttle.allowed(self._now))
        return Floor(
            now=self._now,
            idle_agents=len(self._reps.idle),
            talking=tuple(self._reps.talking.values()),
            wrapping=tuple(self._reps.wrapping.values()),
            in_flight=tuple(self._in_flight.values()),
            screening=tuple(self._screening.values()),
            waiting=len(self._waiting),
            open_calls=lines,
            free_lines=max(0, free),
            contacts_left=self._callees.left(self._now),
            next_chances=self._callees.chances(self._now),
            ring_timeout=scenario.ring_timeout,
            grace=scenario.grace,
            detection=scenario.detection or 0.0,
            budget=Budget(
                target=scenario.drop_target,
                live=len(record.answered_at),
                dropped=len(record.dropped_at),
                seconds_left=scenario.seconds - self._now,
            ),
            placed=record.placed,
        )

    def _look(self) -> None:
        floor = self.floor()
        decision = self._pacer.decide(floor)
        for _ in range(min(decision.calls, floor.free_lines)):
            rep = self._reps.take() if decision.reserve else None
            if decision.reserve and rep is None:
                break
            if not self._place(rep):
                break
        self._record.lines(self._lines(), 0.0)

    def _place(self, rep: int | None) -> bool:
        dial = self._callees.dial(self._now)
        if dial is None:
            if rep is not None:
                self._reps.give_back(rep)
            return False
        self._record.placed += 1
        if self._throttle is not None:
            self._throttle.spend(1)
        call = self._record.placed
        self._in_flight[call] = InFlight(placed_at=self._now, answer_chance=dial.chance)
        self._later(dial.seconds, self._tried, call, dial, rep)
        return True

    def _tried(self, call: int, dial: Dial, rep: int | None) -> None:
        """The attempt was answered, or ended without an answer."""
        placed_at = self._in_flight.pop(call).placed_at
        self._record.results[dial.result] += 1
        self._callees.happened(dial, self._now)
        answered = dial.result in (Result.LIVE, Result.MACHINE)
        screened = answered and bool(self._scenario.detection)
        seen = Result.LIVE if screened or dial.to_rep else dial.result
        self._pacer.learn(
            AttemptEnded(at=self._now, placed_at=placed_at, result=seen, answer_chance=dial.chance)
        )
        if screened:
            self._screening[call] = self._now
            self._later(self._scenario.detection or 0.0, self._screened, call, dial, rep)
        else:
            self._screened(call, dial, rep)

    def _screened(self, call: int, dial: Dial, rep: int | None) -> None:
        """It is known, as well as it will be, whether a person is on the line."""
        self._screening.pop(call, None)
        if not dial.to_rep:
            if rep is not None:
                self._reps.give_back(rep)
                self._serve_waiting()
            return
        self._record.answered_at.append(self._now)
        self._pacer.learn(PersonAnswered(at=self._now))
        taken = rep if rep is not None else self._reps.take()
        if taken is not None:
            self._connect(taken, dial, waited=0.0)
        elif self._scenario.grace > 0.0:
            self._waiting[call] = (dial, self._now)
            self._later(self._scenario.grace, self._grace_over, call)
        else:
            self._drop()

    def _grace_over(self, call: int) -> None:
        if self._waiting.pop(call, None) is not None:
            self._drop()

    def _drop(self) -> None:
        self._record.dropped_at.append(self._now)
        self._pacer.learn(Dropped(at=self._now))

    def _serve_waiting(self) -> None:
        while self._waiting and self._reps.idle:
            dial, since = self._waiting.pop(next(iter(self._waiting)))
            self._connect(self._reps.idle.popleft(), dial, waited=self._now - since)

    def _connect(self, rep: int, dial: Dial, *, waited: float) -> None:
        self._record.waited.append(waited)
        self._pacer.learn(Connected(at=self._now, waited=waited))
        self._reps.talks(rep, self._now, machine=dial.result is Result.MACHINE)
        self._later(dial.talk, self._talked, rep, dial.wrap_up)

    def _talked(self, rep: int, wrap_up: float) -> None:
        self._pacer.learn(TalkEnded(at=self._now, seconds=self._reps.writes(rep, self._now)))
        self._later(wrap_up, self._wrote, rep)

    def _wrote(self, rep: int) -> None:
        self._pacer.learn(WrapUpEnded(at=self._now, seconds=self._reps.is_free(rep, self._now)))
        self._serve_waiting()

    def _later(self, seconds: float, what: Callable[..., None], *about: Any) -> None:
        self._numbered += 1
        heapq.heappush(self._coming, (self._now + seconds, self._numbered, what, about))

    def _happen(self, *, until: float) -> None:
        """Let everything happen that is due; the clock stands at `until` afterwards."""
        while self._coming and self._coming[0][0] <= until:
            at, _, what, about = heapq.heappop(self._coming)
            self._pass(at)
            what(*about)
        self._pass(until)

    def _pass(self, at: float) -> None:
        self._record.lines(self._lines(), at - self._now)
        self._now = at

    def _lines(self) -> int:
        return self._calls_under_way() + len(self._reps.talking)

    def _calls_under_way(self) -> int:
        return len(self._in_flight) + len(self._screening) + len(self._waiting)
