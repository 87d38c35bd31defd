"""Who owns which contact: the public pool, claims, returns, transfers, assignment, the history."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import Field, model_validator

from cti.errors import BadInput
from cti.model.access import Grant, Role
from cti.model.call_record import moment
from cti.model.ownership import Moved, NotMoved, OwnerMove, Pooled, Selection
from cti.ownership.assignment import Asked
from cti.ownership.sharing import Method, Shared
from cti.ownership.words import SENTENCES
from cti.web.auth import Forbidden, caller, leader
from cti.web.bodies import Body, Line, Query, Word, body_of, query_of
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()
ONE: Final = r"{contact:\d{1,18}}"


class PoolQuery(Query):
    """`GET /pool`."""

    campaign: Line | None = None
    list: int | None = Field(None, ge=1)
    limit: int = Field(50, ge=0, le=500)


class Claim(Body):
    """`POST /pool/claim`: either `count`, or `contacts` by id."""

    agent: Word | None = None
    count: int | None = Field(None, ge=1, le=500)
    campaign: str | int | None = None
    list: int | None = Field(None, ge=1)
    contacts: tuple[int, ...] | None = Field(None, min_length=1, max_length=500, strict=False)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Claim":
        if (self.count is None) == (self.contacts is None):
            raise ValueError("give either count or contacts")
        if self.contacts is not None and (self.campaign is not None or self.list is not None):
            raise ValueError("campaign and list go with count, not with contacts")
        return self


class Return(Body):
    """`POST /contacts/{contact}/return`."""

    reason: Line


class Transfer(Body):
    """`POST /contacts/{contact}/transfer`."""

    to: Word
    reason: Line = "transfer"


class Assign(Body):
    """`POST /contacts/assign`."""

    to: tuple[Word, ...] = Field((), max_length=1000, strict=False)
    method: Method = Field(Method.ROUND_ROBIN, strict=False)
    campaign: str | int | None = None
    list: int | None = Field(None, ge=1)
    contacts: tuple[int, ...] | None = Field(None, min_length=1, max_length=10_000, strict=False)
    attribute: str | None = Field(None, pattern=r"^(zone|stage|field:.{1,100})$")
    anybody_without: bool = False
    take_over: bool = False
    most: int | None = Field(None, ge=1)
    reason: Line = "assigned"
    dry_run: bool = False


@routes.get("/pool")
async def get_pool(request: web.Request) -> web.Response:
    """The public pool: `counts` by campaign, the `contacts` that are claimed next, and how many you may still own."""
    grant = caller(request)
    parts, wanted = deps(request), query_of(request, PoolQuery)
    campaign_ids = await _campaigns(parts, grant, wanted.campaign)
    counts, found = await parts.ownership.pool(campaign_ids, list_id=wanted.list, limit=wanted.limit)
    room = await parts.ownership.room(grant.agent) if grant.agent else None
    return web.json_response(
        {
            "counts": [
                {"campaign_id": one.campaign_id, "fresh": one.fresh, "returned": one.returned}
                for one in counts
            ],
            "contacts": [_pooled(one) for one in found],
            "room": room,
        }
    )


@routes.post("/pool/claim")
async def claim(request: web.Request) -> web.Response:
    """Take contacts from the pool: the next `count` (of a `campaign`, a `list`), or those in `contacts`.

    An agent claims for himself, under the rules of his campaigns; a lead for the `agent` he names.
    """
    grant = caller(request)
    parts, wanted = deps(request), await body_of(request, Claim)
    login, lead = _for_whom(grant, wanted.agent), grant.role is not Role.AGENT
    if wanted.contacts is not None:
        moved = await parts.ownership.claim_these(login, wanted.contacts, by=grant.name, lead=lead)
    else:
        campaign = None if wanted.campaign is None else await campaign_called(parts, str(wanted.campaign))
        moved = await parts.ownership.claim(
            login,
            wanted.count or 1,
            campaign_id=campaign.id if campaign else None,
            list_id=wanted.list,
            by=grant.name,
            lead=lead,
        )
    return web.json_response(_moved(moved, logins(parts)))


@routes.post(f"/contacts/{ONE}/return")
async def give_back(request: web.Request) -> web.Response:
    """Put a contact back into the pool, with a `reason`; an agent his own ones."""
    grant = caller(request)
    parts, wanted = deps(request), await body_of(request, Return)
    move = await parts.ownership.give_back(
        int(request.match_info["contact"]),
        login=grant.agent if grant.role is Role.AGENT else None,
        reason=wanted.reason,
        by=grant.name,
    )
    return web.json_response(_move(move, logins(parts)))


@routes.post(f"/contacts/{ONE}/transfer")
async def transfer(request: web.Request) -> web.Response:
    """Move a contact `to` another agent, with all that his owner holds under the same numbers."""
    grant = leader(request)
    parts, wanted = deps(request), await body_of(request, Transfer)
    contact_id = int(request.match_info["contact"])
    moved = await parts.ownership.transfer(contact_id, to=wanted.to, reason=wanted.reason, by=grant.name)
    return web.json_response(_moved(moved, logins(parts)))


@routes.get(f"/contacts/{ONE}/moves")
async def get_moves(request: web.Request) -> web.Response:
    """Who owned a contact when, the oldest move first; an agent sees contacts that are his, or were."""
    grant = caller(request)
    parts, contact_id = deps(request), int(request.match_info["contact"])
    moves, names = await parts.ownership.moves(contact_id), logins(parts)
    if grant.role is Role.AGENT:
        mine = agent_called(parts, grant.agent or "").id
        moves = moves if any(mine in (move.before, move.after) for move in moves) else []
    return web.json_response({"moves": [_move(move, names) for move in moves]})


@routes.post("/contacts/assign")
async def assign(request: web.Request) -> web.Response:
    """Share contacts of a `campaign`, a `list`, or by id out: `to` one agent by hand, to several in turn or by weight.

    Without `to` all agents of the campaign take part. `attribute` (`zone`, `stage`, `field:NAME`): the contact's word
    there must be among the agent's skills; who has none goes to nobody unless `anybody_without`. Contacts that belong
    to somebody stay unless `take_over`. `dry_run`: told and not done.
    """
    grant = leader(request)
    parts, wanted = deps(request), await body_of(request, Assign)
    if wanted.campaign is None and wanted.list is None and wanted.contacts is None:
        raise BadInput("name a campaign, a list, or contacts")
    campaign = None if wanted.campaign is None else await campaign_called(parts, str(wanted.campaign))
    shared = await parts.distributor.assign(
        Selection(
            campaign_id=campaign.id if campaign else None, list_id=wanted.list, contact_ids=wanted.contacts
        ),
        to=wanted.to,
        method=wanted.method,
        asked=Asked(attribute=wanted.attribute, anybody_without=wanted.anybody_without),
        take_over=wanted.take_over,
        most=wanted.most,
        reason=wanted.reason,
        by=grant.name,
        dry_run=wanted.dry_run,
    )
    return web.json_response(shared_record(shared, logins(parts), dry_run=wanted.dry_run))


def logins(parts: Deps) -> Mapping[int, str]:
    """Return the agents' logins by id."""
    return {agent.id: agent.login for agent in parts.agents.agents()}


