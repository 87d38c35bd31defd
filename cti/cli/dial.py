"""`cti dial`: call somebody for an agent; also the program behind `tel:` links."""

from typing import Any

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.errors import BadInput


@click.command()
@click.argument("number", required=False)
@click.option("--contact", "contact_id", type=int, help="The contact's id.")
@click.option("--record", "crm_ref", help="The CRM's record: whom to call, and where the call is logged.")
@click.option("--campaign", help="By which campaign; needed when several have him.")
@click.option("--agent", help="For whom; else for whom the token is.")
@click.option("--link", is_flag=True, help="Do not call; make a link that calls once.")
@talks
async def dial(api: ApiClient, number: str | None, link: bool, **given: Any) -> None:
    """Call NUMBER (or a tel: link), a contact, or a record for an agent, under all rules."""
    body = {key: value for key, value in {"number": number, **given}.items() if value is not None}
    if not body.keys() & {"number", "contact_id", "crm_ref"}:
        raise BadInput("give a number, --contact or --record: nobody is named")
    if link:
        made = await api.post("dial/links", body)
        click.echo(f"{made['url']}\ncalls once for {made['agent']}, until {made['expires_at']}")
        return
    call = await api.post("dial", body)
    click.echo(f"{call['number']} is being called (call {call['id']})")
