"""`cti ledger`, `cti pacing`: how a campaign dials, and whether it keeps its drop limit."""

import sys
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import REFUSED, span_options, talks
from cti.cli.shown import Form, form_options, show

STANDING: Final = (
    "campaign",
    "window",
    "target",
    "rate",
    "dropped",
    "answered_by_person",
    "connected",
    "gone_early",
    "machine",
)
EVIDENCE: Final = ("number", "answered_at", "waiting_at", "dropped_at", "message_played_at", "ended_at", "id")
FLOOR: Final = ("idle", "talking", "wrapping", "in_flight", "waiting", "free_lines")


@click.group()
def ledger() -> None:
    """The drop ledger: where campaigns stand against their limit, and the evidence."""


@ledger.command("show")
@click.argument("campaigns", nargs=-1)
@form_options
@talks
async def show_ledger(api: ApiClient, campaigns: tuple[str, ...], form: str | None) -> None:
    """Show where CAMPAIGNS stand (none named: all). The exit code is 1 when one is over its limit."""
    names = campaigns or tuple(one["name"] for one in (await api.get("campaigns"))["campaigns"])
    rows = []
    for name in names:
        told = await api.get(f"campaigns/{quote(name, safe='')}/ledger")
        rows.append(told | {"campaign": name})
    show(rows, STANDING, form)
    if any(row["rate"] is not None and row["rate"] > row["target"] for row in rows):
        sys.exit(REFUSED)


@ledger.command("evidence")
@click.argument("campaign")
@span_options
@form_options
@talks
async def evidence(
    api: ApiClient, campaign: str, since: str | None, until: str | None, form: str | None
) -> None:
    """Show each dropped call with its times, newest first; --csv brings all of the span with every field."""
    asked = {key: value for key, value in (("since", since), ("until", until)) if value}
    path = f"campaigns/{quote(campaign, safe='')}/ledger/evidence"
    if form == Form.CSV:
        async for line in api.text(path, **asked, format="csv"):
            click.echo(line, nl=False)
        return
    show((await api.get(path, **asked))["calls"], EVIDENCE, form)


@click.command()
@click.argument("campaign")
@span_options
@click.option("--limit", type=int, default=20, show_default=True, help="Most decisions shown.")
@form_options
@talks
async def pacing(
    api: ApiClient, campaign: str, since: str | None, until: str | None, limit: int, form: str | None
) -> None:
    """Show what pacing decided for CAMPAIGN, newest first, with what it saw."""
    asked: dict[str, Any] = {key: value for key, value in (("since", since), ("until", until)) if value}
    told = await api.get(f"campaigns/{quote(campaign, safe='')}/decisions", **asked, limit=limit)
    rows = [_flat(one) for one in told["decisions"]]
    if told["now"] is not None:
        rows = [_flat(told["now"]) | {"at": "now"}, *rows]
    show(rows, ("at", "calls", *FLOOR, "why"), form)


def _flat(decision: dict[str, Any]) -> dict[str, Any]:
    return {**decision["inputs"], "at": decision["at"], "calls": decision["calls"], "why": decision["why"]}
