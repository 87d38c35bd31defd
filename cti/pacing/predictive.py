"""More calls than free agents, as many as the drop target bears. The predictive `Pacer`.

Looks at each call in flight and each busy agent by its age, works out the risk that one more call is answered when
nobody is free, and places while that is accepted. One call for each free agent whenever it is unsure. See
docs/explanation/pacing.md.
"""

import logging
from dataclasses import dataclass

import numpy as np

from cti.pacing.attempts import STEP, Floats
from cti.pacing.controller import Plan, Theta, accepted, plan
from cti.pacing.durations import SECONDS
from cti.pacing.floor import Busy, Decision, Floor
from cti.pacing.learner import Learned, Learner
from cti.pacing.risk import Pool, risks
from cti.pacing.signals import Dropped, PersonAnswered, Signal

log = logging.getLogger(__name__)

WARY_SECONDS = 60.0
"""So long, after something failed, is nothing tried but one call for each free agent."""


class Predictive:
    """A `Pacer` for one campaign. Its state: what was learned, and theta."""

    def __init__(self) -> None:
        self._learner = Learner()
        self._theta = Theta()
        self._target = 0.03
        self._failure: str | None = None
        self._wary_since: float | None = None

    def learn(self, signal: Signal) -> None:
        """See `Pacer`. A bug here never reaches the caller: it is logged, and told by `decide`."""
        try:
            self._learner.learn(signal)
            match signal:
                case PersonAnswered(at=at):
                    self._theta = self._theta.answered(self._learner.per_second(at))
                case Dropped(at=at):
                    self._theta = self._theta.dropped(self._learner.per_second(at), self._target)
                case _:
                    pass
        except Exception as error:
            self._failed(error)

    def decide(self, floor: Floor) -> Decision:
        """See `Pacer`."""
        self._target = floor.budget.target
        if floor.agents <= 0:
            return Decision(calls=0, why="nobody works", reserve=False)
        if self._is_wary(floor.now):
            return one_each(floor, f"the predictive part failed ({self._failure})", {})
        try:
            return self._decide(floor)
        except Exception as error:
            self._failed(error)
            return one_each(floor, f"the predictive part failed ({self._failure})", {})

    def _failed(self, error: Exception) -> None:
        words = f"{type(error).__name__}: {error}"
        if words != self._failure:
            log.exception("pacing falls back to one call for each free agent", exc_info=error)
        self._failure, self._wary_since = words, None

    def _is_wary(self, now: float) -> bool:
        """Whether something failed a short while ago."""
        if self._failure is None:
            return False
        if self._wary_since is None:
            self._wary_since = now
        if abs(now - self._wary_since) < WARY_SECONDS:
            return True
        self._failure = self._wary_since = None
        return False

    def _decide(self, floor: Floor) -> Decision:
        known = self._learner.learned(floor)
        ledger = plan(floor.budget, self._learner.per_second(floor.now))
        inputs = {
            "answer_rate": known.ring.rate * known.live_share,
            "attempts_known": float(known.ring.attempts),
            "budget_left": ledger.drops_left,
        }
        if not known.enough:
            return one_each(floor, f"only {known.ring.attempts} attempts are known yet", inputs)
        if ledger.factor <= 0:
            return one_each(floor, "the drop budget is spent", inputs)
        return _overdial(floor, known, self._theta, ledger, inputs)


def one_each(floor: Floor, because: str, inputs: dict[str, float]) -> Decision:
    """Place one call for each free agent who has none coming."""
    calls = _limited(_owed(floor), floor)
    return Decision(calls=calls, why=f"one call for each free agent: {because}", reserve=False, inputs=inputs)


def _owed(floor: Floor) -> int:
    return floor.idle_agents - floor.waiting - len(floor.in_flight) - len(floor.screening)


def _limited(calls: int, floor: Floor) -> int:
    most = floor.free_lines if floor.contacts_left is None else min(floor.free_lines, floor.contacts_left)
    return max(0, min(calls, most))


