"""`cti dnc`: the do-not-call list and registers."""

import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import REFUSED, Moment, talks
from cti.cli.shown import form_options, show
from cti.cli.upload_bar import with_bar

ENTRY: Final = ("number", "campaign_id", "reason", "until", "added_by", "added_at")
REGISTER: Final = ("name", "as_of", "numbers", "refused", "source", "imported_by", "imported_at")
LISTED: Final = ("number", "where", "reason", "until")
STEP: Final = ("at", "change", "by", "campaign_id", "reason", "until")
REFUSED_SHOWN: Final = 20
PAGE: Final = 1000

campaign_option: Final = click.option("--campaign", help="Of this campaign alone; else of every one.")


@click.group()
def dnc() -> None:
    """Who must not be called: the do-not-call list and registers."""


@dnc.command("add")
@click.argument("numbers", nargs=-1, required=True)
@campaign_option
@click.option("--reason", help="Why, for the history.")
@click.option("--until", type=Moment(), help="Until then; else for good.")
@talks
async def add(api: ApiClient, numbers: tuple[str, ...], **given: Any) -> None:
    """List NUMBERS; a beginning is written with a star, "+4930*"."""
    body = {key: value for key, value in given.items() if value is not None}
    told = await api.post("do-not-call", {"numbers": list(numbers), **body})
    click.echo(f"{told['added']} listed, {told['changed']} changed")


@dnc.command("remove")
@click.argument("number")
@campaign_option
@click.option("--reason", required=True, help="Why, for the history.")
@talks
async def remove(api: ApiClient, number: str, campaign: str | None, reason: str) -> None:
    """Take NUMBER out of the do-not-call list; the history stays."""
    body = {"number": number, "reason": reason} | ({"campaign": campaign} if campaign else {})
    click.echo(f"{(await api.post('do-not-call/remove', body))['removed']} is taken out")


@dnc.command("list")
@click.argument("beginning", default="")
@campaign_option
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most entries shown.")
@form_options
@talks
async def list_entries(
    api: ApiClient, beginning: str, campaign: str | None, limit: int, form: str | None
) -> None:
    """Show the entries of the do-not-call list whose numbers begin with BEGINNING."""
    entries: list[dict[str, Any]] = []
    while len(entries) < limit:
        size = min(PAGE, limit - len(entries))
        last = entries[-1] if entries else {}
        page = await api.get(
            "do-not-call",
            beginning=beginning,
            campaign=campaign,
            limit=size,
            after_key=last.get("number"),
            after_campaign=(last.get("campaign_id") or 0) if last else None,
        )
        entries += page["entries"]
        if len(page["entries"]) < size:
            break
    show(entries, ENTRY, form)


@dnc.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--register", help="Import as this register, in place of the one of its name.")
@click.option("--as-of", help="Date that the register is of, 2026-11-01; else today.")
@click.option(
    "--may-shrink", is_flag=True, help="Take a register of less than half the numbers of the old one."
)
@campaign_option
@click.option("--reason", help="Why, for the history.")
@click.option("--until", type=Moment(), help="Until then; else for good.")
@talks
async def import_numbers(
    api: ApiClient,
    file: Path,
    register: str | None,
    as_of: str | None,
    may_shrink: bool,
    campaign: str | None,
    reason: str | None,
    until: str | None,
) -> None:
    """Import a FILE of numbers, one a line: into the do-not-call list, or as a register."""
    _must_fit(register, {"--campaign": campaign, "--reason": reason, "--until": until}, as_of, may_shrink)
    chunks = with_bar(file, file.stat().st_size)  # noqa: ASYNC240 (nothing else runs in this process)
    if register:
        path, query = (
            "registers",
            {"name": register, "source": file.name, "as_of": as_of, "may_shrink": may_shrink},
        )
    else:
        path, query = "import", {"campaign": campaign, "reason": reason, "until": until}
    told = await api.upload(f"do-not-call/{path}", chunks, **query)
    if told["refused"]:
        show(told["refused"][:REFUSED_SHOWN], ("line", "reason"), None)
    old = told.get("replaced")
    instead = f"; {old['numbers']} of {old['as_of']} are replaced" if old else ""
    click.echo(f"{told['taken']} numbers taken, {told['refused_count']} lines refused{instead}")


@dnc.command("registers")
@form_options
@talks
async def registers(api: ApiClient, form: str | None) -> None:
    """Show the registers that count."""
    show((await api.get("do-not-call/registers"))["registers"], REGISTER, form)


@dnc.command("end-register")
@click.argument("name")
@talks
async def end_register(api: ApiClient, name: str) -> None:
    """Let the register NAME count no more."""
    await api.ask("DELETE", f"do-not-call/registers/{quote(name, safe='')}")
    click.echo(f"the register {name} counts no more")


@dnc.command("check")
@click.argument("number")
@campaign_option
@click.option("--history", is_flag=True, help="Show what was done to its entry, too.")
@form_options
@talks
async def check(api: ApiClient, number: str, campaign: str | None, history: bool, form: str | None) -> None:
    """Show all that NUMBER falls under; ends with 1 when there is something."""
    told = await api.get("do-not-call/check", number=number, campaign=campaign)
    if told["listed"] or form:
        show(told["listed"], LISTED, form)
    else:
        click.echo(f"{told['number']} is not listed")
    if history:
        show(told["history"], STEP, form)
    if told["listed"]:
        sys.exit(REFUSED)


def _must_fit(register: str | None, own: dict[str, str | None], as_of: str | None, may_shrink: bool) -> None:
    wrong = [name for name, value in own.items() if value is not None] if register else []
    if not register:
        wrong = (["--as-of"] if as_of else []) + (["--may-shrink"] if may_shrink else [])
    if wrong:
        kind = "with" if register else "without"
        raise click.UsageError(f"{wrong[0]} means nothing {kind} --register")
