"""Many shifts, in up to two processes."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from cti.model.contacts import Mode
from cti.pacing.floor import Pacer
from cti.pacing.predictive import Predictive
from cti.pacing.progressive import Progressive
from cti.simulate.callees import AlikeCallees
from cti.simulate.figures import Figures, figures
from cti.simulate.floor import SimulatedFloor
from cti.simulate.scenario import Scenario

PROCESSES: Final = 2
"""Most at one time: a what-if must leave the rest of a dialer's machine alone."""

PACERS: Final[Mapping[Mode, Callable[[], Pacer]]] = {
    Mode.PROGRESSIVE: Progressive,
    Mode.PREDICTIVE: Predictive,
}
"""The modes that pace themselves; in the others an agent says when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One shift to be simulated."""

    scenario: Scenario
    mode: Mode
    seed: int


def shift(run: Run) -> Figures:
    """Simulate one shift."""
    floor = SimulatedFloor(
        run.scenario, pacer=PACERS[run.mode](), callees=AlikeCallees(run.scenario, seed=run.seed)
    )
    return figures(floor.run(), reps=run.scenario.reps)


def shifts(runs: Sequence[Run], *, processes: int = PROCESSES) -> Iterator[tuple[Run, Figures]]:
    """Simulate the shifts, each given when it is over; with one process in the order asked for."""
    processes = min(processes, PROCESSES, os.cpu_count() or 1, len(runs))
    if processes <= 1:
        yield from ((run, shift(run)) for run in runs)
        return
    # spawn: a progress bar's thread may hold a lock at the moment of a fork
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        open_runs: dict[Future[Figures], Run] = {pool.submit(shift, run): run for run in runs}
        while open_runs:
            over, _ = wait(open_runs, return_when=FIRST_COMPLETED)
            for future in over:
                yield open_runs.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)
