"""The risk of one more call, against counting all cases."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.pacing.attempts import Floats
from cti.pacing.risk import EXACT, Pool, normal_tail, risks, tails

share = st.floats(0, 1)


def by_counting(chances: list[float], at_least: int) -> float:
    """Sum the probabilities of all cases in which at least so many happen."""
    total = 0.0
    for case in product((0, 1), repeat=len(chances)):
        if sum(case) >= at_least:
            total += float(np.prod([c if one else 1 - c for c, one in zip(chances, case, strict=True)]))
    return total


def pool(*rows: list[float], room: int) -> Pool:
    return Pool(np.array(rows), room, np.zeros(len(rows)))


@given(chances=st.lists(share, max_size=9))
def test_tails_are_those_of_counting_all_cases(chances: list[float]) -> None:
    found = tails(np.array([chances]))[0]
    assert found == pytest.approx([by_counting(chances, t) for t in range(len(chances) + 1)], abs=1e-9)


@given(known=st.lists(share, max_size=6), new=st.lists(share, min_size=1, max_size=4), room=st.integers(1, 9))
def test_the_risk_of_each_further_call_is_that_all_room_is_taken_by_those_before_it(
    known: list[float], new: list[float], room: int
) -> None:
    found = risks(pool(known, room=room), np.array([new]), np.ones(1))
    expected = [by_counting(known + new[:before], room) for before in range(len(new))]
    assert found == pytest.approx(list(np.maximum.accumulate(expected))[: len(found)], abs=1e-9)


def test_without_room_each_call_is_dropped() -> None:
    assert risks(pool([0.1], room=0), np.full((1, 3), 0.3), np.ones(1)).tolist() == [1, 1, 1]


def test_the_worst_horizon_counts_by_its_weight() -> None:
    two = pool([0.5], [0.8], room=1)
    assert risks(two, np.full((2, 1), 0.3), np.array([1.0, 1.0]))[0] == pytest.approx(0.8)
    assert risks(two, np.full((2, 1), 0.3), np.array([1.0, 0.1]))[0] == pytest.approx(0.5)


def test_nothing_is_worked_out_beyond_the_first_call_that_is_not_accepted() -> None:
    found = risks(pool([0.2, 0.2], room=2), np.full((1, 50), 0.5), np.ones(1), until=0.3)
    assert found[-1] > 0.3
    assert (found[:-1] <= 0.3).all()


def mixed(count: int) -> Floats:
    return np.linspace(0.05, 0.6, count)[None, :]


@pytest.mark.parametrize("at", [20, 30, 36, 45, 60])
def test_the_normal_is_near_the_exact_where_it_takes_over(at: int) -> None:
    chances = mixed(EXACT)
    variance = chances * (1 - chances)
    moments = (chances.sum(axis=1), variance.sum(axis=1), (variance * (1 - 2 * chances)).sum(axis=1))
    assert normal_tail(*moments, float(at))[0] == pytest.approx(tails(chances)[0][at], abs=5e-4)


def test_the_risk_hardly_jumps_where_the_normal_takes_over() -> None:
    new = np.full((1, 12), 0.3)
    exact, normal = (risks(Pool(mixed(n), 44, np.zeros(1)), new, np.ones(1)) for n in (EXACT, EXACT + 1))
    assert normal == pytest.approx(exact, abs=0.05)
    assert (np.diff(normal) >= 0).all()


def test_doubt_about_the_rate_raises_the_risk() -> None:
    new, chances = np.full((1, 1), 0.3), mixed(EXACT + 40)
    sure, unsure = (risks(Pool(chances, 70, np.array([v])), new, np.ones(1))[0] for v in (0.0, 60.0))
    assert unsure > sure
