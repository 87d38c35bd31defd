"""Pictures of figures, as PNG or SVG files. The only module that knows matplotlib; imported only when one is wanted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from cti.errors import BadInput

Row = Mapping[str, Any]

_PANELS: Final = (
    ("utilisation", 100.0, "reps busy, % of their time"),
    ("drop_rate", 100.0, "dropped, % of answered"),
    ("rep_wait_mean", 1.0, "a rep waits for a call, s"),
    ("lines_p99", 1.0, "lines open, 99 % of the time at most"),
)
"""Figure, factor, title."""
_TWO_ERRORS: Final = 1.96
"""Standard errors on each side that hold the true mean in 95 of 100 cases."""
_ROOM: Final = 1.12
"""Top of an axis / the highest point: room for a word above it."""
_LOG_FROM: Final = 8.0
"""Values whose largest is so many times the smallest stand on a logarithmic axis."""


def expectations_plot(rows: Sequence[Row], *, varied: Sequence[str], file: Path) -> None:
    """Draw four figures over the first option that has several values, one line for each of the other combinations."""
    across = varied[0] if varied else "reps"
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        others = [f"{_words(name)} {row[name]:g}" for name in varied if name != across]
        lines[", ".join([str(row["mode"]), *others])].append(row)
    figure = Figure(figsize=(10.0, 7.0), layout="constrained")
    for axes, (name, factor, title) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        for label, points in lines.items():
            _line(axes, sorted(points, key=lambda row: row[across]), across, name, factor, label)
        if name == "drop_rate":
            _targets(axes, rows)
        _dress(axes, [row[across] for row in rows], _words(across), title)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    _save(figure, file)


def _line(axes: Axes, points: Sequence[Row], across: str, name: str, factor: float, label: str) -> None:
    x = [point[across] for point in points]
    y = [factor * point[name] for point in points]
    if name == "utilisation":
        errors = [_TWO_ERRORS * factor * point["utilisation_error"] for point in points]
        axes.errorbar(x, y, yerr=errors, label=label, marker="o", markersize=4, capsize=3)
    else:
        axes.plot(x, y, label=label, marker="o", markersize=4)


def _targets(axes: Axes, rows: Sequence[Row]) -> None:
    for target in sorted({100.0 * row["drop_target"] for row in rows}):
        axes.axhline(target, color="grey", linestyle="--", linewidth=1)
        axes.annotate(
            "target",
            (0.99, target),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize="small",
            color="grey",
        )


def _dress(axes: Axes, x: Sequence[float], xlabel: str, title: str) -> None:
    ticks = sorted(set(x))
    if ticks[0] > 0.0 and ticks[-1] >= _LOG_FROM * ticks[0]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel(xlabel)
    axes.set_title(title, fontsize="medium")
    axes.set_ylim(0.0, _ROOM * max(axes.dataLim.y1, 0.01))
    axes.grid(visible=True, alpha=0.3)


def reliability_plot(bins: Sequence[Row], *, title: str, file: Path) -> None:
    """Draw the share that answered over the chance foretold, with 95 % intervals; perfect ones lie on the diagonal."""
    foretold = [100.0 * one["foretold"] for one in bins]
    observed = [100.0 * one["observed"] for one in bins]
    errors = [100.0 * _TWO_ERRORS * _error(one["observed"], one["attempts"]) for one in bins]
    figure = Figure(figsize=(6.0, 6.0), layout="constrained")
    axes = figure.subplots()
    end = min(100.0, _ROOM * max(*foretold, *(y + error for y, error in zip(observed, errors, strict=True))))
    axes.plot([0.0, end], [0.0, end], color="grey", linestyle="--", linewidth=1, label="as foretold")
    axes.errorbar(foretold, observed, yerr=errors, marker="o", markersize=4, capsize=3, label="learned")
    axes.set_xlim(0.0, end)
    axes.set_ylim(0.0, end)
    axes.set_xlabel("foretold chance of an answer, %")
    axes.set_ylabel("answered by a person, %")
    axes.set_title(title, fontsize="medium", parse_math=False)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="upper left", frameon=False)
    _save(figure, file)


def _error(share: float, count: int) -> float:
    """Return the standard error of a share of so many."""
    return float((share * (1.0 - share) / count) ** 0.5)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _save(figure: Figure, file: Path) -> None:
    """Raises BadInput when the file cannot be written. The same figures give the same SVG."""
    metadata = {"Date": None} if file.suffix.lower() == ".svg" else None
    try:
        with mpl.rc_context({"svg.hashsalt": "waihu"}):
            figure.savefig(file, dpi=120, metadata=metadata)
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}") from error