def shared_record(shared: Shared, names: Mapping[int, str], *, dry_run: bool) -> dict[str, Any]:
    """Return a distribution as it is told."""
    return {
        "dry_run": dry_run,
        "looked_at": shared.looked_at,
        "given": {names.get(agent_id, str(agent_id)): count for agent_id, count in shared.given.items()},
        "not_given": {reason.value: count for reason, count in shared.refused.items()},
        "samples": [
            {
                "contact_id": one.contact_id,
                "name": one.name,
                "reason": one.reason.value,
                "message": SENTENCES[one.reason],
                "shares_number_with": list(one.partners),
            }
            for one in shared.samples
        ],
    }


async def _campaigns(parts: Deps, grant: Grant, name: str | None) -> list[int]:
    """Return the campaigns whose pool is asked for; an agent sees those he works on."""
    known = [campaign.id for campaign in await parts.campaigns.campaigns()]
    if grant.role is Role.AGENT:
        known = list(agent_called(parts, grant.agent or "").campaign_ids)
    if name is None:
        return known
    campaign = await campaign_called(parts, name)
    if campaign.id not in known:
        raise Forbidden(f"you do not work on {campaign.name}")
    return [campaign.id]


def _for_whom(grant: Grant, named: str | None) -> str:
    """Return whom a claim is for: an agent himself, or whom a lead names."""
    login = named or grant.agent
    if login is None:
        raise BadInput("agent: say for whom")
    if grant.role is Role.AGENT and login != grant.agent:
        raise Forbidden("an agent may only claim for himself")
    return login


def _pooled(one: Pooled) -> dict[str, Any]:
    return {
        "contact_id": one.contact_id,
        "name": one.name,
        "campaign_id": one.campaign_id,
        "list_id": one.list_id,
        "returned_at": moment(one.returned_at),
    }


def _moved(moved: Moved, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "moves": [_move(move, names) for move in moved.moves],
        "refused": [_refused(contact_id, reason) for contact_id, reason in moved.refused.items()],
    }


def _refused(contact_id: int, reason: NotMoved) -> dict[str, Any]:
    return {"contact_id": contact_id, "reason": reason.value, "message": SENTENCES[reason]}


def _move(move: OwnerMove, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "contact_id": move.contact_id,
        "at": moment(move.at),
        "from": None if move.before is None else names.get(move.before),
        "to": None if move.after is None else names.get(move.after),
        "kind": move.kind.value,
        "reason": move.reason,
        "by": move.by,
    }
