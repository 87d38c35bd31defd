"""When transcription stands back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asr.pressure import Budget, Limits, Look, pause_reason, stalled_share

LIMITS = Limits(cores=1.0, stalled=0.5, load_per_core=2.0, live_calls=10)


@pytest.mark.parametrize(
    ("seen", "paused", "reason"),
    [
        pytest.param(Look(), False, None, id="what is not known never pauses"),
        pytest.param(
            Look(cores=1.0, stalled=0.5, load_per_core=2.0, live_calls=10), False, None, id="at the limits"
        ),
        pytest.param(Look(live_calls=11), False, "11 calls are up; the limit is 10", id="many calls"),
        pytest.param(
            Look(stalled=0.6), False, "tasks wait for a core 60% of the time", id="a crowded machine"
        ),
        pytest.param(Look(load_per_core=2.5), False, "the load is 2.50 for each core", id="load without PSI"),
        pytest.param(Look(load_per_core=9.0, stalled=0.1), False, None, id="PSI goes before the load"),
        pytest.param(Look(cores=1.2), False, "1.20 cores were used of a budget of 1", id="over the budget"),
        pytest.param(Look(live_calls=9), True, "9 calls are up", id="not yet far enough below"),
        pytest.param(Look(live_calls=8), True, None, id="far enough below"),
        pytest.param(
            Look(live_calls=11, stalled=0.9),
            False,
            "11 calls are up",
            id="calls are named before the machine",
        ),
    ],
)
def test_it_pauses_above_a_limit_and_says_why(seen: Look, paused: bool, reason: str | None) -> None:
    told = pause_reason(seen, LIMITS, paused=paused)
    assert told == reason if reason is None else told is not None and told.startswith(reason)


def test_no_calls_at_all_can_be_the_limit() -> None:
    limits = Limits(live_calls=0)
    assert pause_reason(Look(live_calls=0), limits, paused=True) is None
    assert pause_reason(Look(live_calls=1), limits, paused=False) is not None


numbers = st.none() | st.floats(0, 100)


@given(numbers, numbers, numbers, st.none() | st.integers(0, 1000))
def test_whatever_pauses_a_running_worker_keeps_a_paused_one_paused(
    cores: float | None, stalled: float | None, load: float | None, calls: int | None
) -> None:
    seen = Look(cores=cores, stalled=stalled, load_per_core=load, live_calls=calls)
    if pause_reason(seen, LIMITS, paused=False):
        assert pause_reason(seen, LIMITS, paused=True)
    assert pause_reason(seen, Limits(), paused=True) is None


def test_the_kernels_pressure_is_read() -> None:
    text = (
        "some avg10=12.50 avg60=4.67 avg300=3.94 total=7192762376\n"
        "full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n"
    )
    assert stalled_share(text) == 0.125


@pytest.mark.parametrize("text", ["", "full avg10=1.00", "some avg10=x", "some"])
def test_what_is_no_pressure_is_not_known(text: str) -> None:
    assert stalled_share(text) is None


def test_a_budget_looks_at_the_last_seconds_only() -> None:
    budget = Budget(window_seconds=10)
    assert budget.cores(now=0, cpu_seconds=5) is None
    assert budget.cores(now=5, cpu_seconds=10) == 1.0
    assert budget.cores(now=10, cpu_seconds=10) == 0.5
    assert budget.cores(now=15, cpu_seconds=10) == 0.0
    assert budget.cores(now=25, cpu_seconds=30) == 2.0
