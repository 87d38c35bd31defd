"""Click to dial from a CRM's record: at once, or by a link that is used later, once."""

from typing import Any, Final

from aiohttp import web
from pydantic import Field

from cti.errors import BadInput
from cti.hooks.dial_desk import Wanted
from cti.model.call_record import call_record, moment
from cti.web.auth import caller, may_act_for
from cti.web.bodies import Body, Line, body_of
from cti.web.deps import deps

routes: Final = web.RouteTableDef()


class DialAsked(Body):
    """`POST /dial`: whom, by at least one of `contact_id`, `number` and `crm_ref`."""

    agent: Line | None = None
    campaign: str | int | None = None
    contact_id: int | None = Field(None, ge=1)
    number: Line | None = None
    crm_ref: Line | None = None


class LinkAsked(DialAsked):
    """`POST /dial/links`."""

    seconds: float | None = Field(None, gt=0)


@routes.post("/dial")
async def dial(request: web.Request) -> web.Response:
    """Call for the agent (who asks, when none is named), under all rules. The log lands on `crm_ref`.

    Several contacts with the number or the record: 409, with `matches`; nobody is called.
    """
    asked = await body_of(request, DialAsked)
    call = await deps(request).dial.dial(_wanted(request, asked))
    return web.json_response(call_record(call), status=201)


@routes.post("/dial/links")
async def make_link(request: web.Request) -> web.Response:
    """Make a link that calls once: whoever opens it is asked, and calls with a click. For `seconds` at most."""
    asked = await body_of(request, LinkAsked)
    address, link = deps(request).dial.link(_wanted(request, asked), seconds=asked.seconds)
    told: dict[str, Any] = {"url": address, "expires_at": moment(link.expires_at), "agent": link.agent}
    return web.json_response(told, status=201)


def _wanted(request: web.Request, asked: DialAsked) -> Wanted:
    grant = caller(request)
    agent = asked.agent or grant.agent
    if agent is None:
        raise BadInput("agent: is missing; say for whom")
    may_act_for(request, agent)
    return Wanted(
        agent=agent,
        campaign=None if asked.campaign is None else str(asked.campaign),
        contact_id=asked.contact_id,
        number=asked.number,
        crm_ref=asked.crm_ref,
    )
