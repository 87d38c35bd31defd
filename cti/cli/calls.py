"""`cti calls`, `cti disposition`, `cti report`, `cti reconcile`, `cti events`: what happened, and what happens now."""

import json
import sys
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import REFUSED, Moment, span_options, talks
from cti.cli.recordings import call_recording
from cti.cli.shown import Form, cell_text, form_options, show
from cti.model.calls import Outcome
from cti.model.tables import ReportKind

COLUMNS: Final = (
    "placed_at,number,contact,campaign,agent,state,outcome,talk_seconds,disposition,cause,sip_code,id"
)
BY: Final = {
    "agent": ReportKind.CALLS_BY_AGENT,
    "campaign": ReportKind.CALLS_BY_CAMPAIGN,
    "hour": ReportKind.CALLS_BY_HOUR,
    "outcome": ReportKind.CALLS_BY_OUTCOME,
}


@click.command("calls")
@span_options
@click.option("--campaign", help="Id or name.")
@click.option("--agent", help="Login.")
@click.option("--number", help="E.164, or the last digits.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in Outcome]))
@click.option("--disposition", help="The agent's verdict.")
@click.option("--open", is_flag=True, help="Only calls that are up.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Most calls; --csv brings all."
)
@click.option("--columns", default=COLUMNS, show_default=True, help="Fields of the record, or `all`.")
@form_options
@talks
async def list_calls(api: ApiClient, form: str | None, columns: str, limit: int, **asked: Any) -> None:
    """List calls, newest first."""
    wanted: dict[str, Any] = {**asked, "columns": None if columns == "all" else columns}
    if form == Form.CSV:
        async for line in api.text("calls", format="csv", **wanted):
            click.echo(line.removesuffix("\r\n").removesuffix("\n"))
        return
    rows = await _pages(api, wanted, limit)
    show(rows, columns.split(",") if columns != "all" else list(rows[0]) if rows else [], form)


@click.pass_context
def _calls(context: click.Context, /, **given: Any) -> None:
    if context.invoked_subcommand is None:
        context.invoke(list_calls, **given)


calls: Final = click.Group(
    "calls",
    callback=_calls,
    params=list_calls.params,
    help="List calls, newest first; or see to the recording of one.",
    invoke_without_command=True,
)
calls.add_command(call_recording)


async def _pages(api: ApiClient, wanted: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = None
    while len(rows) < limit:
        told = await api.get("calls", **wanted, limit=min(limit - len(rows), 1000), cursor=cursor)
        rows += told["calls"]
        cursor = told["next"]
        if cursor is None:
            break
    return rows


@click.command()
@click.argument("call")
@click.argument("code")
@click.option("--note", default="", help="Some words on it.")
@talks
async def disposition(api: ApiClient, call: str, code: str, note: str) -> None:
    """Say how a CALL (its id) went: CODE is the verdict. Again overwrites."""
    await api.put(f"calls/{quote(call, safe='')}/disposition", {"disposition": code, "note": note})
    click.echo(f"call {call}: {code}")


@click.group()
def report() -> None:
    """Figures: calls, and agents' time."""


@report.command("calls")
@click.option("--by", type=click.Choice(list(BY)), default="agent", show_default=True)
@span_options
@form_options
@talks
async def report_calls(api: ApiClient, by: str, form: str | None, **span: str | None) -> None:
    """Calls by agent, campaign, hour or outcome; by default of the last 24 hours."""
    await _report(api, BY[by], form, span)


@report.command("agents")
@span_options
@form_options
@talks
async def report_agents(api: ApiClient, form: str | None, **span: str | None) -> None:
    """Agents' time by state; by default of the last 24 hours."""
    await _report(api, ReportKind.AGENT_TIME, form, span)


async def _report(api: ApiClient, kind: ReportKind, form: str | None, span: dict[str, str | None]) -> None:
    told = await api.get(f"reports/{kind}", **span)
    show(told["rows"], told["columns"], form, title=told["title"])


@click.command()
@click.option("--since", type=Moment(), help="Calls placed from this time on; by default the last 24 hours.")
@click.option("--json", "as_json", is_flag=True, help="Show JSON.")
@talks
async def reconcile(api: ApiClient, since: str | None, as_json: bool) -> None:
    """Compare our calls with Asterisk's own records; ends with 0 only when they agree."""
    told = await api.post("reconcile", {"since": since} if since else {})
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        if told["differences"]:
            show(told["differences"], ("node", "channel_id", "subject", "ours", "theirs"), None)
        click.echo(f"{told['compared']} channels compared, {len(told['differences'])} differences")
    if not told["ok"]:
        sys.exit(REFUSED)


@click.command()
@click.option(
    "--types", default="*", show_default=True, help="Which: names or patterns, for example call.*,node.lost."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@talks
async def events(api: ApiClient, types: str, as_json: bool) -> None:
    """Show what happens, as it happens, until Ctrl-C."""
    async for event in api.events(types):
        if as_json:
            click.echo(json.dumps(event, ensure_ascii=False))
        elif event["type"] != "hello":
            click.echo(_line(event))


def _line(event: dict[str, Any]) -> str:
    call = event.get("call")
    words = (
        {
            key: call[key]
            for key in ("number", "agent_id", "outcome", "cause", "sip_code", "id")
            if call[key] is not None
        }
        if call
        else {key: value for key, value in event.items() if key not in ("v", "id", "type", "at", "agent")}
    )
    if agent := event.get("agent"):
        words = {"login": agent["login"]} | words
    told = " ".join(f"{key}={cell_text(value)}" for key, value in words.items() if value is not None)
    return f"{event.get('at', '')} {event['type']} {told}".strip()
