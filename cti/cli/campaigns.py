"""`cti campaign`."""

import asyncio
import json
import sys
from typing import Any, Final
from urllib.parse import quote

import click
from rich.live import Live

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import cell_text, form_options, rich_table, show
from cti.model.contacts import Mode

COLUMNS: Final = (
    "id",
    "name",
    "state",
    "mode",
    "node",
    "trunk",
    "ring_seconds",
    "grace_seconds",
    "max_lines",
)
PROGRESS: Final = ("total", "done", "dialing", "pending", "waiting")
MODES: Final = tuple(mode.value for mode in Mode)
WATCH_SECONDS: Final = 1.0


def _settings(command: Any) -> Any:
    """Add the options that make and change a campaign."""
    for option in reversed(
        (
            click.option("--mode", type=click.Choice(MODES), help="When it dials."),
            click.option("--trunk", help="PJSIP endpoint its calls leave by."),
            click.option("--ring-seconds", type=float, help="How long to let it ring."),
            click.option(
                "--grace-seconds", type=float, help="How long an answered person may wait for an agent."
            ),
            click.option("--message", help="Sound for a person nobody fetched."),
            click.option("--caller-id", help="Number shown, E.164."),
            click.option("--wrap-up-seconds", type=float, help="After this an agent is ready by himself."),
            click.option("--max-lines", type=int, help="Most calls at one time."),
            click.option("--record/--no-record", default=None, help="Record its calls."),
            click.option(
                "--rule",
                "rules",
                multiple=True,
                help="A rule, as SUBJECT.KEY=VALUE (pacing.drop_target=0.02); may be given again. Values are JSON.",
            ),
        )
    ):
        command = option(command)
    return command


def _body(given: dict[str, Any], rules: tuple[str, ...]) -> dict[str, Any]:
    body = {key: value for key, value in given.items() if value is not None}
    tables: dict[str, dict[str, Any]] = {}
    for rule in rules:
        name, equals, value = rule.partition("=")
        subject, dot, key = name.partition(".")
        if not (equals and dot and subject and key):
            raise click.BadParameter(f"{rule!r} is no rule; write SUBJECT.KEY=VALUE", param_hint="--rule")
        tables.setdefault(subject, {})[key] = _value(value)
    return body | ({"rules": tables} if tables else {})


def _value(text: str) -> Any:
    """Read JSON; what is none is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@click.group()
def campaign() -> None:
    """Campaigns and their lists."""


@campaign.command("list")
@form_options
@talks
async def list_campaigns(api: ApiClient, form: str | None) -> None:
    """List all campaigns."""
    show((await api.get("campaigns"))["campaigns"], COLUMNS, form)


@campaign.command("add")
@click.argument("name")
@click.option("--node", help="Asterisk node; needed when there are several.")
@_settings
@talks
async def add_campaign(api: ApiClient, rules: tuple[str, ...], **given: Any) -> None:
    """Make a campaign, stopped. What is not given is taken from the settings."""
    made = await api.post("campaigns", _body(given, rules))
    click.echo(f"campaign {made['name']} is made, id {made['id']}")


@campaign.command("set")
@click.argument("campaign")
@_settings
@talks
async def set_campaign(api: ApiClient, campaign: str, rules: tuple[str, ...], **given: Any) -> None:
    """Change settings and rules of a campaign, also while it dials. What is not given stays."""
    changed = await api.patch(_path(campaign), _body(given, rules))
    click.echo(f"campaign {changed['name']} is changed")


@campaign.command("rules")
@click.argument("campaign")
@form_options
@talks
async def show_rules(api: ApiClient, campaign: str, form: str | None) -> None:
    """Show a campaign's rules."""
    told = await api.get(_path(campaign))
    rows = [
        {"rule": f"{subject}.{key}", "value": json.dumps(value, ensure_ascii=False)}
        for subject, keys in told["rules"].items()
        for key, value in keys.items()
    ]
    show([{"rule": "mode", "value": told["mode"]}, *rows], ("rule", "value"), form)


@campaign.command("start")
@click.argument("campaign")
@talks
async def start(api: ApiClient, campaign: str) -> None:
    """Start dialing."""
    await _move(api, campaign, "start")


@campaign.command("pause")
@click.argument("campaign")
@talks
async def pause(api: ApiClient, campaign: str) -> None:
    """Make no new calls; those that are up go on."""
    await _move(api, campaign, "pause")


@campaign.command("stop")
@click.argument("campaign")
@talks
async def stop(api: ApiClient, campaign: str) -> None:
    """Make no new calls; those that are up go on."""
    await _move(api, campaign, "stop")


@campaign.command("show")
@click.argument("campaign")
@click.option("--watch", is_flag=True, help="Go on showing until it is finished.")
@form_options
@talks
async def show_campaign(api: ApiClient, campaign: str, watch: bool, form: str | None) -> None:
    """Show how far a campaign has come."""
    if watch:
        await _watch(api, campaign)
        return
    told = await api.get(_path(campaign))
    show([_standing(told)], list(_standing(told)), form)


async def _watch(api: ApiClient, campaign: str) -> None:
    """Show the standing each second: in place on a terminal, else a line whenever it changes."""
    told = await api.get(_path(campaign))
    if sys.stdout.isatty():
        with Live(_picture(told), refresh_per_second=4) as live:
            while told["state"] != "finished":
                await asyncio.sleep(WATCH_SECONDS)
                told = await api.get(_path(campaign))
                live.update(_picture(told))
        return
    last = ""
    while True:
        line = " ".join(f"{key}={cell_text(value)}" for key, value in _standing(told).items())
        if line != last:
            click.echo(line)
            last = line
        if told["state"] == "finished":
            return
        await asyncio.sleep(WATCH_SECONDS)
        told = await api.get(_path(campaign))


def _picture(told: dict[str, Any]) -> Any:
    standing = _standing(told)
    return rich_table([standing], list(standing))


def _standing(told: dict[str, Any]) -> dict[str, Any]:
    progress = told["progress"]
    return {
        "name": told["name"],
        "state": told["state"],
        **{key: progress[key] for key in PROGRESS},
        **progress["outcomes"],
    }


async def _move(api: ApiClient, campaign: str, order: str) -> None:
    told = await api.post(f"{_path(campaign)}/{order}")
    for warning in told["warnings"]:
        click.echo(f"warning: {warning['subject']}: {warning['message']}", err=True)
    click.echo(f"campaign {told['name']} is {told['state']}")


def _path(campaign: str) -> str:
    return f"campaigns/{quote(campaign, safe='')}"
