"""`cti simulate`: a what-if of the user's own. Needs no service."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti.cli.frame import can_be_drawn, one_line_errors
from cti.cli.shown import form_options, show
from cti.errors import BadInput
from cti.model.contacts import Mode
from cti.simulate.figures import Expectation, Figures, expectation
from cti.simulate.runs import PACERS, PROCESSES, Run, shifts
from cti.simulate.scenario import Scenario, checked

MOST_SHIFTS: Final = 2000
_START: Final = Scenario()


class Several(click.ParamType[tuple[float, ...]]):
    """One number, or several with commas between; `30%` is 0.30."""

    name = "numbers"

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self._number(part.strip()) for part in str(value).split(","))
        except ValueError:
            kind = "whole numbers" if self._whole else "numbers"
            self.fail(f"{value!r} is not one or several {kind} with commas between", param, ctx)

    def _number(self, text: str) -> float:
        if self._whole:
            return int(text)
        return float(text[:-1]) / 100.0 if text.endswith("%") else float(text)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An option that changes the scenario."""

    name: str
    change: Callable[[Scenario, float], Scenario]
    default: float | None
    meaning: str
    whole: bool = False

    @property
    def parameter(self) -> str:
        return self.name.replace("-", "_")


def _field(name: str) -> Callable[[Scenario, float], Scenario]:
    return lambda scenario, value: replace(scenario, **{name: value})  # type: ignore[arg-type]  # by its own name


def _mean(name: str) -> Callable[[Scenario, float], Scenario]:
    return lambda scenario, value: replace(scenario, **{name: replace(getattr(scenario, name), mean=value)})


def _variation(name: str) -> Callable[[Scenario, float], Scenario]:
    return lambda scenario, value: replace(
        scenario,
        **{name: replace(getattr(scenario, name), variation=value)},
    )


ASKED: Final = (
    _Asked("reps", _field("reps"), _START.reps, "Reps at work, all of them for the whole shift.", whole=True),
    _Asked("answer-rate", _field("answer_rate"), _START.answer_rate, "Share of dials a person would answer."),
    _Asked("talk", _mean("talk"), _START.talk.mean, "Mean length of a talk, seconds."),
    _Asked("talk-variation", _variation("talk"), _START.talk.variation, "Its standard deviation / mean."),
    _Asked("wrap-up", _mean("wrap_up"), _START.wrap_up.mean, "Mean length of the wrap-up, seconds."),
    _Asked("wrap-up-variation", _variation("wrap_up"), _START.wrap_up.variation, "The same for the wrap-up."),
    _Asked("drop-target", _field("drop_target"), _START.drop_target, "Most dropped / answered."),
    _Asked("lines", _field("lines"), None, "Most open calls at one time.  [default: no limit]", whole=True),
    _Asked("calls-per-second", _field("calls_per_second"), None, "Most orders.  [default: no limit]"),
    _Asked("hours", _field("hours"), _START.hours, "Length of the shift."),
    _Asked("contacts", _field("contacts"), None, "Length of the list.  [default: no end]", whole=True),
    _Asked("machines", _field("machine_rate"), _START.machine_rate, "Share of dials a machine would answer."),
    _Asked("detection", _field("detection"), None, "Seconds of machine detection.  [default: none]"),
    _Asked("missed", _field("missed"), _START.missed, "Share of machines that detection misses."),
    _Asked("busy", _field("busy_rate"), _START.busy_rate, "Share of dials that are busy."),
    _Asked("failed", _field("failed_rate"), _START.failed_rate, "Share of dials that networks refuse."),
    _Asked("ring", _mean("ring"), _START.ring.mean, "Mean ringing before a person answers, seconds."),
    _Asked("ring-timeout", _field("ring_timeout"), _START.ring_timeout, "From the order to giving up, seconds."),
    _Asked("grace", _field("grace"), _START.grace, "How long an answered person may wait for a rep, seconds."),
)  # fmt: skip


def _options(command: Any) -> Any:
    for asked in reversed(ASKED):
        command = click.option(
            f"--{asked.name}",
            type=Several(whole=asked.whole),
            default=None if asked.default is None else f"{asked.default:g}",
            metavar="N[,N...]",
            show_default=True,
            help=asked.meaning,
        )(command)
    return command


