"""When a number's answer rate is worse than chance allows."""

import random

import pytest

from cti.lines.health import LEAST_CALLS, at_most, is_unhealthy


def test_the_binomial_tail_is_exact() -> None:
    assert at_most(0, 10, 0.5) == pytest.approx(0.5**10)
    assert at_most(3, 10, 0.3) == pytest.approx(0.6496107184, abs=1e-9)
    assert at_most(10, 10, 0.3) == 1.0


def test_few_calls_decide_nothing() -> None:
    calls = LEAST_CALLS - 1
    assert not is_unhealthy(answered=0, calls=calls, others_answered=900, others_calls=1000)
    assert not is_unhealthy(answered=0, calls=100, others_answered=calls, others_calls=calls)


def test_a_number_nobody_answers_any_more_is_found_after_some_calls() -> None:
    found = next(
        calls
        for calls in range(1, 200)
        if is_unhealthy(answered=0, calls=calls, others_answered=200, others_calls=1000)
    )
    assert found == 39


def test_a_number_as_good_as_the_others_is_hardly_ever_taken_for_a_bad_one() -> None:
    """Looked at after each of 500 calls, with a window of 100, as the board does."""
    draw = random.Random(4)
    wrong = 0
    for _ in range(200):
        answers = [draw.random() < 0.25 for _ in range(500)]
        wrong += any(
            is_unhealthy(
                answered=sum(answers[max(0, end - 100) : end]),
                calls=min(end, 100),
                others_answered=250,
                others_calls=1000,
            )
            for end in range(1, 501)
        )
    assert wrong <= 200 * 0.02


def test_a_better_number_is_never_unhealthy() -> None:
    assert not is_unhealthy(answered=50, calls=100, others_answered=200, others_calls=1000)
    assert not is_unhealthy(answered=0, calls=100, others_answered=0, others_calls=1000)
