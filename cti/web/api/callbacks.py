"""Callbacks: agreed, looked at, moved, settled."""

from datetime import UTC
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field, NaiveDatetime, StringConstraints, model_validator

from cti.dialer.local_time import Moment, moment_in, zone_named
from cti.errors import BadInput, NotFound
from cti.model.access import Grant, Role
from cti.model.agents import UNSET, Unset
from cti.model.call_record import moment
from cti.model.callbacks import (
    OPEN_CALLBACKS,
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackState,
    NewCallback,
)
from cti.model.calls import Call
from cti.model.queries import CallFilter
from cti.model.vocabulary import callback_record
from cti.web.auth import Forbidden, caller
from cti.web.bodies import Body, Line, Note, Query, body_of, query_of
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()
ID: Final = r"{callback:\d{1,18}}"
_Zone = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Local = Annotated[NaiveDatetime, Field(strict=False)]
_At = Annotated[AwareDatetime, Field(strict=False)]


class WhenBody(Body):
    """When: `local` (a time without zone, in the contact's or in `zone`), or `at` (a time with zone)."""

    local: _Local | None = None
    at: _At | None = None
    zone: _Zone | None = None

    @model_validator(mode="after")
    def _one_time(self) -> "WhenBody":
        if self.local is not None and self.at is not None:
            raise ValueError("name `local` or `at`, not both")
        return self


class PlanCallback(WhenBody):
    """`POST /callbacks`."""

    contact_id: int | None = Field(None, ge=1)
    call_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None = None
    campaign: Line | None = None
    agent: Line | None = None
    anyone: bool = False
    note: Note = ""

    @model_validator(mode="after")
    def _whole(self) -> "PlanCallback":
        if (self.contact_id is None) == (self.call_id is None):
            raise ValueError("name exactly one of `contact_id` and `call_id`")
        if self.contact_id is not None and self.campaign is None:
            raise ValueError("campaign: is missing")
        if self.local is None and self.at is None:
            raise ValueError("name `local` or `at`")
        if self.anyone and self.agent is not None:
            raise ValueError("name `agent` or `anyone`, not both")
        return self


class ChangeCallback(WhenBody):
    """`PATCH /callbacks/{id}`. What is not named stays."""

    agent: Line | None = None
    anyone: bool = False
    note: Note | None = None
    state: Literal["done", "cancelled"] | None = None

    @model_validator(mode="after")
    def _one_owner(self) -> "ChangeCallback":
        if self.anyone and self.agent is not None:
            raise ValueError("name `agent` or `anyone`, not both")
        return self


class CallbacksQuery(Query):
    """`GET /callbacks`. Times are of `due_at`: `since` inclusive, `until` exclusive."""

    agent: str | None = None
    campaign: str | None = None
    contact: int | None = Field(None, ge=1)
    state: CallbackState | Literal["open", "all"] = "open"
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: int = Field(100, ge=1, le=1000)


@routes.post("/callbacks")
async def add_callback(request: web.Request) -> web.Response:
    """Plan a callback: for a contact in a campaign, or out of a call.

    The time is the contact's own unless `zone` says otherwise. An agent's is his, or `anyone`'s. The answer holds
    `warnings`: what clashes with it, and what the rules say of that hour; they forbid nothing.
    """
    grant, parts = caller(request), deps(request)
    wanted = await body_of(request, PlanCallback)
    call = await _call(parts, wanted.call_id)
    contact_id = wanted.contact_id or (call.contact_id if call else None)
    if contact_id is None:
        raise BadInput("call_id: the call belongs to no contact")
    where = await parts.callbacks.whereabouts(contact_id)
    _may_promise(parts, grant, call, where.owner_agent_id)
    zone = wanted.zone or where.zone
    when = _when(wanted, zone)
    new = NewCallback(
        contact_id=contact_id,
        campaign_id=await _campaign_id(parts, wanted.campaign, call),
        due_at=when.at,
        zone=zone,
        by=grant.agent or grant.name,
        agent_id=_whose(parts, grant, wanted.agent, wanted.anyone),
        note=wanted.note,
        call_id=call.id if call else None,
    )
    made = await parts.callbacks.add(new)
    return _answer(parts, made.callback, when.remark, made.warnings, status=201)


@routes.get("/callbacks")
async def list_callbacks(request: web.Request) -> web.Response:
    """Callbacks, the soonest first; those that stand open unless `state` says otherwise. An agent sees his own."""
    grant, parts, wanted = caller(request), deps(request), query_of(request, CallbacksQuery)
    login = wanted.agent
    if grant.role is Role.AGENT:
        if login not in (None, grant.agent):
            raise Forbidden("an agent may only see his own callbacks")
        login = grant.agent
    campaign = await campaign_called(parts, wanted.campaign) if wanted.campaign else None
    found = await parts.callbacks.find(
        CallbackFilter(
            agent_id=agent_called(parts, login).id if login else None,
            campaign_id=campaign.id if campaign else None,
            contact_id=wanted.contact,
            since=wanted.since,
            until=wanted.until,
            states=_states(wanted.state),
            limit=wanted.limit,
        )
    )
    return web.json_response({"callbacks": [_record(parts, one) for one in found]})


