"""`cti callbacks`."""

from datetime import datetime
from typing import Any, Final

import click

from cti.cli.client import ApiClient
from cti.cli.frame import Moment, talks
from cti.cli.shown import form_options, show

COLUMNS: Final = ("id", "here", "there", "zone", "state", "agent", "contact_id", "note")
STATES: Final = ("open", "planned", "due", "done", "missed", "cancelled", "all")


@click.group()
def callbacks() -> None:
    """Callbacks: who is to be called at a time that was agreed."""


@callbacks.command("list")
@click.option("--agent", help="Login.")
@click.option("--campaign", help="Id or name.")
@click.option("--contact", type=click.IntRange(1), help="Id of a contact.")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True)
@click.option("--since", type=Moment(), help="Due from this time on.")
@click.option("--until", type=Moment(), help="Due before this time.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@form_options
@talks
async def list_callbacks(api: ApiClient, form: str | None, **asked: Any) -> None:
    """List callbacks, the soonest first: the time on this machine (here) and the contact's own (there)."""
    found = (await api.get("callbacks", **asked))["callbacks"]
    show([_both_times(one) for one in found], COLUMNS, form)


@callbacks.command("add")
@click.argument("time")
@click.option("--contact", "contact_id", type=click.IntRange(1), help="Id of the contact.")
@click.option("--call", "call_id", help="Id of the call in which it was agreed, instead of --contact.")
@click.option("--campaign", help="Id or name; needed with --contact.")
@click.option("--agent", help="Login: whose it is; without one it is anyone's.")
@click.option("--zone", help="Time zone of TIME, like Europe/Berlin; else the contact's.")
@click.option("--note", default="", help="Some words on it.")
@talks
async def add(api: ApiClient, time: str, **given: Any) -> None:
    """Plan a callback at TIME (2026-12-01T15:30), as the contact's clock shows it."""
    body = {key: value for key, value in given.items() if value is not None} | {"local": time}
    _told(await api.post("callbacks", body))


@callbacks.command("move")
@click.argument("callback", type=click.IntRange(1))
@click.argument("time")
@click.option("--zone", help="Time zone of TIME; else the callback's.")
@talks
async def move(api: ApiClient, callback: int, time: str, zone: str | None) -> None:
    """Move a CALLBACK (its id) to TIME (2026-12-01T15:30), as the contact's clock shows it."""
    body = {"local": time} | ({"zone": zone} if zone else {})
    _told(await api.ask("PATCH", f"callbacks/{callback}", json=body))


@callbacks.command("give")
@click.argument("callback", type=click.IntRange(1))
@click.argument("agent", required=False)
@talks
async def give(api: ApiClient, callback: int, agent: str | None) -> None:
    """Give a CALLBACK (its id) to an AGENT (login); without one to anyone."""
    body = {"agent": agent} if agent else {"anyone": True}
    _told(await api.ask("PATCH", f"callbacks/{callback}", json=body))


@callbacks.command("done")
@click.argument("callback", type=click.IntRange(1))
@talks
async def done(api: ApiClient, callback: int) -> None:
    """Say that a CALLBACK (its id) is settled."""
    _told(await api.ask("PATCH", f"callbacks/{callback}", json={"state": "done"}))


@callbacks.command("cancel")
@click.argument("callback", type=click.IntRange(1))
@talks
async def cancel(api: ApiClient, callback: int) -> None:
    """Cancel a CALLBACK (its id)."""
    _told(await api.ask("PATCH", f"callbacks/{callback}", json={"state": "cancelled"}))


@callbacks.command("show")
@click.argument("callback", type=click.IntRange(1))
@form_options
@talks
async def show_callback(api: ApiClient, callback: int, form: str | None) -> None:
    """Show what happened to a CALLBACK (its id)."""
    told = await api.get(f"callbacks/{callback}")
    if form is None:
        show([_both_times(told)], COLUMNS, None)
    show(told["history"], ("at", "kind", "by", "detail"), form)


def _both_times(one: dict[str, Any]) -> dict[str, Any]:
    here = datetime.fromisoformat(one["due_at"]).astimezone()
    return one | {"here": f"{here:%Y-%m-%d %H:%M}", "there": one["due_local"][:16].replace("T", " ")}


def _told(one: dict[str, Any]) -> None:
    shown = _both_times(one)
    click.echo(
        f"callback {one['id']} is {one['state']}: {shown['there']} {one['zone']} (here {shown['here']})"
    )
    for warning in one["warnings"]:
        click.echo(f"warning: {warning}", err=True)
