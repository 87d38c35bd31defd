"""What a run shows: rows on standard output, a JSON line each; all else on standard error."""

import json
import sys
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.rows import Row

_console: Final = Console(stderr=True)


def row(bench: str, figures: Row) -> None:
    """Print a row."""
    print(json.dumps({"bench": bench, **figures}), flush=True)


def step(text: str) -> None:
    """Tell what goes on."""
    style = "dim" if sys.stderr.isatty() else None
    _console.print(text, highlight=False, markup=False, style=style, soft_wrap=True)


def bar() -> Progress:
    """Return a progress bar on standard error; nothing is drawn when that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_console, transient=True, disable=not _console.is_terminal)
