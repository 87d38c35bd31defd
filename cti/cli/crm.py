"""`cti crm`: CRMs that calls are written to."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click

from cti.cli.client import ApiClient
from cti.cli.crm_runs import reconcile, reconciliations
from cti.cli.frame import config_option, talks
from cti.cli.shown import form_options, show

STATUS: Final = (
    "target",
    "adapter",
    "state",
    "reason",
    "until",
    "waiting",
    "oldest_waiting_seconds",
    "under_way",
    "dead",
    "written",
    "unsure",
    "deleted",
    "requests_today",
    "reconciled",
)
DEAD: Final = ("id", "target", "what", "call_id", "callback_id", "contact_id", "runs", "error")
PULL: Final = (
    "pull",
    "target",
    "source",
    "campaign",
    "page_at",
    "more",
    "next",
    "records",
    "problems",
    "counts",
    "error",
)
PROBLEM: Final = ("ref", "name", "reason", "refused", "contact_id", "at")
LINK: Final = ("target", "remote", "writes", "pushed_at", "unsure", "deleted_at")

target_option: Final = click.option("--target", help="Of this CRM alone; else of every one.")


@click.group()
def crm() -> None:
    """CRMs that calls are written to and lists are pulled from."""


crm.add_command(reconcile)
crm.add_command(reconciliations)


@crm.command("status")
@form_options
@talks
async def status(api: ApiClient, form: str | None) -> None:
    """Show how each CRM stands, and how many calls wait for it."""
    told = await api.get("crm")
    shown = [one | {"reconciled": _said(one["reconciled"])} for one in told["targets"]]
    show(told["targets"] if form == "json" else shown, STATUS, form)
    if told["process"] is False:
        click.echo("the process that writes to CRMs does not run; see the service's log", err=True)


@crm.command("dead")
@target_option
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Most shown.")
@form_options
@talks
async def dead(api: ApiClient, target: str | None, limit: int, form: str | None) -> None:
    """List calls that are not written any more, with what the CRM said, newest first."""
    show((await api.get("crm/dead", target=target, limit=limit))["dead"], DEAD, form)


@crm.command("replay")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@target_option
@talks
async def replay(api: ApiClient, number: int | None, everything: bool, target: str | None) -> None:
    """Have the dead letter NUMBER tried again, or --all."""
    if (number is None) is not everything:
        raise click.UsageError("give a NUMBER or --all")
    if number is not None:
        await api.post(f"crm/dead/{number}/replay")
        click.echo(f"{number} is tried again")
        return
    told = await api.post("crm/dead/replay", {"target": target} if target else {})
    click.echo(f"{told['replayed']} are tried again")


@crm.command("discard")
@click.argument("number", type=click.IntRange(1))
@talks
async def discard(api: ApiClient, number: int) -> None:
    """Give the dead letter NUMBER up for good."""
    await api.post(f"crm/dead/{number}/discard")
    click.echo(f"{number} is given up")


@crm.command("push")
@click.argument("call_id")
@target_option
@talks
async def push(api: ApiClient, call_id: str, target: str | None) -> None:
    """Have a call written again, even where nothing changed."""
    told = await api.post(f"crm/calls/{call_id}/push", {"target": target} if target else {})
    click.echo(f"{call_id} is written to {', '.join(told['targets']) or 'none: no CRM is configured'}")


@crm.command("links")
@click.argument("call_id")
@form_options
@talks
async def links(api: ApiClient, call_id: str, form: str | None) -> None:
    """Show what stands for a call in each CRM."""
    rows: list[dict[str, Any]] = (await api.get(f"crm/calls/{call_id}"))["links"]
    show(rows, LINK, form)


@crm.command("resume")
@click.argument("target")
@talks
async def resume(api: ApiClient, target: str) -> None:
    """Let a CRM that was stopped, or pauses, go on at once."""
    told = await api.post(f"crm/targets/{target}/resume")
    click.echo(f"{told['target']} is {told['state']}")


@crm.command("pulls")
@form_options
@talks
async def pulls(api: ApiClient, form: str | None) -> None:
    """Show how each list stands that is pulled from a CRM."""
    rows = (await api.get("crm/pulls"))["pulls"]
    show([{**row, "counts": _counted(row["counts"])} for row in rows], PULL, form)


@crm.command("pull")
@click.argument("name")
@talks
async def pull(api: ApiClient, name: str) -> None:
    """Have the list NAME read now, out of turn."""
    await api.post(f"crm/pulls/{name}/now")
    click.echo(f"{name} is read now; cti crm pulls shows how it goes")


@crm.command("problems")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Most shown.")
@form_options
@talks
async def problems(api: ApiClient, name: str, limit: int, form: str | None) -> None:
    """List records of the list NAME that were not taken, or not whole, with the reason."""
    show((await api.get(f"crm/pulls/{name}/problems", limit=limit))["problems"], PROBLEM, form)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))


@crm.command("check")
@click.argument("target", required=False)
@config_option
def check(target: str | None, config: Path | None) -> None:
    """Read the mapping of each CRM, or of TARGET, and ask it who we are there; writes nothing."""
    file = ["--config", str(config)] if config else []
    one = ["--target", target] if target else []
    sys.exit(
        subprocess.run([sys.executable, "-m", "crm_sync", "--check", *file, *one], check=False).returncode
    )


def _said(run: dict[str, Any] | None) -> str | None:
    """Return in one line how the last reconciliation went."""
    if run is None:
        return None
    found = ", ".join(f"{count} {kind}" for kind, count in run["counts"].items()) or "all agree"
    return f"{run['ended_at']}: {found if run['state'] == 'done' else run['message']}"
