"""`cti webhook`: who is told events, and what became of them."""

from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import Moment, span_options, talks
from cti.cli.shown import form_options, show
from cti.errors import BadInput
from cti.model.webhooks import DeliveryState

COLUMNS: Final = (
    "name",
    "url",
    "events",
    "campaign_ids",
    "state",
    "failing_since",
    "failures",
    "state_reason",
)
DELIVERY_COLUMNS: Final = (
    *("at", "type", "event_id", "state", "attempts", "status", "milliseconds", "tried_at", "error"),
)
STATES: Final = [state.value for state in DeliveryState]


@click.group()
def webhook() -> None:
    """Other programs that are told events over HTTP (Standard Webhooks)."""


@webhook.command("list")
@form_options
@talks
async def list_webhooks(api: ApiClient, form: str | None) -> None:
    """List all webhooks, and whether they are on."""
    show((await api.get("webhooks"))["webhooks"], COLUMNS, form)


@webhook.command("add")
@click.argument("name")
@click.argument("address")
@click.option("--event", "events", multiple=True, required=True, help="An event or a pattern (call.*).")
@click.option("--campaign", "campaigns", multiple=True, help="Only of this campaign; may be repeated.")
@talks
async def add(
    api: ApiClient, name: str, address: str, events: tuple[str, ...], campaigns: tuple[str, ...]
) -> None:
    """Tell ADDRESS (a URL) of events from now on. Shows the secret that signs them, once."""
    body = {"name": name, "url": address, "events": list(events), "campaigns": list(campaigns)}
    made = await api.post("webhooks", body)
    click.echo(f"webhook {made['name']} is made; its secret, which is not shown again:\n{made['secret']}")


@webhook.command("set")
@click.argument("name")
@click.option("--address", help="Another URL.")
@click.option("--event", "events", multiple=True, help="An event or a pattern, in place of all before.")
@click.option("--campaign", "campaigns", multiple=True, help="A campaign, in place of all before.")
@click.option("--all-campaigns", is_flag=True, help="Of all campaigns again.")
@click.option("--on/--off", "on", default=None, help="Switch it.")
@talks
async def change(
    api: ApiClient,
    name: str,
    address: str | None,
    events: tuple[str, ...],
    campaigns: tuple[str, ...],
    all_campaigns: bool,
    on: bool | None,
) -> None:
    """Change a webhook, or switch it on or off."""
    given: dict[str, Any] = {
        "url": address,
        "events": list(events) or None,
        "campaigns": [] if all_campaigns else list(campaigns) or None,
        "on": on,
    }
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise BadInput("nothing is to be changed; see --help")
    after = await api.patch(_path(name), body)
    click.echo(f"webhook {after['name']} is set, and {after['state']}")


@webhook.command("rotate")
@click.argument("name")
@talks
async def rotate(api: ApiClient, name: str) -> None:
    """Give it a new secret. The old one signs, too, for a while, so that the receiver has time."""
    after = await api.post(f"{_path(name)}/secret")
    click.echo(
        f"the old secret signs, too, until {after['old_secret_until']}; the new one:\n{after['secret']}"
    )


@webhook.command("test")
@click.argument("name")
@talks
async def test(api: ApiClient, name: str) -> None:
    """Send it one event `webhook.test` now."""
    answer = await api.post(f"{_path(name)}/test")
    if not answer["accepted"]:
        raise BadInput(f"{name} did not take it: {answer['problem']}")
    click.echo(f"{name} took it, with status {answer['status']}")


@webhook.command("remove")
@click.argument("name")
@talks
async def remove(api: ApiClient, name: str) -> None:
    """Remove it, and the log of its deliveries."""
    await api.ask("DELETE", _path(name))
    click.echo(f"webhook {name} is removed")


@webhook.command("deliveries")
@click.argument("name")
@span_options
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--type", "kind", help="Only of this event.")
@click.option("--limit", type=int, default=100, show_default=True)
@form_options
@talks
async def deliveries(
    api: ApiClient,
    name: str,
    since: str | None,
    until: str | None,
    state: str | None,
    kind: str | None,
    limit: int,
    form: str | None,
) -> None:
    """Show what became of events, the newest first."""
    found = await api.get(
        f"{_path(name)}/deliveries", since=since, until=until, state=state, type=kind, limit=limit
    )
    show(found["deliveries"], DELIVERY_COLUMNS, form)


@webhook.command("replay")
@click.argument("name")
@click.argument("event_id", required=False)
@click.option("--since", type=Moment(), help="From this time on (2026-11-23, today, 2h).")
@click.option("--until", type=Moment(), help="Before this time.")
@click.option("--state", type=click.Choice(STATES), help="Only these; else those that failed or were held.")
@click.option("--type", "kind", help="Only of this event.")
@talks
async def replay(
    api: ApiClient,
    name: str,
    event_id: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
    kind: str | None,
) -> None:
    """Send one event (EVENT_ID) again, or those of a span (--since)."""
    if (event_id is None) == (since is None):
        raise BadInput("give either an event's id or --since")
    if event_id is not None:
        answer = await api.post(f"{_path(name)}/deliveries/{quote(event_id, safe='')}/replay")
    else:
        span = {"since": since, "until": until, "state": state, "type": kind}
        body = {key: value for key, value in span.items() if value is not None}
        answer = await api.post(f"{_path(name)}/replay", body)
    click.echo(f"{answer['replayed']} events are sent to {name} again")


def _path(name: str) -> str:
    return f"webhooks/{quote(name, safe='')}"
