"""Saved views: conditions with a name, and how many there are of each."""

from dataclasses import replace
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import Field

from cti.contacts.desk import Asking
from cti.contacts.view_desk import own_calls
from cti.model.call_record import call_record
from cti.model.conditions import Scope
from cti.model.contact_rows import Sort, contact_record
from cti.model.queries import CallFilter
from cti.model.views import View, view_record
from cti.web.api.contacts import asking
from cti.web.auth import LEADERS, caller, leader
from cti.web.bodies import Body, Line, Query, body_of, query_of
from cti.web.deps import Deps, deps

routes: Final = web.RouteTableDef()


class ViewsQuery(Query):
    """`GET /views`."""

    counts: bool = True
    zone: str | None = Field(None, max_length=100)


class NewView(Body):
    """`POST /views`."""

    name: Line
    about: Literal["contacts", "calls"] = "contacts"
    condition: dict[str, Any]
    sort: Sort = Sort.NEWEST
    shared: bool = False


class RowsQuery(Query):
    """`GET /views/{id}/rows`."""

    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)
    zone: str | None = Field(None, max_length=100)


@routes.get("/views")
async def list_views(request: web.Request) -> web.Response:
    """The built-in views, the shared ones and one's own, each with the `count` of what it shows to whoever asks.

    `counts=false` spares the counting. A count is null when the view names somebody who is gone.
    """
    caller(request)
    wanted, parts = query_of(request, ViewsQuery), deps(request)
    who = asking(request, wanted.zone)
    views = await parts.views.views(who)
    told = [view_record(view) for view in views]
    if wanted.counts:
        counts = await parts.views.counts(views, who, agent_id=_only(who))
        told = [record | {"count": counts[record["id"]]} for record in told]
    return web.json_response({"views": told})


@routes.post("/views")
async def add_view(request: web.Request) -> web.Response:
    """Keep a view: `name`, `about` (`contacts` or `calls`), `condition`, `sort`, `shared` with everybody.

    Sharing is for leads and admins.
    """
    caller(request)
    new = await body_of(request, NewView)
    if new.shared:
        leader(request)
    view = View(
        id="",
        name=new.name,
        about=Scope.CALL if new.about == "calls" else Scope.CONTACT,
        condition=new.condition,
        sort=new.sort,
        shared=new.shared,
    )
    return web.json_response(view_record(await deps(request).views.add(view, asking(request))), status=201)


@routes.delete("/views/{id}")
async def remove_view(request: web.Request) -> web.Response:
    """Remove a view of one's own; leads and admins anybody's that they see."""
    any_owner = caller(request).role in LEADERS
    await deps(request).views.remove(request.match_info["id"], asking(request), any_owner=any_owner)
    return web.json_response({})


@routes.get("/views/{id}/rows")
async def view_rows(request: web.Request) -> web.Response:
    """What a view shows to whoever asks: `contacts` or `calls`, and `next`."""
    caller(request)
    wanted, parts = query_of(request, RowsQuery), deps(request)
    who = asking(request, wanted.zone)
    view = await parts.views.view(request.match_info["id"], who)
    if view.about is Scope.CALL:
        return await _calls(parts, view, who, wanted)
    page = await parts.contacts.find(
        view.condition, who, sort=view.sort, limit=wanted.limit, cursor=wanted.cursor
    )
    return web.json_response({"contacts": [contact_record(row) for row in page.rows], "next": page.next})


async def _calls(parts: Deps, view: View, who: Asking, wanted: RowsQuery) -> web.Response:
    given = own_calls(view.condition, _only(who))
    asked = CallFilter(
        condition=parts.contacts.condition(given, who, scope=Scope.CALL), before_id=wanted.cursor
    )
    rows = await parts.facts.call_rows(replace(asked, limit=wanted.limit + 1))
    page = rows[: wanted.limit]
    more = page[-1].call.id if len(rows) > len(page) else None
    return web.json_response({"calls": [call_record(row) for row in page], "next": more})


def _only(who: Asking) -> int | None:
    return who.agent_id if who.own_only else None