@routes.get(f"/callbacks/{ID}")
async def get_callback(request: web.Request) -> web.Response:
    """One callback with its `history`."""
    caller(request)
    one, parts = await _mine(request), deps(request)
    history = [
        {"at": moment(move.at), "kind": move.kind.value, "by": move.by, "detail": move.detail}
        for move in await parts.callbacks.history(one.id)
    ]
    return web.json_response(_record(parts, one) | {"history": history})


@routes.patch(f"/callbacks/{ID}")
async def change_callback(request: web.Request) -> web.Response:
    """Move a callback that stands open, give it to another agent, or settle it (`state`: done, cancelled)."""
    grant, parts = caller(request), deps(request)
    one, wanted = await _mine(request), await body_of(request, ChangeCallback)
    zone = wanted.zone or one.zone
    when = _when(wanted, zone) if wanted.local or wanted.at else None
    agent: int | Unset | None = UNSET
    if wanted.anyone or wanted.agent is not None:
        agent = _whose(parts, grant, wanted.agent, wanted.anyone)
    change = CallbackChange(
        due_at=when.at if when else None,
        zone=str(zone_named(zone)) if wanted.zone else None,
        note=wanted.note,
        agent_id=agent,
        state=CallbackState(wanted.state) if wanted.state else None,
    )
    after = await parts.callbacks.change(one.id, change, by=grant.agent or grant.name)
    return _answer(parts, after.callback, when.remark if when else "", after.warnings)


async def _call(parts: Deps, call_id: str | None) -> Call | None:
    if call_id is None:
        return None
    # The newest call before the smallest text that is greater than this id.
    rows = await parts.facts.call_rows(CallFilter(before_id=call_id + "0", limit=1))
    if not rows or rows[0].call.id != call_id:
        raise NotFound(f"there is no call {call_id}")
    return rows[0].call


def _may_promise(parts: Deps, grant: Grant, call: Call | None, owner: int | None) -> None:
    """Let an agent promise a callback out of his own call, or to a contact that nobody else owns."""
    if grant.role is not Role.AGENT:
        return
    agent_id = agent_called(parts, grant.agent or "").id
    if call is not None and agent_id in {call.agent_id, *(join.agent_id for join in call.joins)}:
        return
    if call is not None or owner not in (None, agent_id):
        raise Forbidden(
            "an agent may only plan callbacks out of his own calls, or for contacts nobody else owns"
        )


async def _campaign_id(parts: Deps, name: str | None, call: Call | None) -> int:
    if name is not None:
        return (await campaign_called(parts, name)).id
    if call is None or call.campaign_id is None:
        raise BadInput("campaign: is missing; the call belongs to none")
    return call.campaign_id


def _whose(parts: Deps, grant: Grant, login: str | None, anyone: bool) -> int | None:
    if grant.role is Role.AGENT:
        if login not in (None, grant.agent):
            raise Forbidden("an agent may not give callbacks to others")
        return None if anyone else agent_called(parts, grant.agent or "").id
    return agent_called(parts, login).id if login else None


def _when(wanted: WhenBody, zone: str) -> Moment:
    if not zone:
        raise BadInput("zone: nobody knows in which time zone the contact is; name one, like Europe/Berlin")
    if wanted.at is not None:
        zone_named(zone)
        return Moment(at=wanted.at.astimezone(UTC))
    if wanted.local is None:
        raise BadInput("local: is missing")
    return moment_in(wanted.local, zone)


async def _mine(request: web.Request) -> Callback:
    """Return the callback of the path. Raises NotFound, and Forbidden when it is not the asking agent's."""
    grant, parts = caller(request), deps(request)
    one = await parts.callbacks.get(int(request.match_info["callback"]))
    if grant.role is Role.AGENT and one.agent_id != agent_called(parts, grant.agent or "").id:
        raise Forbidden("an agent may only see his own callbacks")
    return one


def _states(state: str) -> frozenset[CallbackState]:
    if state == "open":
        return OPEN_CALLBACKS
    return frozenset(CallbackState) if state == "all" else frozenset({CallbackState(state)})


def _record(parts: Deps, one: Callback) -> dict[str, Any]:
    logins = {agent.id: agent.login for agent in parts.agents.agents()}
    return callback_record(one) | {"agent": logins.get(one.agent_id or 0)}


def _answer(
    parts: Deps, one: Callback, remark: str, warnings: tuple[str, ...], *, status: int = 200
) -> web.Response:
    told = [*([remark] if remark else []), *warnings]
    return web.json_response(_record(parts, one) | {"warnings": told}, status=status)
