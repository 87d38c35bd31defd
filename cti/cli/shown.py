"""How answers are shown: a table on a terminal, plain columns elsewhere, JSON or CSV when asked for."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cti.model.spreadsheet import csv_text

Row = Mapping[str, Any]


class Form(StrEnum):
    """How an answer is wanted."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def form_options(command: Any) -> Any:
    """Add --json and --csv to a command, which gets them as `form`."""
    for form in (Form.JSON, Form.CSV):
        command = click.option(
            f"--{form}", "form", flag_value=form.value, default=None, help=f"Show {form.upper()}."
        )(command)
    return command


def show(rows: Sequence[Row], columns: Sequence[str], form: str | None, *, title: str = "") -> None:
    """Show rows in the form wanted."""
    match form:
        case Form.JSON:
            click.echo(
                json.dumps([{name: row.get(name) for name in columns} for row in rows], ensure_ascii=False)
            )
        case Form.CSV:
            cells = [[row.get(name) for name in columns] for row in rows]
            click.echo(csv_text(columns, cells, end="\n"), nl=False)  # programs in a pipe stumble over CR
        case _ if sys.stdout.isatty():
            Console().print(rich_table(rows, columns, title=title))
        case _:
            click.echo("\n".join(plain_lines(rows, columns)))


def rich_table(rows: Iterable[Row], columns: Sequence[str], *, title: str = "") -> Table:
    """Return a table for a terminal."""
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell_text(row.get(name))) for name in columns))
    return table


def plain_lines(rows: Iterable[Row], columns: Sequence[str]) -> list[str]:
    """Return aligned columns as lines of plain text, the header first."""
    cells = [list(columns), *([cell_text(row.get(name)) for name in columns] for row in rows)]
    widths = [max(cell_len(line[at]) for line in cells) for at in range(len(columns))]
    return [
        "  ".join(
            text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def cell_text(value: Any) -> str:
    """Return a value as one line of text that can do a terminal no harm."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case list():
            return ", ".join(cell_text(part) for part in value) or "-"
        case dict():
            return ", ".join(f"{key} {cell_text(part)}" for key, part in value.items()) or "-"
    text = str(value)
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text
    )
