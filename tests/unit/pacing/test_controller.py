"""How the drop budget is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.pacing.controller import AIM, MOST, Theta, accepted, first_theta, idle_exponent, plan
from cti.pacing.floor import Budget

PACE = 0.05
"""Answers per second: about ten agents."""


def ledger(dropped: float, *, live: float = 1000, left: float | None = 14_400) -> Budget:
    return Budget(target=0.03, live=live, dropped=dropped, seconds_left=left)


def test_on_the_aim_the_plan_changes_nothing() -> None:
    assert plan(ledger(AIM * 30), PACE).factor == pytest.approx(1.0)


def test_the_plan_spreads_a_surplus_and_a_lack_over_what_is_to_come() -> None:
    thrifty, wasteful = plan(ledger(20), PACE), plan(ledger(40), PACE)
    assert 1 < thrifty.factor < MOST
    assert 0 < wasteful.factor < 1
    assert thrifty.drops_left - wasteful.drops_left == pytest.approx(20)


def test_a_large_surplus_is_not_spent_at_once() -> None:
    assert plan(ledger(0), PACE).factor == MOST


@pytest.mark.parametrize(
    "budget",
    [
        pytest.param(ledger(60, left=0.0), id="overspent at the end"),
        pytest.param(ledger(29.5, left=0.0), id="one more would be too many, and nothing is to come"),
        pytest.param(ledger(60), id="more than the answers to come can make good"),
        pytest.param(ledger(31, left=None), id="a rolling window over its target"),
        pytest.param(Budget(target=0.0, live=1000), id="nothing may be dropped"),
    ],
)
def test_nothing_is_risked_when_one_more_drop_could_not_be_made_good(budget: Budget) -> None:
    assert plan(budget, PACE).factor == 0


def test_early_drops_may_be_made_good_by_the_rest_of_the_shift() -> None:
    assert plan(ledger(3, live=20), PACE).factor > 0.8


def test_theta_stays_where_drops_come_at_the_aim_and_moves_otherwise() -> None:
    def after(answers: int, *, to_a_drop: int) -> float:
        theta = Theta()
        for n in range(answers):
            theta = theta.answered(PACE)
            if n % to_a_drop == 0:
                theta = theta.dropped(PACE, 0.03)
        return theta.log

    assert after(2000, to_a_drop=35) == pytest.approx(0, abs=0.15)
    assert after(2000, to_a_drop=25) < -0.5
    assert after(2000, to_a_drop=60) > 0.5


def test_theta_takes_steps_by_time_so_that_large_teams_do_not_swing() -> None:
    assert Theta().dropped(2.0, 0.03).log > Theta().dropped(0.01, 0.03).log


@given(moves=st.lists(st.booleans(), max_size=300), factor=st.floats(0, MOST), idle=st.integers(-5, 500))
def test_the_accepted_risk_is_always_a_share(moves: list[bool], factor: float, idle: int) -> None:
    theta = Theta()
    for drop in moves:
        theta = theta.dropped(PACE, 0.001) if drop else theta.answered(PACE)
    assert 0 <= accepted(theta, factor, idle=idle, agents=idle + 3) <= 0.9


@given(agents=st.integers(0, 1000))
def test_what_goes_by_the_size_of_a_team_goes_smoothly(agents: int) -> None:
    for value in (first_theta, idle_exponent):
        assert abs(value(agents + 1) - value(agents)) <= 0.25 * max(value(1), value(1000))
