"""`cti list`."""

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import form_options, show
from cti.model.calls import Outcome


@click.group("list")
def lists() -> None:
    """Lists of contacts."""


@lists.command("recycle")
@click.argument("list_id", metavar="LIST", type=click.IntRange(1))
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    help="Contacts whose last attempt ended so; may be given several times.",
)
@click.option(
    "--disposition", "dispositions", multiple=True, help="Contacts of whom an agent said this last."
)
@click.option("--dry-run", is_flag=True, help="Only count.")
@form_options
@talks
async def recycle(
    api: ApiClient,
    list_id: int,
    outcomes: tuple[str, ...],
    dispositions: tuple[str, ...],
    dry_run: bool,
    form: str | None,
) -> None:
    """Put contacts a LIST (its id) is done with back into its queue."""
    body = {"outcomes": outcomes, "dispositions": dispositions, "dry_run": dry_run}
    told = await api.post(f"lists/{list_id}/recycle", body)
    rows = [{"outcome": outcome, "contacts": count} for outcome, count in told["by_outcome"].items()]
    show(rows, ("outcome", "contacts"), form)
    if form is None:
        click.echo("nothing was changed" if dry_run else f"{told['moved']} contacts are pending again")
