"""Made-up contacts who differ: in how readily they answer, at which hours, on which kind of number.

Nothing here was measured on people. It is a world with habits that a dialer can partly see (hour, kind of number, what
came of its tries) and partly not (how reachable somebody is, whether he is a morning or an evening person).
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from cti.chances.facts import (
    BUSY,
    FIXED,
    MACHINE,
    MOBILE,
    NO_ANSWER,
    PERSON,
    Attempts,
    Facts,
    Floats,
    Ints,
    facts_of_callees,
    local_times,
)
from cti.model.answer_chances import Callee
from cti.pacing.signals import Result
from cti.simulate.callees import Dial, Outcomes
from cti.simulate.draws import Draws
from cti.simulate.scenario import Scenario

FIRST_DAY: Final = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
"""A Monday."""
OPENS: Final = 11.0
"""Hour of the day at which a shift begins."""
AGAIN: Final = 20.0
"""Hours before a contact who was not reached is due again."""
MOST_TRIES: Final = 8
_DAYTIME, _EVENING = 0.35, 0.80
"""Of the contacts the first 35 % are rather in by day, the next 45 % in the evening, the rest at no special hour."""
_CODES: Final = {Result.LIVE: PERSON, Result.MACHINE: MACHINE, Result.BUSY: BUSY, Result.NO_ANSWER: NO_ANSWER}
_KINDS: Final = {MOBILE: "mobile", FIXED: "fixed_line"}

Belief = Callable[["Population", Sequence[int], float], Floats]
"""From contacts and a moment to the chances that the dialer believes in."""


class Population:
    """Contacts and what came of the tries at them; a day changes it."""

    def __init__(self, count: int, *, days: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.kind = np.where(random.random(count) < 0.6, MOBILE, FIXED)
        self._habit = random.random(count)
        self._ready = random.normal(-1.0, 0.9, count)
        self._never = random.random(count) < 0.08
        self.past: list[list[tuple[float, int]]] = [[] for _ in range(count)]
        """By contact: when, and what came of it."""
        self.due_at = FIRST_DAY + 86_400.0 * (np.arange(count) * days // count)
        """Seconds since 1970; infinite: never again. Every day brings as many new contacts."""
        self._place = random.permutation(count)

    def true_chances(self, contacts: Sequence[int], at: float) -> Floats:
        """Return what nobody knows."""
        who = np.array(contacts, np.int64)
        hour = local_times(np.array([at]), [""])[0][0]
        late = hour >= 16.5
        habit, mobile = self._habit[who], self.kind[who] == MOBILE
        logit = self._ready[who].copy()
        logit += np.where(habit < _DAYTIME, -0.5 if late else 0.5, 0.0)
        logit += np.where((habit >= _DAYTIME) & (habit < _EVENING), 0.9 if late else -0.7, 0.0)
        logit += np.where(mobile, 0.4 if late else 0.2, 0.3 if late else -0.2)
        missed = [sum(came != PERSON for _, came in self.past[one]) for one in contacts]
        logit -= 0.25 * np.minimum(missed, 6)
        chances: Floats = np.where(self._never[who], 0.0, 1.0 / (1.0 + np.exp(-logit)))
        return chances

    def facts(self, contacts: Sequence[int], at: float) -> Facts:
        """Return what the dialer knows."""
        callees = [Callee(_KINDS[int(self.kind[one])], "") for one in contacts]
        return facts_of_callees(contacts, callees, self.attempts(contacts), at)

    def attempts(self, contacts: Sequence[int] | None = None) -> Attempts:
        """Return the tries at these contacts, or at all."""
        who = sorted(contacts) if contacts is not None else range(len(self.past))
        rows = [(one, at, came) for one in who for at, came in self.past[one]]
        contact = np.array([row[0] for row in rows], np.int64)
        at = np.array([row[1] for row in rows], float)
        hour, weekday = local_times(at, [""] * len(rows))
        return Attempts(
            contact=contact,
            at=at,
            hour=hour,
            weekday=weekday,
            outcome=np.array([row[2] for row in rows], np.int64),
            kind=self.kind[contact] if len(rows) else np.zeros(0, np.int64),
        )

    def waiting(self, at: float, most: int) -> Ints:
        """Return the first contacts of the list who are due, new ones and old ones mixed."""
        due = np.flatnonzero(self.due_at <= at)
        first: Ints = due[np.argsort(self._place[due])][:most]
        return first

    def happened(self, contact: int, placed_at: float, result: Result) -> None:
        """Remember a try. Whoever answered is done with; a failed order says nothing."""
        if result is Result.FAILED:
            self.due_at[contact] = placed_at + 3600.0
            return
        insort(self.past[contact], (placed_at, _CODES[result]))
        over = result is Result.LIVE or len(self.past[contact]) >= MOST_TRIES
        self.due_at[contact] = np.inf if over else placed_at + AGAIN * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the dialer does with chances."""

    order: Belief | None = None
    """By which the contacts that were fetched are sorted, the likeliest first; None: as the list has them."""
    pacing: Belief | None = None
    """Which is told to pacing; None: nothing is."""
    fetched: int = 500
    """Contacts fetched at a time."""
    dialed: int = 500
    """Of these the first so many are dialed before it is fetched and sorted anew."""


class DayOfCallees:
    """One day of a population, as a simulated floor's list."""

    def __init__(self, people: Population, scenario: Scenario, *, day: int, use: Use, seed: int) -> None:
        self._people, self._use = people, use
        self._begin = FIRST_DAY + day * 86_400.0 + OPENS * 3600.0
        self._outcomes = Outcomes(scenario)
        self._draws = Draws(seed * 7919 + 13, uniform=2, normal=3)
        self._ahead: list[tuple[int, float | None]] = []
        self._placed: dict[int, float] = {}

    def left(self, now: float) -> int | None:
        """See `Callees`."""
        self._fetch(now)
        return None if self._ahead else 0

    def ended(self, now: float) -> bool:
        """See `Callees`: somebody may become due again."""
        return False

    def chances(self, now: float) -> tuple[float, ...]:
        """See `Callees`."""
        if self._use.pacing is None:
            return ()
        self._fetch(now)
        return tuple(chance for _, chance in self._ahead[:64] if chance is not None)

    def dial(self, now: float) -> Dial | None:
        """See `Callees`. What a try becomes depends on the contact, the moment and the how manieth it is alone."""
        self._fetch(now)
        if not self._ahead:
            return None
        contact, chance = self._ahead.pop(0)
        at = self._begin + now
        draw = self._draws.at(contact * (MOST_TRIES + 1) + len(self._people.past[contact]))
        truth = float(self._people.true_chances([contact], at)[0])
        self._people.due_at[contact] = np.inf
        self._placed[contact] = at
        return self._outcomes.of(draw, answer_rate=truth, contact=contact, chance=chance)

    def happened(self, dial: Dial, now: float) -> None:
        """See `Callees`."""
        self._people.happened(dial.contact, self._placed.pop(dial.contact), dial.result)

    def _fetch(self, now: float) -> None:
        if self._ahead:
            return
        at, use = self._begin + now, self._use
        found = self._people.waiting(at, use.fetched)
        if use.order is not None and len(found):
            found = found[np.argsort(-use.order(self._people, found.tolist(), at), kind="stable")]
        taken = found[: use.dialed].tolist()
        told = use.pacing(self._people, taken, at).tolist() if use.pacing and taken else [None] * len(taken)
        self._ahead = list(zip(taken, told, strict=True))
