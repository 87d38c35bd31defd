"""`cti why`."""

import json
from typing import Any, Final

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import cell_text, show

ENTRIES: Final = ("name", "campaign_id", "state", "words", "until", "tries", "zone", "entry_id")
HISTORY: Final = ("at", "kind", "reason", "words", "campaign_id", "call_id")
GROUPS: Final = ("state", "reason", "entries", "words", "until", "for_example")


@click.command()
@click.argument("number", required=False)
@click.option("--contact", type=click.IntRange(1), help="Id of a contact, instead of a NUMBER.")
@click.option("--campaign", help="Id or name: why its contacts are not dialed, by reason.")
@click.option("--json", "as_json", is_flag=True, help="Show JSON.")
@talks
async def why(
    api: ApiClient, number: str | None, contact: int | None, campaign: str | None, as_json: bool
) -> None:
    """Say why a NUMBER (E.164) is dialed or not, or why a campaign's contacts are not."""
    if sum(one is not None for one in (number, contact, campaign)) != 1:
        raise click.UsageError("name exactly one: a NUMBER, --contact, or --campaign")
    told = await api.get("why", number=number, contact=contact, campaign=campaign)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    elif campaign is not None:
        _campaign(told)
    else:
        show(told["entries"], ENTRIES, None)
        if told["history"]:
            click.echo()
            show(told["history"], HISTORY, None)


def _campaign(told: dict[str, Any]) -> None:
    rows = [
        group | {"for_example": ", ".join(one["number"] for one in group["samples"])}
        for group in told["groups"]
    ]
    show(rows, GROUPS, None)
    if told["next_at"]:
        click.echo(f"something changes by itself at {told['next_at']}")
    if told["pacing"]:
        click.echo(f"pacing: {cell_text(told['pacing']['why'])}")
