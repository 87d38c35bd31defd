"""`cti campaign import` and `cti import`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cti.cli.campaigns import campaign
from cti.cli.client import ApiClient, Refused, file_chunks
from cti.cli.frame import REFUSED, talks
from cti.cli.shown import form_options, show

REFUSED_SHOWN: Final = 50
LOOK_SECONDS: Final = 0.2
SENT_SHARE: Final = 10.0
"""Percent of the bar that sending the file takes; the rest is the service's work."""
UNFINISHED: Final = frozenset({"waiting", "reading", "writing", "undoing"})
COLUMNS: Final = (
    "id",
    "name",
    "source",
    "state",
    "added",
    "merged",
    "replaced",
    "refused_count",
    "by",
    "created_at",
)
FACTS: Final = (
    *("id", "name", "source", "state", "error", "by", "encoding", "columns", "rule", "scope"),
    *("added", "merged", "replaced", "joined", "refused_count", "refused_by_code", "undo"),
)


@campaign.command("import")
@click.argument("campaign")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the list; else the file's name.")
@click.option(
    "--region", help="Country of numbers written without one, for example CN; else from the settings."
)
@click.option(
    "--map", "mapping", multiple=True, metavar="HEADER=MEANING", help="What a column means; repeat for more."
)
@click.option(
    "--rule", type=click.Choice(["skip", "merge", "replace"]), help="What to do with known contacts."
)
@click.option(
    "--scope", type=click.Choice(["file", "campaign", "everywhere"]), help="Where they are looked for."
)
@click.option("--key", type=click.Choice(["number", "crm_ref"]), help="By what they are known.")
@click.option("--priority", type=int, help="Of the list; the higher is dialed first.")
@click.option("--format", "file_format", type=click.Choice(["csv", "xlsx"]), help="Else found out.")
@click.option("--encoding", help="Of a text file; else found out.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would be.")
@talks
async def import_list(
    api: ApiClient, campaign: str, file: Path, name: str | None, mapping: tuple[str, ...], **given: Any
) -> None:
    """Import a CSV or XLSX FILE as a list of the campaign; refused rows are shown."""
    query = {key: value for key, value in given.items() if value is not None and value is not False}
    query["format"] = query.pop("file_format", None)
    with _bar(file.name) as bar:
        task = bar.add_task("import", total=100.0)
        begun = await api.upload(
            f"campaigns/{quote(campaign, safe='')}/lists",
            _sent(file, bar, task),
            name=name or file.stem,
            source=file.name,
            mapping=json.dumps(_mapping(mapping), ensure_ascii=False),
            wait=False,
            **query,
        )
        told = await _to_its_end(api, begun["id"], bar, task)
    _show_result(told)
    if not told["taken"]:
        sys.exit(REFUSED)


@click.group("import")
def imports() -> None:
    """Imports of lists: how far they are, what they did; undo one."""


@imports.command("list")
@click.option("--campaign", help="Only this campaign's.")
@click.option("--limit", type=int, default=50, help="At most so many.")
@form_options
@talks
async def list_imports(api: ApiClient, campaign: str | None, limit: int, form: str | None) -> None:
    """List imports, newest first."""
    show((await api.get("imports", campaign=campaign, limit=limit))["imports"], COLUMNS, form)


@imports.command("show")
@click.argument("import_id", type=int)
@click.option("--refused", is_flag=True, help="List the refused rows instead, all that are kept.")
@form_options
@talks
async def show_import(api: ApiClient, import_id: int, refused: bool, form: str | None) -> None:
    """Show one import: its counts and what became of it."""
    if refused:
        show(await _all_refused(api, import_id), ("line", "code", "reason"), form)
        return
    told = await api.get(f"imports/{import_id}", limit=0)
    told |= told["progress"]
    show([told], (*FACTS, "percent"), form)


@imports.command("undo")
@click.argument("import_id", type=int)
@talks
async def undo_import(api: ApiClient, import_id: int) -> None:
    """Undo an import. What was dialed or changed meanwhile stays, and is counted."""
    told = (await api.ask("POST", f"imports/{import_id}/undo", json={}, timeout=None))["undo"]
    click.echo(
        f"import {import_id} is undone: {told['contacts_removed']} contacts and {told['entries_removed']} entries"
        f" removed, {told['restored']} contacts put back; kept because they are in use:"
        f" {told['contacts_kept']} contacts, {told['entries_kept']} entries;"
        f" left because they were changed since: {told['left']}"
    )


async def _to_its_end(api: ApiClient, import_id: int, bar: Progress, task: TaskID) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = await api.get(f"imports/{import_id}", limit=REFUSED_SHOWN)
        percent = told["progress"]["percent"] or 0.0
        bar.update(task, completed=SENT_SHARE + (100 - SENT_SHARE) * percent / 100)
        if told["state"] == "failed":
            raise Refused(told["error"])
        if told["state"] not in UNFINISHED:
            return told
        await asyncio.sleep(LOOK_SECONDS)


def _show_result(told: dict[str, Any]) -> None:
    if told["samples"]:
        columns = ("line", "name", "numbers", "fields")
        show(
            [one | {"numbers": [n["e164"] for n in one["numbers"]]} for one in told["samples"]], columns, None
        )
    if told["refused"]:
        show(told["refused"], ("line", "code", "reason"), None)
    hidden = told["refused_count"] - len(told["refused"])
    more = f" ({hidden} of them not shown)" if hidden > 0 else ""
    changed = "".join(f", {told[what]} {what}" for what in ("merged", "replaced") if told[what])
    would = "would be taken" if told["dry_run"] else "taken"
    click.echo(
        f"{told['taken']} contacts {would}{changed}, {told['refused_count']} rows refused{more}"
        f" (import {told['id']}, {told['encoding']})"
    )


async def _all_refused(api: ApiClient, import_id: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        told = await api.get(f"imports/{import_id}", after=after, limit=1000)
        rows += told["refused"]
        after = told["next"]
    return rows


def _mapping(given: tuple[str, ...]) -> dict[str, str]:
    mapping = {}
    for one in given:
        header, sign, meaning = one.rpartition("=")
        if not sign:
            raise click.BadParameter(f"{one!r} is not HEADER=MEANING", param_hint="--map")
        mapping[header] = meaning
    return mapping


def _bar(name: str) -> Progress:
    return Progress(
        TextColumn(name.replace("[", "\\[")),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


async def _sent(file: Path, bar: Progress, task: TaskID) -> AsyncIterator[bytes]:
    size = max(file.stat().st_size, 1)  # noqa: ASYNC240 (nothing else runs in this process)
    async for chunk in file_chunks(file):
        yield chunk
        bar.advance(task, SENT_SHARE * len(chunk) / size)
