"""What is learned of attempts."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.pacing.attempts import PRIOR_RATE, Ended, RingTimes, ring_times

TIMEOUT = 28.0


def attempts(count: int, *, rate: float = 0.3, seed: int = 1, placed_at: float = 0.0) -> list[Ended]:
    """Return attempts with busy ones ending early, answers around 12 s, and no answers at the timeout."""
    random, made = Random(seed), []
    for _ in range(count):
        kind = random.random()
        age = random.uniform(6, 18) if kind < rate else 2.0 if kind < rate + 0.2 else TIMEOUT
        made.append(Ended(placed_at, age, answered=kind < rate))
    return made


def at(ended: list[Ended], age: float) -> RingTimes:
    """Learn what is known when all of these, placed at once, are so old."""
    return ring_times(
        [one for one in ended if one.age <= age],
        [age for one in ended if one.age > age],
        ring_timeout=TIMEOUT,
    )


def test_nothing_known_is_the_careful_prior() -> None:
    assert ring_times([], [], ring_timeout=TIMEOUT).rate == pytest.approx(PRIOR_RATE)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
def test_the_rate_is_found(rate: float) -> None:
    assert at(attempts(3000, rate=rate), TIMEOUT).rate == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize("age", [3.0, 8.0, 13.0, 20.0])
def test_a_mass_of_calls_placed_at_once_never_looks_as_if_few_would_answer(age: float) -> None:
    """Of those ended after 3 s none was answered: they are the busy ones."""
    known = at(attempts(900), age)
    assert known.rate > 0.24


def test_calls_still_up_are_no_unanswered_ones() -> None:
    ended = attempts(600)
    fresh = ring_times(ended, [1.0] * 300, ring_timeout=TIMEOUT)
    assert fresh.rate == pytest.approx(ring_times(ended, [], ring_timeout=TIMEOUT).rate, abs=0.005)


def test_the_prior_is_forgotten() -> None:
    assert at(attempts(600, rate=0.02), TIMEOUT).rate < 0.035


def test_a_call_that_rang_past_the_last_answer_will_not_be_answered() -> None:
    known = at(attempts(2000), TIMEOUT)
    young, old = known.chance_within(np.array([4.0, 22.0]), np.array([0.3, 0.3]), np.array([14.0]))[0]
    assert young > 0.3, "the busy ones are gone by then"
    assert old < 0.02


def test_the_chance_of_a_call_follows_its_own_level() -> None:
    known = at(attempts(2000), TIMEOUT)
    chances = known.chance_within(np.zeros(3), np.array([0.1, 0.3, 0.8]), np.array([TIMEOUT]))[0]
    assert chances == pytest.approx([0.1, 0.3, 0.8], abs=0.01)


def test_horizons_lie_where_the_answers_come() -> None:
    first, middle, last = at(attempts(2000), TIMEOUT).horizons((0.3, 0.6, 0.9))
    assert 8 < first < 11 < middle < 15 < last < 18.5


@given(
    ended=st.lists(st.builds(Ended, st.just(0.0), st.floats(0, 90), st.booleans()), max_size=40),
    up=st.lists(st.floats(0, 200), max_size=20),
    timeout=st.floats(1, 200),
    ages=st.lists(st.floats(0, 300), min_size=1, max_size=5),
    level=st.floats(0.005, 0.95),
)
def test_whatever_happened_chances_are_chances(
    ended: list[Ended], up: list[float], timeout: float, ages: list[float], level: float
) -> None:
    known = ring_times(ended, up, ring_timeout=timeout)
    assert 0 < known.rate < 1
    assert (np.diff(known.answered_by) >= -1e-12).all()
    assert known.answered_by[-1] == pytest.approx(1.0)
    assert (np.diff(known.unanswered_up) <= 1e-12).all()
    found = known.chance_within(np.array(ages), np.full(len(ages), level), np.array([5.0, 50.0]))
    assert ((found >= -1e-12) & (found <= 1)).all()
    assert (found[1] >= found[0] - 1e-12).all()
