"""When a trunk's breaker opens and closes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cti.lines.breaker import LEAST_CALLS, LONGEST_REST, NEXT, Breaker, noted, rested
from cti.model.lines import BreakerState as S
from tests.builders import NOW, later

FRESH = Breaker(share=0.5, rest=timedelta(seconds=30))


def after(breaker: Breaker, results: str, *, begin: float = 0.0) -> Breaker:
    """`+` worked, `-` failed, a second each."""
    for second, result in enumerate(results):
        breaker = noted(breaker, worked=result == "+", at=later(begin + second))
    return breaker


def test_the_share_of_failures_opens_it() -> None:
    assert after(FRESH, "++++---").state is S.CLOSED
    assert after(FRESH, "++++----").state is S.OPEN


def test_few_calls_decide_nothing() -> None:
    assert after(FRESH, "-" * (LEAST_CALLS - 1)).state is S.CLOSED
    assert after(FRESH, "-" * LEAST_CALLS).state is S.OPEN


def test_a_call_that_works_never_opens_it() -> None:
    assert after(FRESH, "-------+").state is S.CLOSED


def test_old_failures_are_forgotten() -> None:
    assert after(after(FRESH, "-------"), "-", begin=400).state is S.CLOSED


def test_it_tries_one_call_after_its_rest() -> None:
    opened = after(FRESH, "-" * 8)
    assert opened.opens_again_at == later(37)
    assert rested(opened, later(36)).state is S.OPEN
    assert rested(opened, later(37)).state is S.HALF_OPEN


def test_half_open_the_next_call_decides() -> None:
    half = rested(after(FRESH, "-" * 8), later(37))
    closed = noted(half, worked=True, at=later(38))
    assert (closed.state, closed.results, closed.rests) == (S.CLOSED, (), 0)
    again = noted(half, worked=False, at=later(38))
    assert (again.state, again.opens_again_at) == (S.OPEN, later(38 + 60))


def test_it_rests_longer_each_time_and_never_too_long() -> None:
    breaker = after(FRESH, "-" * 8)
    rests = []
    for _ in range(30):
        assert breaker.opens_again_at is not None
        assert breaker.since is not None
        rests.append(breaker.opens_again_at - breaker.since)
        breaker = noted(rested(breaker, breaker.opens_again_at), worked=False, at=breaker.opens_again_at)
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST


def test_a_call_from_before_that_works_closes_it_at_once() -> None:
    assert noted(after(FRESH, "-" * 8), worked=True, at=later(10)).state is S.CLOSED


def test_the_table_has_every_state_and_a_way_back() -> None:
    assert set(NEXT) == set(S)
    assert all(NEXT.values())


@given(st.text(alphabet="+-", max_size=200), st.lists(st.floats(0, 600), max_size=20))
def test_an_open_breaker_always_knows_when_it_tries_again(results: str, waits: list[float]) -> None:
    breaker, now = FRESH, 0.0
    for place, result in enumerate(results):
        now += waits[place % len(waits)] if waits else 1.0
        breaker = noted(rested(breaker, later(now)), worked=result == "+", at=later(now))
        assert (breaker.opens_again_at is not None) == (breaker.state is S.OPEN)
        if breaker.state is S.OPEN:
            assert rested(breaker, NOW + timedelta(days=1)).state is S.HALF_OPEN
