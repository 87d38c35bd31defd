"""`cti callerid` and `cti trunks`."""

from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import Moment, talks
from cti.cli.shown import form_options, show

NUMBER_COLUMNS: Final = (
    "pool",
    "number",
    "areas",
    "weight",
    "calls_hour",
    "calls_day",
    "answer_rate",
    "rests_until",
    "rest_reason",
    "retired",
)
TRUNK_COLUMNS: Final = (
    "node",
    "endpoint",
    "in_use",
    "channels",
    "calls_per_second",
    "priority",
    "breaker",
    "failed",
    "judged",
    "tries_again_at",
)
LONG: Final = "9999-12-31T00:00:00Z"
"""A rest without an end."""


def _limits(command: Any) -> Any:
    for name, kind, meaning in (
        ("--per-day", int, "Most calls in any 24 hours."),
        ("--per-hour", int, "Most calls in any 60 minutes."),
    ):
        command = click.option(name, type=kind, help=meaning)(command)
    return command


@click.group()
def callerid() -> None:
    """Numbers that are shown to those who are called, in pools."""


@callerid.command("list")
@click.argument("pool", required=False)
@form_options
@talks
async def list_numbers(api: ApiClient, pool: str | None, form: str | None) -> None:
    """List all numbers, or those of one POOL, with their use."""
    pools = (await api.get("caller-pools"))["pools"] if pool is None else [await api.get(_path(pool))]
    rows = [{"pool": one["name"], **number} for one in pools for number in one["numbers"]]
    show(rows, NUMBER_COLUMNS, form)


@callerid.command("add")
@click.argument("pool")
@click.argument("numbers", nargs=-1, required=True)
@_limits
@click.option("--failures", type=int, help="Refused calls in a row after which a number rests.")
@click.option("--rest-seconds", type=float, help="How long a number rests.")
@talks
async def add_pool(api: ApiClient, pool: str, numbers: tuple[str, ...], **given: Any) -> None:
    """Make a POOL of NUMBERS (E.164). The limits hold for each of them that has none of its own."""
    body = {"name": pool, "numbers": [{"number": number} for number in numbers], **_given(given)}
    made = await api.post("caller-pools", body)
    click.echo(f"pool {made['name']} is made, with {len(made['numbers'])} numbers")


@callerid.command("set")
@click.argument("pool")
@click.argument("number")
@click.option("--area", "areas", multiple=True, help="Prefix it is local to (+8610); may be repeated.")
@click.option("--weight", type=float, help="Its share among equally near numbers.")
@_limits
@click.option("--retired/--not-retired", default=None, help="Never shown again, or shown again.")
@talks
async def set_number(api: ApiClient, pool: str, number: str, areas: tuple[str, ...], **given: Any) -> None:
    """Add a NUMBER to a POOL, or change it."""
    fields = _given(given) | ({"areas": list(areas)} if areas else {})
    await _change(api, pool, number, fields)
    click.echo(f"{number} of {pool} is set")


@callerid.command("rest")
@click.argument("pool")
@click.argument("number")
@click.option("--until", type=Moment(), default=LONG, help="Until this time; else until it is woken.")
@click.option("--reason", help="Why.")
@talks
async def rest(api: ApiClient, pool: str, number: str, until: str, reason: str | None) -> None:
    """Show a NUMBER no more for a while."""
    await _change(api, pool, number, {"rests_until": until, **_given({"rest_reason": reason})})
    click.echo(f"{number} of {pool} rests")


@callerid.command("wake")
@click.argument("pool")
@click.argument("number")
@talks
async def wake(api: ApiClient, pool: str, number: str) -> None:
    """Show a NUMBER again; how it does is judged anew."""
    await _change(api, pool, number, {"rests_until": None})
    click.echo(f"{number} of {pool} may be shown")


@click.command()
@form_options
@talks
async def trunks(api: ApiClient, form: str | None) -> None:
    """Show the trunks: lines in use, limits, and whether calls may leave by them."""
    show((await api.get("trunks"))["trunks"], TRUNK_COLUMNS, form)


async def _change(api: ApiClient, pool: str, number: str, fields: dict[str, Any]) -> None:
    await api.ask("PATCH", _path(pool), json={"numbers": [{"number": number, **fields}]})


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _path(pool: str) -> str:
    return f"caller-pools/{quote(pool, safe='')}"
