"""`cti compliance` and `cti consent`."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
from rich.console import Console
from rich.progress import Progress

from cti.cli.client import ApiClient
from cti.cli.frame import REFUSED, Moment, config_option, one_line_errors, talks
from cti.cli.shown import cell_text, form_options, show
from cti.errors import SettingsError
from cti.settings import load

FINDING: Final = ("subject", "ok", "message", "mend")
CHECK: Final = ("check", "allowed", "detail", "until")
REASON: Final = ("reason", "contacts", "share")
SAMPLE: Final = ("reason", "contact_id", "name", "number", "detail", "until")
CONSENT: Final = ("contact_id", "standing", "at", "source", "evidence", "recorded_by", "recorded_at")


@click.group()
def compliance() -> None:
    """What law and custom allow: profiles, previews, reasons."""


@compliance.command("profiles")
@click.argument("name", required=False)
@form_options
@talks
async def profiles(api: ApiClient, name: str | None, form: str | None) -> None:
    """List the profiles, or show the keys of one by NAME."""
    known = (await api.get("compliance/profiles"))["profiles"]
    if name is None:
        show(known, ("name", "title"), form)
        return
    found = [one for one in known if one["name"] == name]
    if not found:
        there = ", ".join(one["name"] for one in known)
        raise click.ClickException(f"there is no profile {name!r}; there are: {there}")
    rows = [{"key": key, "value": cell_text(value)} for key, value in found[0]["keys"].items()]
    show(rows, ("key", "value"), form)


@compliance.command("check")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@config_option
@one_line_errors
def check(files: tuple[Path, ...], config: Path | None) -> None:
    """Read profiles strictly and tell all that is wrong: FILES or folders, else all that the service would read.

    Needs no service.
    """
    from cti.compliance.profiles import SHIPPED, read_profile  # loads what the other commands do without

    own = None if files else load(config).compliance.profiles
    folders = files or (SHIPPED, *([own] if own else []))
    found = [file for one in folders for file in (sorted(one.glob("*.toml")) if one.is_dir() else [one])]
    wrong = 0
    for file in found:
        try:
            click.echo(f"{file}: good ({read_profile(file).keys.title})")
        except SettingsError as error:
            click.echo(str(error), err=True)
            wrong += 1
    if wrong:
        sys.exit(REFUSED)


@compliance.command("show")
@click.argument("campaign")
@form_options
@talks
async def show_campaign(api: ApiClient, campaign: str, form: str | None) -> None:
    """Show how CAMPAIGN stands to its profile; ends with 1 when something is wrong or less strict."""
    told = await api.get(f"campaigns/{quote(campaign, safe='')}/compliance")
    if form is None:
        click.echo(f"profile {told['profile']}")
    show(told["findings"], FINDING, form)
    if not all(one["ok"] for one in told["findings"]):
        sys.exit(REFUSED)


@compliance.command("preview")
@click.argument("campaign")
@click.option("--at", type=Moment(), help="At this time; else now.")
@click.option("--list", "list_id", type=int, help="Only this list, by id.")
@click.option("--samples", is_flag=True, help="Show a few contacts of each reason.")
@form_options
@talks
async def preview(
    api: ApiClient, campaign: str, at: str | None, list_id: int | None, samples: bool, form: str | None
) -> None:
    """Show how many contacts of CAMPAIGN would not be dialed now, by reason."""
    told = await _whole_preview(api, campaign, at, list_id)
    if form is None:
        for warning in told["warnings"]:
            click.echo(f"warning: {warning['subject']}: {warning['message']}", err=True)
    reasons = {"may be dialed": told["allowed"], **dict(told["refused"].most_common())}
    rows = [
        {"reason": reason, "contacts": count, "share": f"{count / max(1, told['looked_at']):.1%}"}
        for reason, count in reasons.items()
    ]
    if not samples or form is None:
        show(rows, REASON, form)
    if samples:
        few = [{"reason": reason, **one} for reason, some in told["samples"].items() for one in some]
        show(few, SAMPLE, form)


async def _whole_preview(
    api: ApiClient, campaign: str, at: str | None, list_id: int | None
) -> dict[str, Any]:
    """Ask page by page, and add up; all pages are of one moment."""
    path = f"campaigns/{quote(campaign, safe='')}/compliance/preview"
    total: dict[str, Any] = {"looked_at": 0, "allowed": 0, "refused": Counter(), "samples": {}}
    start: str | None = None
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("contacts looked at", total=None)
        while True:
            page = await api.get(path, at=at, list_id=list_id, start=start)
            at = page["at"]
            total["looked_at"] += page["looked_at"]
            total["allowed"] += page["allowed"]
            total["refused"].update(page["refused"])
            for reason, some in page["samples"].items():
                total["samples"].setdefault(reason, some)
            bar.update(task, completed=total["looked_at"], description=f"{total['looked_at']} contacts")
            start = page["next"]
            if start is None:
                return total | {"warnings": page["warnings"]}


@compliance.command("why")
@click.argument("number")
@click.option("--campaign", required=True, help="In which campaign.")
@click.option("--at", type=Moment(), help="At this time; else now.")
@form_options
@talks
async def why(api: ApiClient, number: str, campaign: str, at: str | None, form: str | None) -> None:
    """Show each check's answer for NUMBER in a campaign; ends with 1 when it may not be dialed."""
    told = await api.get(f"campaigns/{quote(campaign, safe='')}/compliance/why", number=number, at=at)
    if form is None:
        may = "may be dialed" if told["allowed"] else "may not be dialed"
        click.echo(f"{told['number']} {may} at {told['at']} (law: {told['law']})")
    show(told["checks"], CHECK, form)
    if not told["allowed"]:
        sys.exit(REFUSED)


@click.group()
def consent() -> None:
    """What people said to being called."""


def _whose(command: Any) -> Any:
    command = click.option("--contact", "contact_id", type=int, help="Of this contact, by id.")(command)
    return click.option("--number", help="Of everybody who has this number.")(command)


@consent.command("record")
@click.argument("standing", type=click.Choice(["given", "withdrawn"]))
@_whose
@click.option("--source", required=True, help="How it reached you: web form, call, letter.")
@click.option("--evidence", help="What proves it: the words, an address, a recording's id.")
@click.option("--at", type=Moment(), help="When it was said; else now.")
@talks
async def record(api: ApiClient, **given: Any) -> None:
    """Write down that consent was GIVEN or WITHDRAWN; nothing is overwritten."""
    body = {key: value for key, value in given.items() if value is not None}
    told = await api.post("consents", body)
    click.echo(f"written down for {len(told['consents'])} contacts")


@consent.command("history")
@_whose
@form_options
@talks
async def history(api: ApiClient, contact_id: int | None, number: str | None, form: str | None) -> None:
    """Show what was said, oldest first."""
    show((await api.get("consents", contact_id=contact_id, number=number))["consents"], CONSENT, form)
