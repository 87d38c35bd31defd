"""`cti crm reconcile` and `cti crm reconciliations`: whether CRMs have our calls as we have them."""

import asyncio
from typing import Any, Final

import click

from cti.cli.client import ApiClient
from cti.cli.frame import Moment, talks
from cti.cli.shown import form_options, show

RUN: Final = (
    "id",
    "target",
    "state",
    "ordered_by",
    "since",
    "until",
    "looked",
    "there",
    "counts",
    "mended",
    "message",
)
FINDING: Final = ("kind", "call_id", "remotes", "fields", "mended", "detail")
OVER: Final = ("done", "failed")
POLL_SECONDS: Final = 1.0
PAGE: Final = 1000

limit_option: Final = click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Most shown."
)


@click.command("reconcile")
@click.argument("target", required=False)
@click.option("--since", type=Moment(), help="Calls placed from this time on; by default the last 26 hours.")
@click.option("--until", type=Moment(), help="Calls placed before this time; by default now.")
@click.option(
    "--mend",
    is_flag=True,
    help="Also remove extra records there, and remember deletions however many they are.",
)
@click.option("--overwrite", is_flag=True, help="Also write over what people changed there.")
@click.option("--no-wait", is_flag=True, help="Order it, and do not wait for what it finds.")
@limit_option
@form_options
@talks
async def reconcile(
    api: ApiClient,
    target: str | None,
    since: str | None,
    until: str | None,
    mend: bool,
    overwrite: bool,
    no_wait: bool,
    limit: int,
    form: str | None,
) -> None:
    """Hold our calls and what stands in the CRM TARGET, or in every one, together; show what does not agree."""
    body = {"target": target, "since": since, "until": until, "mend": mend, "overwrite": overwrite}
    told = await api.post(
        "crm/reconciliations", {name: value for name, value in body.items() if value not in (None, False)}
    )
    runs = told["reconciliations"]
    if no_wait:
        show(runs, RUN, form)
        return
    if (await api.get("crm"))["process"] is False:
        raise click.ClickException("the process that writes to CRMs does not run; see the service's log")
    for run in runs:
        await _shown(api, await _over(api, run["id"]), limit=limit, form=form)


@click.command("reconciliations")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--target", help="Of this CRM alone; else of every one.")
@click.option("--kind", help="With NUMBER: findings of this kind alone.")
@limit_option
@form_options
@talks
async def reconciliations(
    api: ApiClient, number: int | None, target: str | None, kind: str | None, limit: int, form: str | None
) -> None:
    """List reconciliations, newest first, or show what the one of this NUMBER found."""
    if number is None:
        told = await api.get("crm/reconciliations", target=target, limit=min(limit, PAGE))
        show(told["reconciliations"], RUN, form)
        return
    await _shown(
        api, await api.get(f"crm/reconciliations/{number}", limit=1), limit=limit, form=form, kind=kind
    )


async def _over(api: ApiClient, number: int) -> dict[str, Any]:
    """Wait until a run is over; tell once why it waits."""
    told = ""
    while True:
        run: dict[str, Any] = await api.get(f"crm/reconciliations/{number}", limit=1)
        if run["state"] in OVER:
            return run
        if run["message"] and run["message"] != told:
            told = run["message"]
            click.echo(f"{run['target']}: it waits: {told}", err=True)
        await asyncio.sleep(POLL_SECONDS)


async def _shown(
    api: ApiClient, run: dict[str, Any], *, limit: int, form: str | None, kind: str | None = None
) -> None:
    if form is None:
        show([run], RUN, form)
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None and len(found) < limit:
        page = await api.get(
            f"crm/reconciliations/{run['id']}", after=after, kind=kind, limit=min(PAGE, limit - len(found))
        )
        found, after = found + page["findings"], page["next"]
    if found or form is not None:
        show(found, FINDING, form)
