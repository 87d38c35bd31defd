"""How much may flow to a CRM now."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.crm.valve import allowed, answered, resumed, spare, spent, wait_seconds
from cti.model.crm import Answer, Rate, TargetStanding
from tests.builders import NOW, later

FREE = Rate()
FIVE = Rate(per_second=5.0, burst=10)
NEW = TargetStanding(target="odoo")


def after(standing: TargetStanding, answer: Answer, *, at: float = 0, **given: object) -> TargetStanding:
    return answered(standing, answer, now=later(at), **{"chance": 1.0, **given})  # type: ignore[arg-type]


def test_a_new_target_takes_what_its_burst_allows() -> None:
    assert allowed(NEW, FIVE, now=NOW) == 10
    assert allowed(NEW, FREE, now=NOW) > 10_000


def test_what_was_spent_comes_back_with_time_and_no_more_than_the_burst() -> None:
    standing = spent(NEW, FIVE, 10, now=NOW)

    assert allowed(standing, FIVE, now=NOW) == 0
    assert wait_seconds(standing, FIVE, now=NOW) == pytest.approx(0.2)
    assert allowed(standing, FIVE, now=later(1)) == 5
    assert allowed(standing, FIVE, now=later(99)) == 10


def test_a_bucket_may_be_overdrawn_and_waits_for_it() -> None:
    standing = spent(NEW, FIVE, 20, now=NOW)

    assert allowed(standing, FIVE, now=later(2)) == 0
    assert allowed(standing, FIVE, now=later(2.2)) == 1


def test_what_is_nice_to_have_leaves_writes_what_they_need() -> None:
    def left(requests: int, *, writes_wait: bool, rate: Rate = FIVE, standing: TargetStanding = NEW) -> int:
        return spare(spent(standing, rate, requests, now=NOW), rate, writes_wait=writes_wait, now=NOW)

    assert [left(n, writes_wait=True) for n in (0, 3, 4, 5, 10)] == [4, 1, 0, 0, 0]
    assert [left(n, writes_wait=False) for n in (0, 5, 9, 10)] == [10, 5, 1, 0]
    assert left(999, writes_wait=True, rate=FREE) > 10_000
    day = Rate(per_day=100)
    assert [left(n, writes_wait=False, rate=day) for n in (0, 70, 75, 90)] == [75, 5, 0, 0]
    assert left(0, writes_wait=False, rate=Rate(per_second=1.0)) == 1
    assert left(0, writes_wait=True, rate=Rate(per_second=1.0)) == 0


def test_a_crm_that_was_away_is_not_tried_by_what_is_nice_to_have() -> None:
    away = after(NEW, Answer.AWAY)
    assert allowed(away, FREE, now=later(2)) == 1
    assert spare(away, FREE, writes_wait=False, now=later(2)) == 0


def test_the_day_has_a_budget_that_ends_at_midnight() -> None:
    rate = Rate(per_day=100)
    standing = spent(NEW, rate, 100, now=NOW)

    assert allowed(standing, rate, now=later(3600)) == 0
    assert wait_seconds(standing, rate, now=NOW) == 15 * 3600  # NOW is nine in the morning
    assert allowed(standing, rate, now=later(15 * 3600)) == 100
    assert spent(standing, rate, 1, now=later(15 * 3600)).spent == 1


def test_a_crm_that_is_away_is_left_alone_longer_each_time_and_then_asked_by_one() -> None:
    first = after(NEW, Answer.AWAY, message="nobody listens")
    assert (first.state, first.reason, first.until) == ("paused", "nobody listens", later(2))
    assert allowed(first, FREE, now=later(1.9)) == 0
    assert wait_seconds(first, FREE, now=NOW) == 2.0
    assert allowed(first, FREE, now=later(2)) == 1

    second = after(first, Answer.AWAY, at=2)
    assert second.until == later(6)
    assert second.since == NOW
    many = second
    for _ in range(20):
        assert many.until is not None
        many = answered(many, Answer.AWAY, now=many.until, chance=1.0)
    assert many.until is not None
    assert many.since == NOW
    last = after(many, Answer.AWAY, at=0)
    assert last == replace(many, counts={"away": 23}), "several under way when it went are one failure"


def test_the_first_that_goes_well_opens_it_for_all() -> None:
    paused = after(NEW, Answer.AWAY)

    well = after(paused, Answer.OK, at=3, count=7)

    assert (well.state, well.failures, well.reason, well.until, well.since) == ("ok", 0, "", None, later(3))
    assert allowed(well, FIVE, now=later(3)) == 10
    assert well.counts == {"away": 1, "ok": 7}


def test_too_many_requests_halve_the_rate_which_comes_back_bit_by_bit() -> None:
    slowed = after(NEW, Answer.THROTTLE, pause_seconds=17.0)
    assert (slowed.slowed, slowed.until) == (0.5, later(17))

    spent_all = spent(after(slowed, Answer.OK, at=17), FIVE, 10, now=later(17))

    assert spent_all.slowed == pytest.approx(0.52)
    assert allowed(spent_all, FIVE, now=later(18)) == 2
    for _ in range(30):
        spent_all = after(spent_all, Answer.OK, at=18)
    assert spent_all.slowed == 1.0
    for n in range(20):
        spent_all = after(spent_all, Answer.THROTTLE, at=100 + 1000 * n)
    assert spent_all.slowed == 0.05


@pytest.mark.parametrize(
    ("asked", "seconds"), [(1e300, 86_400.0), (float("inf"), 86_400.0), (-5.0, 0.0), (float("nan"), 0.0)]
)
def test_no_crm_is_left_alone_for_longer_than_a_day_whatever_it_asks_for(
    asked: float, seconds: float
) -> None:
    paused = after(TargetStanding(target="odoo"), Answer.THROTTLE, pause_seconds=asked)

    assert paused.until == later(seconds)


def test_a_refused_key_stops_until_somebody_says_so() -> None:
    stopped = after(NEW, Answer.AUTH, message="key 401")

    assert allowed(stopped, FREE, now=later(1e6)) == 0
    assert wait_seconds(stopped, FREE, now=NOW) == 60.0
    for answer in (Answer.OK, Answer.AWAY, Answer.THROTTLE, Answer.UNKNOWN):
        assert after(stopped, answer, at=5).state == "stopped", "an answer from before opens nothing"
    assert after(stopped, Answer.AUTH, at=9).since == NOW
    assert allowed(resumed(stopped, now=later(9)), FREE, now=later(9)) > 1


@given(
    st.lists(st.tuples(st.sampled_from(list(Answer)), st.floats(0, 1e5), st.floats(0, 1), st.integers(0, 50)))
)
def test_whatever_comes_the_figures_stay_within_their_bounds(
    story: list[tuple[Answer, float, float, int]],
) -> None:
    standing, at = NEW, 0.0
    rate = Rate(per_second=5.0, burst=10, per_day=1000)
    for answer, seconds, chance, requests in story:
        at += seconds
        standing = answered(standing, answer, now=later(at), chance=chance)
        standing = spent(standing, rate, requests, now=later(at))
        assert 0 <= allowed(standing, rate, now=later(at)) <= 10
        assert wait_seconds(standing, rate, now=later(at)) >= 0
        assert 0.05 <= standing.slowed <= 1
        assert (allowed(standing, rate, now=later(at)) > 0) == (
            wait_seconds(standing, rate, now=later(at)) <= 1e-6
        )
