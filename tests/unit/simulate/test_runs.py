"""Shifts in one process and in two."""

from cti.model.contacts import Mode
from cti.simulate.runs import Run, shift, shifts
from cti.simulate.scenario import Scenario

SHORT = Scenario(reps=2, hours=0.2)
RUNS = [Run(scenario=SHORT, mode=Mode.PROGRESSIVE, seed=seed) for seed in (1, 2, 3)]


def test_two_processes_find_what_one_finds() -> None:
    assert dict(shifts(RUNS, processes=2)) == {run: shift(run) for run in RUNS}


def test_one_process_gives_the_shifts_in_the_order_asked_for() -> None:
    assert [run for run, _ in shifts(RUNS, processes=1)] == RUNS
