"""The made-up contacts: same seed, same people, and nobody who answered is dialed again."""

import copy
from dataclasses import replace

import numpy as np

from benchmarks.answer_chances import DAY, Steady, dialed, truth
from benchmarks.population import MOST_TRIES, Population, Use
from cti.chances.facts import PERSON, facts_of_attempts

SHORT = replace(DAY, hours=1.0)


def people_after(days: int, use: Use, count: int = 600) -> Population:
    people = Population(count, days=1, seed=5)
    for day in range(days):
        dialed(people, SHORT, Steady(), day=day, use=use, seed=5)
    return people


def test_the_same_seed_makes_the_same_days() -> None:
    assert people_after(2, Use()).past == people_after(2, Use()).past


def test_nobody_who_answered_is_dialed_again_and_nobody_too_often() -> None:
    people = people_after(12, Use(), count=200)
    assert max(len(tries) for tries in people.past) == MOST_TRIES
    assert all(came != PERSON for tries in people.past for _, came in tries[:-1])


def test_the_dialer_knows_of_a_contact_what_the_tries_tell() -> None:
    people = people_after(3, Use())
    whole = facts_of_attempts(people.attempts())
    assert len(whole) == sum(map(len, people.past))
    contact = next(place for place, tries in enumerate(people.past) if len(tries) > 1)
    known = people.facts([contact], people.past[contact][-1][0] + 3600.0)
    assert known.tries.tolist() == [len(people.past[contact])]
    assert known.hours_since.tolist() == [1.0]


def test_sorting_by_what_is_true_reaches_more_people() -> None:
    people = people_after(1, Use(), count=4000)
    by_list, by_truth = (
        dialed(copy.deepcopy(people), SHORT, Steady(), day=1, use=use, seed=5)
        for use in (Use(), Use(order=truth, fetched=4000, dialed=20))
    )
    assert by_truth.answers_per_1000 > 1.3 * by_list.answers_per_1000


def test_true_chances_are_chances() -> None:
    people = people_after(2, Use())
    chances = people.true_chances(range(600), 1.78e9)
    assert float(chances.min()) == 0.0
    assert float(np.max(chances)) < 1.0
