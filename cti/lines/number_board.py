"""The pools of numbers to show, and how each number was used lately. No I/O; told of calls by `keeper`."""

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cti.lines.caller_ids import CallerChoice, choose_caller
from cti.lines.counter import DAY, HOUR, Counter
from cti.lines.health import is_unhealthy
from cti.model.calls import Call, EndReason, Outcome
from cti.model.lines import (
    ANSWERABLE_OUTCOMES,
    CALLER_REFUSED,
    PERSON_OUTCOMES,
    CallerId,
    CallerPool,
    CallerUse,
    PoolStanding,
    UseCount,
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Use:
    """One number's lately."""

    counter: Counter = field(default_factory=Counter)
    answers: deque[bool] = field(default_factory=deque)
    """Of its last calls that could have been answered, newest last."""
    refused_in_a_row: int = 0


class NumberBoard:
    """Pools by name, uses by number."""

    def __init__(self) -> None:
        self._pools: dict[str, CallerPool] = {}
        self._pool_of: dict[str, str] = {}
        self._uses: dict[str, _Use] = {}
        self._unsaved: dict[str, CallerId] = {}

    def load(self, pools: Iterable[CallerPool], counts: Iterable[UseCount]) -> None:
        """Begin with these pools, used as stored calls say (oldest first)."""
        for pool in pools:
            self.put(pool)
        for count in counts:
            use = self._use(count.number)
            use.counter.add(count.began_at, count.calls)
            answers = [True] * count.answered + [False] * (count.judged - count.answered)
            for answered in answers[-self._health_calls(count.number) :]:
                self._answer(count.number, answered=answered)

    def put(self, pool: CallerPool, *, before: str | None = None) -> None:
        """Take a pool that is new or was changed; `before`: its name until now."""
        self._pools.pop(before or pool.name, None)
        self._pools[pool.name] = pool
        for one in pool.numbers:
            self._pool_of[one.number] = pool.name

    def pool(self, name: str) -> CallerPool | None:
        """Return a pool."""
        return self._pools.get(name)

    def choose(self, pool: CallerPool, callee: str, now: datetime) -> CallerChoice:
        """Choose a number to show."""
        return choose_caller(pool, use=lambda number: self.use(number, now), callee=callee, now=now)

    def use(self, number: str, now: datetime) -> CallerUse:
        """Return how a number was used lately."""
        use = self._use(number)
        return CallerUse(
            hour=use.counter.within(HOUR, now),
            day=use.counter.within(DAY, now),
            judged=len(use.answers),
            answered=sum(use.answers),
            refused_in_a_row=use.refused_in_a_row,
        )

    def standing(self, now: datetime) -> list[PoolStanding]:
        """Return all pools as they are now, oldest first."""
        return [
            PoolStanding(pool=pool, use={one.number: self.use(one.number, now) for one in pool.numbers})
            for pool in sorted(self._pools.values(), key=lambda pool: pool.id)
        ]

    def count(self, call: Call, calls: int = 1) -> None:
        """Count a call that shows a number, or take it back with -1."""
        if call.caller_id is not None:
            self._use(call.caller_id).counter.add(call.placed_at, calls)

    def judge(self, call: Call, at: datetime) -> None:
        """Learn from an ended call how well its number does; let it rest when that is too bad."""
        pool = self._pools.get(self._pool_of.get(call.caller_id or "", ""))
        if call.caller_id is None or pool is None:
            return
        use = self._use(call.caller_id)
        if refused_for_caller(call):
            use.refused_in_a_row += 1
            if pool.failures is not None and use.refused_in_a_row >= pool.failures:
                self._rest(pool, call.caller_id, at, f"{use.refused_in_a_row} calls in a row were refused")
        elif call.outcome in ANSWERABLE_OUTCOMES:
            use.refused_in_a_row = 0
            self._answer(call.caller_id, answered=call.outcome in PERSON_OUTCOMES)
            self._look_at_health(pool, call.caller_id, at)

    def unsaved(self) -> list[CallerId]:
        """Return the numbers whose rest is not stored yet; they count as stored from now on."""
        rests, self._unsaved = list(self._unsaved.values()), {}
        return rests

    def still_unsaved(self, numbers: Sequence[CallerId]) -> None:
        """These could not be stored; what has become newer meanwhile stays."""
        for one in numbers:
            self._unsaved.setdefault(one.number, one)

    def forget_answers(self, number: str) -> None:
        """Judge the number anew, from now on."""
        self._uses[number] = _Use(counter=self._use(number).counter)

    def _answer(self, number: str, *, answered: bool) -> None:
        answers = self._use(number).answers
        answers.append(answered)
        while len(answers) > self._health_calls(number):
            answers.popleft()

    def _health_calls(self, number: str) -> int:
        pool = self._pools.get(self._pool_of.get(number, ""))
        return pool.health_calls if pool is not None else 0

    def _look_at_health(self, pool: CallerPool, number: str, at: datetime) -> None:
        others = [one for one in pool.numbers if one.number != number and not one.retired]
        if all(one.rests(at) for one in others):
            return  # one that does badly is better than none
        mine = self._use(number).answers
        theirs = [self._use(one.number).answers for one in others]
        calls, answered = sum(map(len, theirs)), sum(map(sum, theirs))
        if is_unhealthy(answered=sum(mine), calls=len(mine), others_answered=answered, others_calls=calls):
            rates = f"{sum(mine) / len(mine):.0%} of {len(mine)} calls answered, the others {answered / calls:.0%}"
            self._rest(pool, number, at, rates)

    def _rest(self, pool: CallerPool, number: str, at: datetime, why: str) -> None:
        until = at + timedelta(seconds=pool.rest_seconds)
        log.warning("%s of the pool %s rests until %s: %s", number, pool.name, until, why)
        rests = {
            one.number: replace(one, rests_until=until, rest_reason=why)
            for one in pool.numbers
            if one.number == number
        }
        self._pools[pool.name] = replace(
            pool, numbers=tuple(rests.get(one.number, one) for one in pool.numbers)
        )
        self._unsaved |= rests
        self.forget_answers(number)

    def _use(self, number: str) -> _Use:
        return self._uses.setdefault(number, _Use())


def refused_for_caller(call: Call) -> bool:
    """Whether the network refused this call because of the number it shows."""
    return (
        call.outcome is Outcome.FAILED
        and call.end_reason is EndReason.HUNG_UP
        and call.answered_at is None
        and CALLER_REFUSED.covers(call.sip_code, call.cause)
    )
