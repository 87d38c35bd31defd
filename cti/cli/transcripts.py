"""`cti search`, `cti transcripts`: what was said."""

import sys
from pathlib import Path
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cti.cli.client import ApiClient
from cti.cli.frame import span_options, talks
from cti.cli.shown import Form, cell_text, form_options, show
from cti.errors import BadInput
from cti.model.searches import SearchOrder, SearchScope
from cti.model.transcripts import Speaker
from cti.search.exports import ExportForm, minutes
from cti.search.query import parse

COLUMNS: Final = ("call", "placed_at", "agent", "speaker", "at", "text")
RECORD: Final = (
    "call_id",
    "version",
    "placed_at",
    "campaign",
    "agent",
    "list_id",
    "disposition",
    "speaker",
    "start",
    "end",
    "at",
    "text",
    "marks",
    "confidence",
)
VERSION_COLUMNS: Final = ("version", "engine", "model", "language", "seconds", "made_at", "problem")
_PAGE: Final = 200


@click.command()
@click.argument("query")
@click.option("--speaker", type=click.Choice([one.value for one in Speaker]), help="Whose voice.")
@span_options
@click.option("--agent", help="Login: calls he was on.")
@click.option("--campaign", help="Id or name.")
@click.option("--list", "list_id", type=click.IntRange(1), help="Id of a list.")
@click.option("--call", help="Id of one call.")
@click.option("--disposition", help="The agent's verdict.")
@click.option("--rule", help="Calls that a keyword rule flagged.")
@click.option("--min-score", type=float, help="Calls whose score is at least this.")
@click.option("--max-score", type=float)
@click.option("--min-seconds", type=click.FloatRange(0), help="Recordings at least so long.")
@click.option("--max-seconds", type=click.FloatRange(0))
@click.option("--min-confidence", type=click.FloatRange(0, 1), help="How sure the engine was, 0 to 1.")
@click.option(
    "--scope",
    type=click.Choice([one.value for one in SearchScope]),
    default=SearchScope.SEGMENT.value,
    show_default=True,
    help="All words in one utterance, or anywhere in one call.",
)
@click.option(
    "--order",
    type=click.Choice([one.value for one in SearchOrder]),
    default=SearchOrder.NEWEST.value,
    show_default=True,
)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most hits.")
@form_options
@talks
async def search(
    api: ApiClient, form: str | None, query: str, limit: int, list_id: int | None, **asked: Any
) -> None:
    """Find utterances: words, "phrases", prefix*, AND, OR, NOT, NEAR/5, parentheses. Newest first.

    What was found is marked: *so* where it cannot be shown by colour.
    """
    parse(
        query, per_call=asked["scope"] == SearchScope.CALL
    )  # what cannot be read is said without the service
    hits = await _pages(api, {"q": query, "list": list_id, **asked}, limit)
    if form is not None:
        columns = [name for name in RECORD if name != "marks"] if form == Form.CSV else list(RECORD)
        show(hits, columns, form)
    elif sys.stdout.isatty():
        Console().print(_table(hits))
    else:
        show([_row(hit) for hit in hits], COLUMNS, None)


async def _pages(api: ApiClient, asked: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = []
    cursor = None
    while len(hits) < limit:
        told = await api.get("search", **asked, limit=min(limit - len(hits), _PAGE), cursor=cursor)
        hits += told["hits"]
        cursor = told["next"]
        if cursor is None:
            break
    return hits


def _row(hit: dict[str, Any]) -> dict[str, Any]:
    text = hit["text"]
    for start, end in reversed(hit["marks"]):
        text = f"{text[:start]}*{text[start:end]}*{text[end:]}"
    return {**hit, "call": hit["call_id"], "at": minutes(hit["at"]), "text": text}


def _table(hits: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in COLUMNS:
        table.add_column(name, overflow="fold")
    for hit in hits:
        said = Text(cell_text(hit["text"]))  # one letter for each letter: the marks stay where they are
        for start, end in hit["marks"]:
            said.stylize("bold reverse", start, end)
        row = _row(hit)
        table.add_row(*(Text(cell_text(row[name])) for name in COLUMNS[:-1]), said)
    return table


@click.group()
def transcripts() -> None:
    """What was said in a call."""


@transcripts.command("show")
@click.argument("call_id")
@click.option("--version", type=click.IntRange(1), help="Else the newest.")
@talks
async def show_transcript(api: ApiClient, call_id: str, version: int | None) -> None:
    """Show the conversation, a line for each utterance."""
    async for line in api.text(_path(call_id), format=ExportForm.TEXT.value, version=version):
        click.echo(cell_text(line.rstrip("\n")))


@transcripts.command("versions")
@click.argument("call_id")
@form_options
@talks
async def show_versions(api: ApiClient, call_id: str, form: str | None) -> None:
    """List the versions of a call's transcript, newest first."""
    told = await api.get(f"calls/{_checked(call_id)}/transcripts")
    show(told["versions"], VERSION_COLUMNS, form)


@transcripts.command()
@click.argument("call_id")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in ExportForm]),
    default=ExportForm.TEXT.value,
    show_default=True,
)
@click.option("--version", type=click.IntRange(1), help="Else the newest.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File; else printed.")
@talks
async def export(api: ApiClient, call_id: str, form: str, version: int | None, output: Path | None) -> None:
    """Write a transcript as text, subtitles (srt, vtt) or JSON."""
    written = "".join([line async for line in api.text(_path(call_id), format=form, version=version)])
    if output is None:
        click.echo(written, nl=not written.endswith("\n"))
        return
    _write(output, written)


def _write(output: Path, written: str) -> None:
    try:
        output.write_text(written, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--output {output}: {error.strerror}") from None


def _path(call_id: str) -> str:
    return f"calls/{_checked(call_id)}/transcript"


def _checked(call_id: str) -> str:
    if not call_id.isalnum():
        raise BadInput(f"{call_id!r} is no id of a call; `cti calls` shows them")
    return call_id
