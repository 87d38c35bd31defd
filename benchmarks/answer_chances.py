"""What learned answer chances are worth, in the order of contacts and told to pacing.

`python -m benchmarks.answer_chances`. A made-up population (`benchmarks.population`) is dialed for five days as the
list has it. On what was seen then the real fitting code learns. The Monday after is dialed again and again from the
same state, once for each use of chances. Beside them the upper bound: the true chances known.
"""

import argparse
import copy
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.population import Belief, DayOfCallees, Population, Use
from cti.chances.baselines import hour_rate
from cti.chances.facts import PERSON, Floats, facts_of_attempts
from cti.chances.fitting import Fitted, fit
from cti.pacing.floor import Decision, Floor, Pacer
from cti.pacing.predictive import Predictive
from cti.pacing.progressive import Progressive
from cti.pacing.signals import Signal
from cti.simulate.figures import Figures, expectation, figures
from cti.simulate.floor import SimulatedFloor
from cti.simulate.scenario import Scenario

CONTACTS: Final = 64_000
"""8000 new ones each day."""
LEARNING_DAYS: Final = 5
TEST_DAY: Final = 7
"""The Monday after."""
DAY: Final = Scenario(reps=10, hours=8.0, machine_rate=0.15, detection=0.0, missed=0.0)
LEARNING: Final = replace(DAY, reps=20)


class Steady:
    """Two calls for each free rep: a simple dialer, of which the learning days are."""

    def learn(self, signal: Signal) -> None:
        """See `Pacer`."""

    def decide(self, floor: Floor) -> Decision:
        """See `Pacer`."""
        calls = 2 * floor.idle_agents - len(floor.in_flight) - floor.waiting
        return Decision(calls=max(0, calls), why="two for each", reserve=False)


def fewest_tries(people: Population, contacts: Sequence[int], at: float) -> Floats:
    """Put whoever was tried least first: what a careful lead does without any learning."""
    return -np.array([len(people.past[one]) for one in contacts], float)


def truth(people: Population, contacts: Sequence[int], at: float) -> Floats:
    """Believe what is true."""
    return people.true_chances(contacts, at)


def dialed(people: Population, scenario: Scenario, pacer: Pacer, *, day: int, use: Use, seed: int) -> Figures:
    """Dial one day; the population is changed by it."""
    callees = DayOfCallees(people, scenario, day=day, use=use, seed=seed)
    return figures(SimulatedFloor(scenario, pacer=pacer, callees=callees).run(), reps=scenario.reps)


def after_the_learning_days(seed: int) -> Population:
    """Return a population that was dialed for a week as the list has it."""
    people = Population(CONTACTS, days=TEST_DAY + 1, seed=seed)
    for day in range(LEARNING_DAYS):
        dialed(people, LEARNING, Steady(), day=day, use=Use(), seed=seed)
    return people


def beliefs(people: Population, fitted: Fitted) -> dict[str, Belief]:
    """Return what the dialer may believe."""
    model, attempts = fitted.model, people.attempts()
    assert model is not None, fitted.why
    known, happened = facts_of_attempts(attempts), attempts.outcome == PERSON
    return {
        "hour": lambda now, contacts, at: hour_rate(known, happened, now.facts(contacts, at)),
        "learned": lambda now, contacts, at: model.chances(now.facts(contacts, at)),
        "true": truth,
        "fewest": fewest_tries,
    }


USES: Final = (
    ("list", "-"),
    ("list", "hour"),
    ("list", "learned"),
    ("list", "true"),
    ("fewest", "-"),
    ("learned", "-"),
    ("learned", "learned"),
    ("true", "true"),
)
"""Order, told to pacing."""
FETCHES: Final = ((500, 500), (500, 100), (500, 10), (5000, 500), (5000, 10), (CONTACTS, 500))
"""Fetched at a time, dialed of them."""


def main() -> None:
    """Print the tables; `--json FILE` keeps the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answer_chances", description=__doc__)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--part", choices=("fit", "order", "pacing", "all"), default="all")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    worlds = {seed: _world(seed) for seed in map(int, given.seeds.split(","))}
    if given.part in ("order", "all"):
        _order(worlds, rows)
    if given.part in ("pacing", "all"):
        _pacing(worlds, rows)
    if given.json:
        given.json.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


World = tuple[Population, Mapping[str, Belief]]


def _world(seed: int) -> World:
    people = after_the_learning_days(seed)
    fitted = fit(people.attempts())
    print(f"\nseed {seed}: {fitted.attempts} attempts, {fitted.answered} answered; {fitted.why}")
    for name, measured in fitted.measures.items():
        figures_of = (f"{key} {value:.4f}" for key, value in asdict(measured).items())
        print(f"  {name:9s} {'  '.join(figures_of)}")
    for one in fitted.bins:
        foretold, observed = (f"{100 * share:5.1f} %" for share in (one.foretold, one.observed))
        print(f"    {one.attempts:6d} attempts  foretold {foretold}  observed {observed}")
    sys.stdout.flush()
    return people, beliefs(people, fitted)


def _order(worlds: Mapping[int, World], rows: list[dict[str, object]]) -> None:
    print("\nOrder alone, one call for each free rep (progressive):")
    _head("fetched/dialed")
    for name, (fetched, most) in [("list", FETCHES[0]), *product(("fewest", "learned", "true"), FETCHES)]:
        told = []
        for seed, (people, believed) in worlds.items():
            use = Use(order=believed.get(name), fetched=fetched, dialed=most)
            told.append(dialed(copy.deepcopy(people), DAY, Progressive(), day=TEST_DAY, use=use, seed=seed))
        _row(rows, name, f"{fetched}/{most}", told)


def _pacing(worlds: Mapping[int, World], rows: list[dict[str, object]]) -> None:
    print("\nPredictive, target 3 %; order within 5000 fetched, 500 dialed:")
    _head("pacing told")
    for order, pacing in USES:
        told = []
        for seed, (people, believed) in worlds.items():
            use = Use(order=believed.get(order), pacing=believed.get(pacing), fetched=5000, dialed=500)
            told.append(dialed(copy.deepcopy(people), DAY, Predictive(), day=TEST_DAY, use=use, seed=seed))
        _row(rows, order, pacing, told)


def _head(second: str) -> None:
    print(
        f"{'order':9s} {second:15s} busy %  ± %   drops %  worst %  answers/1000 dials  answered  dials  lines p99"
    )


def _row(rows: list[dict[str, object]], order: str, second: str, told: Sequence[Figures]) -> None:
    mean = expectation(told)
    one = mean.mean
    print(
        f"{order:9s} {second:15s} {100 * one.utilisation:6.1f} {100 * mean.utilisation_error:4.1f} "
        f"{100 * one.drop_rate:8.2f} {100 * mean.worst_drop_rate:8.2f} {one.answers_per_1000:19.0f} "
        f"{one.answered:9d} {one.dials:6d} {one.lines_p99:10d}"
    )
    sys.stdout.flush()
    rows.append({"order": order, "second": second, "shifts": [asdict(shift) for shift in told]})


if __name__ == "__main__":
    main()
