"""The pause before a retry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.work.backoff import RetryPlan, retry_seconds

PLANS = st.builds(
    RetryPlan,
    first_seconds=st.floats(0.01, 60),
    ceiling_seconds=st.floats(60, 3600),
    attempts=st.integers(1, 100),
)


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [
        pytest.param(1, 2.0, id="first pause after the first run"),
        pytest.param(2, 4.0, id="doubled"),
        pytest.param(4, 16.0, id="doubled thrice"),
        pytest.param(9, 100.0, id="held at the ceiling"),
        pytest.param(10**9, 100.0, id="a huge count is no huge number"),
    ],
)
def test_the_longest_pause_doubles_up_to_the_ceiling(attempts: int, pause: float) -> None:
    plan = RetryPlan(first_seconds=2.0, ceiling_seconds=100.0)
    assert retry_seconds(attempts, plan=plan, chance=1.0) == pause


@given(attempts=st.integers(0, 10**6), plan=PLANS, chance=st.floats(0, 1))
def test_a_pause_is_never_negative_nor_over_the_ceiling(
    attempts: int, plan: RetryPlan, chance: float
) -> None:
    assert 0 <= retry_seconds(attempts, plan=plan, chance=chance) <= plan.ceiling_seconds


@given(attempts=st.integers(1, 1000), plan=PLANS, chance=st.floats(0, 1))
def test_the_pause_is_spread_over_the_whole_bound(attempts: int, plan: RetryPlan, chance: float) -> None:
    longest = retry_seconds(attempts, plan=plan, chance=1.0)
    assert retry_seconds(attempts, plan=plan, chance=chance) == pytest.approx(chance * longest)
    assert longest <= retry_seconds(attempts + 1, plan=plan, chance=1.0)
