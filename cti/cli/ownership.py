"""`cti pool`, `cti assign`, `cti contact ...` of ownership, and the agents' part of it."""

import sys
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import REFUSED, talks
from cti.cli.shown import form_options, show

POOLED: Final = ("contact_id", "name", "campaign_id", "list_id", "returned_at")
MOVES: Final = ("at", "contact_id", "from", "to", "kind", "reason", "by")
SAMPLES: Final = ("contact_id", "name", "reason", "message", "shares_number_with")


@click.group()
def pool() -> None:
    """The public pool (公海): contacts that belong to nobody."""


@pool.command("show")
@click.option("--campaign", help="Only of this campaign.")
@click.option("--list", "list_id", type=int, help="Only of this list.")
@click.option(
    "--limit", type=click.IntRange(0, 500), default=50, show_default=True, help="How many are listed."
)
@form_options
@talks
async def show_pool(
    api: ApiClient, campaign: str | None, list_id: int | None, limit: int, form: str | None
) -> None:
    """List whom a claim would get first; count the pool by campaign."""
    told = await api.get("pool", campaign=campaign, list=list_id, limit=limit)
    show(told["contacts"], POOLED, form)
    if form is None:
        for count in told["counts"]:
            click.echo(
                f"campaign {count['campaign_id']}: {count['fresh']} fresh, {count['returned']} given back"
            )


@pool.command("claim")
@click.argument("count", type=click.IntRange(1, 500))
@click.option("--agent", help="For whom; an agent's own token needs none.")
@click.option("--campaign", help="Only of this campaign.")
@click.option("--list", "list_id", type=int, help="Only of this list.")
@talks
async def claim(
    api: ApiClient, count: int, agent: str | None, campaign: str | None, list_id: int | None
) -> None:
    """Take the next COUNT contacts of the pool."""
    body = {"count": count, "agent": agent, "campaign": campaign, "list": list_id}
    told = await api.post("pool/claim", {key: value for key, value in body.items() if value is not None})
    show(told["moves"], MOVES, None)
    click.echo(f"{len(told['moves'])} of {count} claimed")


@pool.command("return")
@click.argument("contacts", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why.")
@talks
async def give_back(api: ApiClient, contacts: tuple[int, ...], reason: str) -> None:
    """Put CONTACTS back into the pool, one after the other."""
    for contact_id in contacts:
        await api.post(f"contacts/{contact_id}/return", {"reason": reason})
        click.echo(f"contact {contact_id} is in the pool")


@pool.command("transfer")
@click.argument("contact", type=int)
@click.argument("to")
@click.option("--reason", default="transfer", show_default=True, help="Why.")
@talks
async def transfer(api: ApiClient, contact: int, to: str, reason: str) -> None:
    """Move a CONTACT to another agent, with what his owner holds under the same numbers."""
    told = await api.post(f"contacts/{contact}/transfer", {"to": to, "reason": reason})
    show(told["moves"], MOVES, None)


@pool.command("history")
@click.argument("contact", type=int)
@form_options
@talks
async def history(api: ApiClient, contact: int, form: str | None) -> None:
    """Tell who owned a CONTACT when."""
    show((await api.get(f"contacts/{contact}/moves"))["moves"], MOVES, form)


@click.command("assign")
@click.option(
    "--to", "to", multiple=True, help="Login of an agent; may be given again. None: all of the campaign."
)
@click.option("--campaign", help="Contacts of this campaign.")
@click.option("--list", "list_id", type=int, help="Contacts of this list.")
@click.option("--contact", "contacts", type=int, multiple=True, help="This contact; may be given again.")
@click.option("--weights", is_flag=True, help="By the agents' weights; else in turn.")
@click.option("--attribute", help="zone, stage or field:NAME: must be among the agent's skills.")
@click.option("--anybody-without", is_flag=True, help="Who has nothing there goes to anybody.")
@click.option("--take-over", is_flag=True, help="Also those that belong to somebody.")
@click.option("--most", type=click.IntRange(1), help="Give no more than so many.")
@click.option("--reason", default="assigned", show_default=True, help="Why.")
@click.option("--dry-run", is_flag=True, help="Tell who would get how many, and move nobody.")
@form_options
@talks
async def assign(
    api: ApiClient,
    to: tuple[str, ...],
    list_id: int | None,
    contacts: tuple[int, ...],
    weights: bool,
    form: str | None,
    **more: Any,
) -> None:
    """Share contacts out among agents: by hand, in turn, by weights, by skill."""
    body = {
        "to": list(to),
        "list": list_id,
        "contacts": list(contacts) or None,
        "method": "weights" if weights else "round_robin",
        **more,
    }
    told = await api.post("contacts/assign", {key: value for key, value in body.items() if value is not None})
    tell_shared(told, form)


@click.command("leave")
@click.argument("login")
@click.option("--to", "to", multiple=True, help="Who takes his contacts, by weight; none: the pool.")
@click.option("--reason", default="left", show_default=True, help="Why.")
@click.option("--dry-run", is_flag=True, help="Tell what would become of his contacts.")
@form_options
@talks
async def leave(
    api: ApiClient, login: str, to: tuple[str, ...], reason: str, dry_run: bool, form: str | None
) -> None:
    """The agent works here no more: hand his contacts over."""
    body = {"to": list(to), "reason": reason, "dry_run": dry_run}
    tell_shared(await api.post(f"agents/{quote(login, safe='')}/leave", body), form, rest=": to the pool")


@click.command("set")
@click.argument("login")
@click.option(
    "--skill", "skills", multiple=True, help="A word that contacts may ask for; may be given again."
)
@click.option("--no-skills", is_flag=True, help="Take all skills away.")
@click.option("--weight", type=click.FloatRange(0, 1000), help="Share when contacts are given out; 0: none.")
@click.option("--max-owned", type=click.IntRange(0), help="Most contacts to own.")
@click.option("--no-max", is_flag=True, help="No cap of the agent's own.")
@click.option("--back", is_flag=True, help="The agent works here again.")
@talks
async def configure(
    api: ApiClient,
    login: str,
    skills: tuple[str, ...],
    no_skills: bool,
    weight: float | None,
    max_owned: int | None,
    no_max: bool,
    back: bool,
) -> None:
    """Set an agent's skills, weight and cap."""
    body: dict[str, Any] = {
        **({"skills": list(skills)} if skills or no_skills else {}),
        **({"weight": weight} if weight is not None else {}),
        **({"max_owned": max_owned} if max_owned is not None or no_max else {}),
        **({"left": False} if back else {}),
    }
    told = await api.ask("PATCH", f"agents/{quote(login, safe='')}", json=body)
    show([told], ("login", "skills", "weight", "max_owned", "left_at"), None)


def tell_shared(told: dict[str, Any], form: str | None, *, rest: str = "") -> None:
    """Tell a distribution; ends with an exit code when nobody got anybody and somebody was to."""
    rows = [{"agent": agent, "contacts": count} for agent, count in told["given"].items()]
    show(rows, ("agent", "contacts"), form)
    if form is None:
        for reason, count in told["not_given"].items():
            click.echo(f"not given: {count} ({reason}){rest}")
        if told["samples"]:
            show(told["samples"], SAMPLES, None, title="For example")
        given = sum(told["given"].values())
        click.echo(
            f"{given} of {told['looked_at']} contacts {'would be' if told['dry_run'] else 'are'} given"
        )
    if not told["given"] and told["looked_at"] and not rest:
        sys.exit(REFUSED)
