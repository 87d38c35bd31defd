"""Lengths, draws, scenarios, figures."""

from collections import Counter
from dataclasses import replace
from statistics import fmean, stdev

import pytest

from cti.errors import BadInput
from cti.pacing.signals import Result
from cti.simulate.callees import Outcomes
from cti.simulate.draws import Draws
from cti.simulate.figures import expectation, figures, worst_half_hour
from cti.simulate.lengths import Length
from cti.simulate.record import Record
from cti.simulate.scenario import Scenario, checked


def test_a_length_has_the_mean_and_the_spread_it_says() -> None:
    draws, length = Draws(3, uniform=0, normal=1), Length(120.0, 0.9).drawer()
    drawn = [length(draws.at(place)[0]) for place in range(40_000)]
    assert fmean(drawn) == pytest.approx(120.0, rel=0.02)
    assert stdev(drawn) / fmean(drawn) == pytest.approx(0.9, rel=0.06)


def test_a_length_is_never_shorter_than_its_least() -> None:
    assert Length(10.0, 2.0, 4.0).drawer()(-8.0) == 4.0
    assert Length(0.0, 0.5, 1.0).drawer()(0.3) == 1.0


def test_a_draw_depends_on_the_seed_and_the_place_alone() -> None:
    forth, back = Draws(9, uniform=2, normal=3), Draws(9, uniform=2, normal=3)
    assert [forth.at(place) for place in (0, 5000)] == [back.at(place) for place in (5000, 0)][::-1]
    assert forth.at(0) != Draws(10, uniform=2, normal=3).at(0)


def test_results_come_in_the_shares_asked_for() -> None:
    scenario = Scenario(answer_rate=0.2, machine_rate=0.3, busy_rate=0.1, failed_rate=0.05, ring_timeout=300)
    outcomes, draws = Outcomes(scenario), Draws(1, uniform=2, normal=3)
    found = Counter(outcomes.of(draws.at(n), answer_rate=0.2).result for n in range(20_000))
    shares = {result: count / 20_000 for result, count in found.items()}
    assert shares[Result.LIVE] == pytest.approx(0.2, abs=0.01)
    assert shares[Result.MACHINE] == pytest.approx(0.3, abs=0.01)
    assert shares[Result.BUSY] == pytest.approx(0.1, abs=0.01)
    assert shares[Result.FAILED] == pytest.approx(0.05, abs=0.01)


def test_who_would_answer_after_the_timeout_is_a_no_answer() -> None:
    dial = Outcomes(Scenario(ring_timeout=8.0)).of((0.0, 0.5, 3.0, 0.0, 0.0), answer_rate=0.3)
    assert (dial.result, dial.seconds, dial.to_rep) == (Result.NO_ANSWER, 8.0, False)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"reps": 0}, "reps is 0"),
        ({"answer_rate": float("nan")}, "answer_rate is nan"),
        ({"answer_rate": 0.7, "machine_rate": 0.4}, "are 1.23 together"),
        ({"talk": Length(-1.0)}, "talk is -1"),
        ({"talk": Length(60.0, 11.0)}, "the variation of talk is 11"),
        ({"lines": 0}, "lines is 0"),
        ({"calls_per_second": 0.0}, "calls_per_second is 0"),
        ({"ring_timeout": 0.0}, "ring_timeout is 0"),
        ({"talk": Length(0.0), "wrap_up": Length(0.0)}, "would never end"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_by_name(change: dict[str, object], named: str) -> None:
    with pytest.raises(BadInput, match=named):
        checked(replace(Scenario(), **change))  # type: ignore[arg-type]


def test_every_problem_of_a_scenario_is_named_at_once() -> None:
    with pytest.raises(BadInput, match=r"reps is 0.*hours is 30"):
        checked(Scenario(reps=0, hours=30.0))


def test_the_worst_half_hour_ends_with_a_drop_and_has_answers_enough() -> None:
    answered = [float(at) for at in range(0, 6000, 50)]
    assert worst_half_hour(answered, [100.0]) == 0.0
    dropped = [4000.0, 4100.0, 4200.0]
    assert worst_half_hour(answered, dropped) == pytest.approx(3 / 37)


def test_a_shift_without_a_call_has_figures_too() -> None:
    empty = figures(Record(ended_at=3600.0), reps=3)
    assert (empty.utilisation, empty.drop_rate, empty.lines_p99) == (0.0, 0.0, 0)


def test_figures_are_shares_of_the_time_at_work() -> None:
    record = Record(
        answered_at=[1.0, 2.0, 3.0, 4.0],
        dropped_at=[4.0],
        idle=[10.0, 20.0, 30.0],
        waited=[0.0, 0.0, 1.0],
        talk=1800.0,
        machine_talk=180.0,
        wrap_up=180.0,
        placed=10,
        results=Counter({Result.LIVE: 4, Result.NO_ANSWER: 4, Result.FAILED: 2}),
        lines_for=Counter({0: 1000, 2: 2580, 5: 20}),
        lines_peak=5,
        ended_at=3600.0,
    )
    told = figures(record, reps=1)
    assert (told.utilisation, told.talk_share) == (pytest.approx(0.6), 0.5)
    assert (told.drop_rate, told.answer_share, told.answers_per_1000) == (0.25, 0.5, 400.0)
    assert (told.rep_wait_mean, told.rep_wait_p90, told.calls_per_rep_hour) == (20.0, 30.0, 3.0)
    assert (told.lines_p99, told.lines_peak) == (2, 5)


def test_an_expectation_pools_the_drops_and_keeps_the_worst() -> None:
    empty = figures(Record(ended_at=3600.0), reps=3)
    calm = replace(empty, utilisation=0.8, answered=100, dropped=1, drop_rate=0.01, lines_peak=7)
    rough = replace(empty, utilisation=0.9, answered=300, dropped=11, drop_rate=11 / 300, worst_half_hour=0.2)
    told = expectation([calm, rough])
    assert told.mean.utilisation == pytest.approx(0.85)
    assert told.mean.drop_rate == pytest.approx(12 / 400)
    assert (told.worst_drop_rate, told.mean.worst_half_hour) == (11 / 300, 0.2)
    assert (told.mean.lines_peak, told.shifts) == (7, 2)
    assert told.utilisation_error == pytest.approx(0.05)