@click.command()
@_options
@click.option(
    "--mode",
    "modes",
    default=",".join(PACERS),
    show_default=True,
    metavar="MODE[,MODE]",
    help=f"What to compare: {', '.join(PACERS)}.",
)
@click.option(
    "--seeds",
    type=Several(whole=True),
    default="1,2,3",
    show_default=True,
    metavar="N[,N...]",
    help="One shift for each; the same seed gives the same shift.",
)
@click.option(
    "--processes", type=click.IntRange(1, PROCESSES), default=PROCESSES, show_default=True, help="At once."
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the figures into this .png or .svg file too.",
)
@form_options
@one_line_errors
def simulate(
    modes: str, seeds: tuple[float, ...], processes: int, plot: Path | None, form: str | None, **given: Any
) -> None:
    """Say what to expect of a floor: the real pacing code on simulated reps and callees.

    An option with several values (--reps 3,10,50) is tried with each, all of them together. Shares may be written
    0.3 or 30%. Nothing is dialed, and no service is needed.
    """
    can_be_drawn(plot)
    values = {asked: given[asked.parameter] or (None,) for asked in ASKED}
    known_modes = _modes(modes)
    wanted = [(checked(scenario), mode) for scenario, mode in product(_scenarios(values), known_modes)]
    if (count := len(wanted) * len(seeds)) > MOST_SHIFTS:
        raise BadInput(f"these are {count} shifts, at most {MOST_SHIFTS} are simulated at one time")
    runs = [Run(scenario=scenario, mode=mode, seed=int(seed)) for scenario, mode in wanted for seed in seeds]
    found = _simulated(runs, processes)
    outcomes = [(scenario, mode, expectation(found[scenario, mode])) for scenario, mode in wanted]
    rows: list[dict[str, Any]] = [
        row | {"mode": mode.value} | _told(outcome)
        for (row, (_, mode, outcome)) in zip(_asked_rows(values, len(known_modes)), outcomes, strict=True)
    ]
    varied = [asked.parameter for asked, several in values.items() if len(several) > 1]
    if form is None:
        show([_for_people(row) for row in rows], [*(varied or ["reps"]), "mode", *_SHOWN], form)
    else:
        show(rows, list(rows[0]), form)
    if plot is not None:
        from cti.cli.plots import expectations_plot  # matplotlib takes a second to load

        expectations_plot(rows, varied=varied, file=plot)


def _modes(text: str) -> list[Mode]:
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    if wrong := [name for name in names if name not in list(PACERS)]:
        raise BadInput(
            f"--mode {wrong[0]}: there are {', '.join(PACERS)}; in other modes reps say when to dial"
        )
    return [Mode(name) for name in names]


def _scenarios(values: Mapping[_Asked, Sequence[float | None]]) -> Iterator[Scenario]:
    """Make every combination."""
    for combination in product(*values.values()):
        scenario = _START
        for asked, value in zip(values, combination, strict=True):
            if value is not None:
                scenario = asked.change(scenario, value)
        yield scenario


def _asked_rows(values: Mapping[_Asked, Sequence[float | None]], times: int) -> Iterator[dict[str, Any]]:
    """Tell the combinations in the same order, each `times` times."""
    for combination in product(*values.values()):
        for _ in range(times):
            yield {asked.parameter: value for asked, value in zip(values, combination, strict=True)}


def _simulated(runs: Sequence[Run], processes: int) -> Mapping[tuple[Scenario, Mode], list[Figures]]:
    """Run them under a progress bar; the figures of one scenario and mode are in the order of their seeds."""
    bar = Progress(
        TextColumn("shifts"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    by_run: dict[Run, Figures] = {}
    with bar:
        task = bar.add_task("shifts", total=len(runs))
        for run, told in shifts(runs, processes=processes):
            by_run[run] = told
            bar.advance(task)
    found: dict[tuple[Scenario, Mode], list[Figures]] = defaultdict(list)
    for run in dict.fromkeys(runs):
        found[run.scenario, run.mode].append(by_run[run])
    return found


def _told(outcome: Expectation) -> dict[str, float]:
    figures = {name: getattr(outcome.mean, name) for name in Figures.__slots__}
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in {
            **figures,
            "utilisation_error": outcome.utilisation_error,
            "worst_drop_rate": outcome.worst_drop_rate,
            "shifts": outcome.shifts,
        }.items()
    }


_SHOWN: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = {
    "busy %": ("utilisation", lambda share: f"{100 * share:.1f}"),
    "± %": ("utilisation_error", lambda share: f"{100 * share:.1f}"),
    "talk %": ("talk_share", lambda share: f"{100 * share:.1f}"),
    "drops %": ("drop_rate", lambda share: f"{100 * share:.2f}"),
    "worst shift %": ("worst_drop_rate", lambda share: f"{100 * share:.2f}"),
    "worst 30 min %": ("worst_half_hour", lambda share: f"{100 * share:.1f}"),
    "rep waits s": ("rep_wait_mean", lambda seconds: f"{seconds:.0f}"),
    "p90 s": ("rep_wait_p90", lambda seconds: f"{seconds:.0f}"),
    "calls/rep-hour": ("calls_per_rep_hour", lambda calls: f"{calls:.1f}"),
    "lines p99": ("lines_p99", lambda lines: f"{lines:.0f}"),
    "lines peak": ("lines_peak", lambda lines: f"{lines:.0f}"),
}
"""Column of the table, figure, how it is written."""


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: f"{value:g}" if isinstance(value, float) else value for name, value in row.items()}
    return asked | {column: write(row[name]) for column, (name, write) in _SHOWN.items()}
