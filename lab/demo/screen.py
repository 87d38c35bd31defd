"""What the demo shows while it goes: agents, calls that are up, progress. Draws only; asks nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

STATE_COLOURS: Final = {
    "ready": "green",
    "reserved": "yellow",
    "on_call": "bold cyan",
    "wrap_up": "magenta",
    "paused": "blue",
    "logged_out": "red",
    "ringing": "yellow",
    "connected": "bold cyan",
    "answered": "green",
}


def bar() -> Progress:
    """Return the progress bar of a campaign."""
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[outcomes]}"),
    )


def picture(floor: Mapping[str, Any], progress: Progress) -> RenderableType:
    """Draw one moment."""
    return Group(_agents(floor["agents"]), _calls(floor["calls"]), progress)


def outcomes_text(outcomes: Mapping[str, int]) -> str:
    """Say how calls ended, most frequent first."""
    ordered = sorted(outcomes.items(), key=lambda pair: -pair[1])
    return " · ".join(f"{name} {count}" for name, count in ordered)


def report(table: Mapping[str, Any]) -> Table:
    """Draw a report of the API: groups side by side, figures one below the other, so that it fits a terminal."""
    columns, rows = list(table["columns"]), [list(_cells(row)) for row in table["rows"]]
    drawn = Table(title=str(table["title"]), title_justify="left")
    drawn.add_column(str(columns[0]), style="bold")
    for row in rows:
        drawn.add_column(str(row[0]), justify="right")
    for position, column in enumerate(columns[1:], 1):
        drawn.add_row(str(column), *(_figure(row[position]) for row in rows))
    return drawn


def _cells(row: Mapping[str, Any] | Sequence[Any]) -> Sequence[Any]:
    return list(row.values()) if isinstance(row, Mapping) else row


def _figure(cell: Any) -> str:
    if cell is None:
        return ""
    return (
        f"{cell:.3g}"
        if isinstance(cell, float) and cell < 1
        else f"{cell:.1f}"
        if isinstance(cell, float)
        else str(cell)
    )


def say(console: Console, text: str) -> None:
    """Say one step."""
    console.print(f"[bold green]•[/] {text}", highlight=False)


def _agents(agents: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("rep", "phone", "state", "reason", title="Reps", title_justify="left", min_width=60)
    for agent in agents:
        table.add_row(agent["name"], agent["endpoint"], _coloured(agent["state"]), agent["reason"] or "")
    return table


def _calls(calls: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("number", "state", "placed", title="Calls", title_justify="left", min_width=60)
    for call in calls:
        table.add_row(call["number"], _coloured(call["state"]), str(call["placed_at"])[11:19])
    return table


def _coloured(state: str) -> str:
    colour = STATE_COLOURS.get(state)
    return f"[{colour}]{state}[/]" if colour else state
