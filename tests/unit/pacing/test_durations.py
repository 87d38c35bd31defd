"""What is learned of conversations and wrap-ups."""

from random import Random

import numpy as np
import pytest

from cti.pacing.durations import SECONDS, Span, Survival, releases, survival

NOW = 50_000.0


def learned(lengths: list[float], running: list[float] = [], *, since: float = 0.0) -> Survival:  # noqa: B006
    """Learn from spans that ended just now, and others that run for so long."""
    ended = [Span(NOW, length) for length in lengths]
    return survival(ended, [NOW - age for age in running], now=NOW, prior_mean=180.0, since=since, reach=40)


def exponential(mean: float, count: int, seed: int = 1) -> list[float]:
    random = Random(seed)
    return [random.expovariate(1 / mean) for _ in range(count)]


@pytest.mark.parametrize("age", [10, 60, 120, 300])
def test_the_survival_is_found(age: int) -> None:
    assert learned(exponential(120, 4000)).up[age] == pytest.approx(np.exp(-age / 120), abs=0.03)


def test_at_the_start_of_a_shift_running_conversations_count() -> None:
    """Of 100 that began a minute ago 10 short ones have ended: the others are no short ones."""
    short = [float(10 + n) for n in range(10)]
    assert 1 - learned(short).up[60] > 0.5
    assert 1 - learned(short, [60.0] * 90).up[60] < 0.2


def test_nothing_known_is_the_prior_mean() -> None:
    assert learned([]).up[180] == pytest.approx(np.exp(-1), abs=0.01)


def test_of_a_conversation_that_began_before_the_memory_only_the_rest_counts() -> None:
    lengths = [400.0] * 50
    whole, rest = learned(lengths), learned(lengths, since=NOW - 100)
    assert whole.up[250] > rest.up[250], "the first 300 s of it were not seen, so they prove nothing"


def test_two_kinds_of_conversation_are_told_apart() -> None:
    """70 of 100 take 15 s, the rest four minutes: who talks for a minute talks on."""
    up = learned([15.0] * 350 + [240.0] * 150).up
    soon = [1 - up[age + 16] / up[age] for age in (0, 60, 230)]
    assert soon[0] > 0.5
    assert soon[1] < 0.15
    assert soon[2] > 0.4


def test_a_talking_agent_is_free_after_talk_and_wrap_up() -> None:
    random = Random(4)
    talk, wrap_up = learned(exponential(100, 4000, 2)), learned(exponential(20, 4000, 3))
    found = releases(talk, wrap_up, np.array([6.5, 30.0]))
    for row, horizon in enumerate((6.5, 30.0)):
        ends = [random.expovariate(1 / 100) + random.expovariate(1 / 20) for _ in range(40_000)]
        share = sum(one <= horizon for one in ends) / len(ends)
        assert found.talking[row, 50] == pytest.approx(share, abs=0.02)
        assert found.wrapping[row, 10] == pytest.approx(1 - np.exp(-horizon / 20), abs=0.04)


def test_every_age_has_a_chance_and_it_grows_with_the_horizon() -> None:
    found = releases(learned([5.0] * 9, [4000.0]), learned([2.0]), np.array([2.0, 16.0, 30.5]))
    for chances in (found.talking, found.wrapping):
        assert chances.shape == (3, SECONDS)
        assert ((chances >= 0) & (chances <= 1)).all()
        assert (np.diff(chances, axis=0) >= -1e-12).all()
