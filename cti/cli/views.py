"""`cti views`."""

from typing import Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.contacts import condition_from, condition_options
from cti.cli.frame import talks
from cti.cli.shown import form_options, show

COLUMNS: Final = ("id", "name", "about", "count", "owner", "shared", "sort")
CONTACT_COLUMNS: Final = (
    "id",
    "name",
    "number",
    "owner",
    "stage",
    "tags",
    "last_talk_at",
    "next_follow_up_at",
)
CALL_COLUMNS: Final = ("placed_at", "number", "contact", "agent", "outcome", "disposition", "id")


@click.group()
def views() -> None:
    """Saved views: conditions with a name."""


@views.command("list")
@form_options
@talks
async def list_views(api: ApiClient, form: str | None) -> None:
    """List the views, with how many there are of each."""
    show((await api.get("views"))["views"], COLUMNS, form)


@views.command("show")
@click.argument("view")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Most rows.")
@form_options
@talks
async def show_view(api: ApiClient, view: str, limit: int, form: str | None) -> None:
    """Show what a VIEW (its id) finds."""
    told = await api.get(f"views/{quote(view, safe='')}/rows", limit=limit)
    if "calls" in told:
        show(told["calls"], CALL_COLUMNS, form)
        return
    numbered = [row | {"number": next((n["e164"] for n in row["numbers"]), None)} for row in told["contacts"]]
    show(numbered, CONTACT_COLUMNS, form)


@views.command("add")
@click.argument("name")
@condition_options
@click.option("--calls", is_flag=True, help="Over calls; else over contacts.")
@click.option("--sort", default="-id", show_default=True, help="Order of contacts.")
@click.option("--shared", is_flag=True, help="For everybody.")
@talks
async def add(
    api: ApiClient,
    name: str,
    where: tuple[str, ...],
    condition: str | None,
    zone: str | None,
    calls: bool,
    sort: str,
    shared: bool,
) -> None:
    """Keep a view under a NAME."""
    about = "calls" if calls else "contacts"
    body = {"name": name, "about": about, "sort": sort, "shared": shared}
    made = await api.post("views", body | {"condition": condition_from(where, condition)})
    click.echo(f"view {made['name']} is kept, id {made['id']}")


@views.command("remove")
@click.argument("view")
@talks
async def remove(api: ApiClient, view: str) -> None:
    """Remove a VIEW (its id)."""
    await api.ask("DELETE", f"views/{quote(view, safe='')}")
    click.echo(f"view {view} is removed")