@dataclass(frozen=True, slots=True)
class _Sight:
    """A floor, seen with what was learned. Arrays are horizons by calls or agents."""

    coming: Floats
    staying: Floats
    room: int


def _overdial(floor: Floor, known: Learned, theta: Theta, ledger: Plan, inputs: dict[str, float]) -> Decision:
    sight = _see(floor, known)
    idle = floor.idle_agents - floor.waiting
    limit = accepted(theta, ledger.factor, idle=idle, agents=floor.agents)
    pool = Pool(
        np.concatenate((sight.coming, sight.staying), axis=1),
        sight.room,
        (known.ring.rate_cv * sight.coming.sum(axis=1)) ** 2,
    )
    found = risks(pool, _further(floor, known, sight), known.answers_by, until=limit)
    bold = int(np.searchsorted(found, limit, side="right"))
    calls = _limited(max(bold, _owed(floor)), floor)
    inputs |= {
        "risk": float(found[min(calls, len(found) - 1)]),
        "theta": limit,
        "expected_answers": float(sight.coming[-1].sum()),
        "expected_free": idle + float((1 - sight.staying[-1]).sum()),
    }
    return Decision(calls=calls, why=_why(calls, inputs, floor), reserve=False, inputs=inputs)


def _why(calls: int, inputs: dict[str, float], floor: Floor) -> str:
    risk, theta = (f"{100 * inputs[name]:.1f} %" for name in ("risk", "theta"))
    soon = f"{inputs['expected_answers']:.1f} answers and {inputs['expected_free']:.1f} free agents expected"
    if calls and calls == _limited(calls + 1, floor):
        return f"as many as the limits allow; {soon}"
    return f"one more would be dropped with {risk}, accepted are {theta}; {soon}"


def _see(floor: Floor, known: Learned) -> _Sight:
    coming = _coming(floor, known)
    if floor.screening:
        rest = np.array([since + floor.detection - floor.now for since in floor.screening])
        screened = known.live_share * (rest <= known.horizons[:, None] + floor.detection)
        coming = np.concatenate((coming, screened), axis=1)
    talking, wrapping = _ages(floor.talking, floor.now), _ages(floor.wrapping, floor.now)
    free = np.concatenate((known.release.talking[:, talking], known.release.wrapping[:, wrapping]), axis=1)
    return _Sight(coming, 1 - known.stays * free, floor.idle_agents - floor.waiting + free.shape[1])


def _coming(floor: Floor, known: Learned) -> Floats:
    """Return the chance of each call in flight to be answered by a person, by horizon and call."""
    ages = [max(0.0, floor.now - one.placed_at) for one in floor.in_flight]
    last = known.coming.shape[1] - 1
    coming = known.coming[:, [min(last, int(age / STEP + 0.5)) for age in ages]]
    told = [place for place, one in enumerate(floor.in_flight) if one.answer_chance is not None]
    if told:
        own, levels = np.array(ages)[told], known.levels([floor.in_flight[n].answer_chance for n in told])
        coming[:, told] = known.live_share * known.ring.chance_within(own, levels, known.horizons)
    return coming


def _ages(busy: tuple[Busy, ...], now: float) -> list[int]:
    """Return whole seconds since they began, of those who will be free afterwards."""
    return [min(SECONDS - 1, max(0, int(now - one.since))) for one in busy if not one.leaving]


def _further(floor: Floor, known: Learned, sight: _Sight) -> Floats:
    """Return the chances of the next calls to be answered, by horizon and call: more than may be placed."""
    room = max(0.0, sight.room - float(sight.staying[-1].sum()))
    count = max(1, _limited(10 + int(room / max(0.01, known.ring.rate * known.live_share)), floor))
    chances: list[float | None] = list(floor.next_chances[:count])
    chances += [None] * (count - len(chances))
    return known.live_share * known.answers_by[:, None] * known.levels(chances)
