"""Fixed rates, who is late, which rates hold, and what a climb comes to."""

from dataclasses import replace

import pytest

from benchmarks.rows import Spread, percentile, ratio
from benchmarks.schedule import Schedule, offered
from benchmarks.stairs import TRIES, Climb, Run, summary
from cti.pacing.floor import Floor

FIFTY = Schedule(rate=50, calls=1000, start=100.0)
GOOD = Run(
    placed=1000,
    late_ms_max=120,
    late_ms_p99=90,
    unfinished=0,
    lost=0,
    other=0,
    cpu_seconds=0.8,
    rss_mb=90,
    seconds=20,
)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(99.9, 0, id="nothing before the start"),
        pytest.param(100.0, 1, id="the first at the start"),
        pytest.param(101.0, 51, id="then the rate"),
        pytest.param(500.0, 1000, id="never more than there are"),
    ],
)
def test_calls_are_due_at_the_rate(now: float, due: int) -> None:
    assert FIFTY.due(now) == due


def test_lateness_is_counted_from_each_calls_own_moment() -> None:
    assert FIFTY.lateness([100.0, 100.03, 101.04]) == pytest.approx([0.0, 0.01, 1.0])


def test_the_engine_is_offered_what_is_due_and_not_placed() -> None:
    floor = Floor(now=0.0, idle_agents=0, waiting=0, open_calls=3, free_lines=100, placed=40)
    decision = offered(FIFTY, floor, 101.0)
    assert (decision.calls, decision.reserve) == (11, False)
    assert offered(FIFTY, replace(floor, placed=60), 101.0).calls == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"late_ms_max": 1001}, id="an Originate left more than a second late"),
        pytest.param({"unfinished": 1}, id="an attempt had no outcome after ten seconds"),
        pytest.param({"placed": 999}, id="not all were placed"),
    ],
)
def test_a_rate_does_not_hold_when(change: dict[str, int]) -> None:
    assert GOOD.holds(1000)
    assert not replace(GOOD, **change).holds(1000)  # type: ignore[arg-type]


def test_a_rate_that_does_not_hold_is_tried_again_and_then_ends_the_climb() -> None:
    climb = Climb("ours")
    assert climb.note(50, GOOD, 1000)
    for attempt in range(1, TRIES + 1):
        assert climb.note(100, replace(GOOD, unfinished=7), 1000) is (attempt == TRIES)
    assert (climb.held, climb.climbing) == (50, False)
    assert climb.figures(100)["ours_held"] is False
    assert climb.figures(150) == {"ours_held": None}


def test_a_second_try_that_holds_counts() -> None:
    climb = Climb("ours")
    assert not climb.note(50, replace(GOOD, unfinished=7), 1000)
    assert climb.note(50, GOOD, 1000)
    assert (climb.held, climb.climbing) == (50, True)
    assert climb.figures(50)["ours_tries"] == 2


def test_the_summary_has_exactly_its_keys_and_the_cost_at_the_highest_common_rate() -> None:
    ours, bare = Climb("ours"), Climb("bare")
    ours.note(50, replace(GOOD, unfinished=3, lost=2), 1000)
    ours.note(50, replace(GOOD, cpu_seconds=0.8), 1000)
    ours.note(100, replace(GOOD, unfinished=900, lost=500), 1000)
    for rate, cpu in ((50, 0.4), (100, 0.5)):
        bare.note(rate, replace(GOOD, cpu_seconds=cpu), 1000)
    assert summary(ours, bare) == {
        "rate": 50,
        "bare_rate": 100,
        "ratio": 0.5,
        "lost": 2,
        "cpu_ms_per_call": 0.8,
        "bare_cpu_ms_per_call": 0.4,
    }


def test_percentiles_are_measured_values() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1.0)) == (50, 95, 100)
    assert Spread.of([3.0]) == Spread(3.0, 3.0, 3.0, 3.0)


def test_a_ratio_to_nothing_is_none() -> None:
    assert (ratio(3, 4), ratio(3, 0)) == (0.75, None)
