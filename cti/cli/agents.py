"""`cti agent`."""

from typing import Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import form_options, show

COLUMNS: Final = (
    "login",
    "name",
    "state",
    "since",
    "reason",
    "endpoint",
    "node",
    "phone_reachable",
    "call_id",
)


@click.group()
def agent() -> None:
    """Agents: make them, log them in and out."""


@agent.command("list")
@form_options
@talks
async def list_agents(api: ApiClient, form: str | None) -> None:
    """List all agents as they are now."""
    show((await api.get("agents"))["agents"], COLUMNS, form)


@agent.command("add")
@click.argument("login")
@click.argument("endpoint")
@click.option("--name", help="Name for people; else the login.")
@click.option("--node", help="Asterisk node of the phone; needed when there are several.")
@click.option("--campaign", "campaigns", multiple=True, help="A campaign to work on; may be given again.")
@talks
async def add_agent(
    api: ApiClient, login: str, endpoint: str, name: str | None, node: str | None, campaigns: tuple[str, ...]
) -> None:
    """Make an agent with the PJSIP ENDPOINT of the phone."""
    body = {"login": login, "name": name or login, "endpoint": endpoint, "campaigns": list(campaigns)}
    await api.post("agents", body | ({"node": node} if node else {}))
    click.echo(f"agent {login} is made")


@agent.command("call")
@click.argument("login")
@click.argument("campaign")
@click.argument("contact", type=int)
@talks
async def call(api: ApiClient, login: str, campaign: str, contact: int) -> None:
    """Call the CONTACT (its id) of a CAMPAIGN for the agent, under all rules."""
    body = {"campaign": campaign, "contact_id": contact}
    placed = await api.post(f"agents/{quote(login, safe='')}/call", body)
    click.echo(f"{placed['number']} is being called, call {placed['id']}")


@agent.command("preview")
@click.argument("login")
@click.option("--dial", "order", flag_value="dial", default=None, help="Call the contact.")
@click.option("--skip", "order", flag_value="skip", help="Call him not now.")
@click.option("--reason", default="skipped", show_default=True, help="Why he is skipped.")
@form_options
@talks
async def preview(api: ApiClient, login: str, order: str | None, reason: str, form: str | None) -> None:
    """Show the contact that the agent looks at; or call or skip him."""
    path = f"agents/{quote(login, safe='')}/preview"
    if order == "dial":
        placed = await api.post(f"{path}/dial")
        click.echo(f"{placed['number']} is being called, call {placed['id']}")
    elif order == "skip":
        await api.post(f"{path}/skip", {"reason": reason})
        click.echo("skipped")
    else:
        told = await api.get(path)
        rows = [told["contact"] | {"until": told["until"]}] if told["contact"] else []
        show(rows, ("contact_id", "name", "number", "tries", "until"), form)


@agent.command("assign")
@click.argument("login")
@click.argument("campaigns", nargs=-1)
@talks
async def assign(api: ApiClient, login: str, campaigns: tuple[str, ...]) -> None:
    """Set the CAMPAIGNS an agent works on; none: takes all away."""
    await api.put(f"agents/{quote(login, safe='')}/campaigns", {"campaigns": list(campaigns)})
    click.echo(f"agent {login} works on {', '.join(campaigns) or 'no campaign'}")


@agent.command("login")
@click.argument("login")
@click.option("--paused", is_flag=True, help="Do not offer calls yet.")
@talks
async def log_in(api: ApiClient, login: str, paused: bool) -> None:
    """Call the agent's phone and keep the leg; ends when it is up."""
    await _order(api, login, "login", {"ready": not paused})


@agent.command("logout")
@click.argument("login")
@talks
async def log_out(api: ApiClient, login: str) -> None:
    """Let the agent's phone go."""
    await _order(api, login, "logout", {})


@agent.command("ready")
@click.argument("login")
@talks
async def ready(api: ApiClient, login: str) -> None:
    """Offer calls; ends wrap-up and pause."""
    await _order(api, login, "ready", {})


@agent.command("pause")
@click.argument("login")
@click.option("--reason", default="pause", show_default=True, help="Why.")
@talks
async def pause(api: ApiClient, login: str, reason: str) -> None:
    """Offer no more calls; on a call it holds from its end."""
    await _order(api, login, "pause", {"reason": reason})


@agent.command("hangup")
@click.argument("login")
@talks
async def hang_up(api: ApiClient, login: str) -> None:
    """End the customer's leg of the agent's present call."""
    await _order(api, login, "hangup", {})


async def _order(api: ApiClient, login: str, order: str, body: dict[str, object]) -> None:
    told = await api.post(f"agents/{quote(login, safe='')}/{order}", body)
    later = f", then paused ({told['pause_next']})" if told["pause_next"] else ""
    click.echo(f"agent {login} is {told['state']}{later}")
