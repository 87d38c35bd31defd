"""Actions on many contacts, and lists made from a query."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.contacts.bulk_desk import must_be_whole
from cti.contacts.desk import Asking
from cti.errors import BadInput
from cti.model.bulk import BulkKind, bulk_record
from cti.model.dictionaries import DictionaryKind
from cti.web.api.contacts import asking
from cti.web.auth import leader
from cti.web.bodies import Body, Line, Query, Word, body_of, query_of
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()

Label = Annotated[Line, StringConstraints(max_length=100)]
Priority = Annotated[int, Field(ge=-1000, le=1000)]


class Bulk(Body):
    """`POST /contacts/bulk`."""

    action: Literal["assign", "tag", "untag", "stage", "stop", "reopen", "priority", "move"]
    condition: dict[str, Any] | None = None
    ids: list[int] | None = Field(None, min_length=1, max_length=1000)
    owner: Word | None = None
    take_over: bool = False
    tag: Label | None = None
    stage: Label | None = None
    priority: Priority | None = None
    list: int | None = Field(None, ge=1)
    campaign: str | int | None = None
    from_list: int | None = Field(None, ge=1)
    dry_run: bool = False
    zone: str | None = Field(None, max_length=100)


class BulkQuery(Query):
    """`GET /contacts/bulk`."""

    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1)


class FromQuery(Body):
    """`POST /campaigns/{campaign}/lists/from-query`."""

    name: Line
    condition: dict[str, Any]
    priority: Priority = 0
    again: bool = False
    dry_run: bool = False
    zone: str | None = Field(None, max_length=100)


@routes.post("/contacts/bulk")
async def begin_bulk(request: web.Request) -> web.Response:
    """Begin an `action` on the contacts of `condition` or `ids`; it goes on by itself. `dry_run` counts only.

    `assign` needs `owner` (a login; `take_over`: also from other agents), under the rules of ownership; `tag` and
    `untag` need `tag`, `stage` needs `stage`; `priority` needs `priority`, and is of one list when
    `from_list` is given; `move` needs `list` and its `campaign`, and `from_list` where a contact stands in several.
    """
    leader(request)
    parts, given = deps(request), await body_of(request, Bulk)
    kind, argument = await _argument(parts, given)
    if (given.condition is None) is (given.ids is None):
        raise BadInput("condition: give a condition or ids, one of them")
    chosen: Mapping[str, Any] = given.condition or {}
    if given.ids is not None:
        chosen = {"field": "id", "one_of": given.ids}
    return await _answer(parts, kind, argument, chosen, asking(request, given.zone), dry_run=given.dry_run)


@routes.get("/contacts/bulk")
async def list_bulk(request: web.Request) -> web.Response:
    """The actions that were begun, newest first: who, when, on whom, and what came of them."""
    leader(request)
    wanted = query_of(request, BulkQuery)
    actions = await deps(request).bulk.actions(limit=wanted.limit, before=wanted.before)
    return web.json_response({"actions": [bulk_record(one) for one in actions]})


@routes.get(r"/contacts/bulk/{id:\d{1,18}}")
async def get_bulk(request: web.Request) -> web.Response:
    """How far an action has come."""
    leader(request)
    return web.json_response(bulk_record(await deps(request).bulk.action(int(request.match_info["id"]))))


@routes.post(r"/contacts/bulk/{id:\d{1,18}}/undo")
async def undo_bulk(request: web.Request) -> web.Response:
    """Take an action back, where nobody changed the contact since; that is an action of its own."""
    leader(request)
    bulk_id = int(request.match_info["id"])
    undo = await deps(request).bulk.undo(bulk_id, by=asking(request).name)
    return web.json_response(bulk_record(undo), status=202)


@routes.post("/campaigns/{campaign}/lists/from-query")
async def list_from_query(request: web.Request) -> web.Response:
    """Make a list of the contacts of `condition`; `dry_run` counts only.

    Contacts that stand in the campaign are left out unless `again`; those that are stopped always.
    """
    leader(request)
    parts = deps(request)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    given = await body_of(request, FromQuery)
    argument = {
        "campaign": campaign.id,
        "name": given.name,
        "priority": given.priority,
        "again": given.again,
        "order": campaign.rules.order.order.value,
    }
    who = asking(request, given.zone)
    return await _answer(parts, BulkKind.LIST, argument, given.condition, who, dry_run=given.dry_run)


async def _argument(parts: Deps, given: Bulk) -> tuple[BulkKind, dict[str, Any]]:
    kind = BulkKind(given.action)
    named = {
        "owner": given.owner,
        "tag": given.tag,
        "stage": given.stage,
        "priority": given.priority,
        "list": given.list,
    }
    must_be_whole(kind, named)
    match kind:
        case BulkKind.ASSIGN:
            return kind, {"owner": agent_called(parts, str(given.owner)).login, "take_over": given.take_over}
        case BulkKind.TAG:
            parts.dictionaries.must_be_usable(DictionaryKind.TAGS, str(given.tag))
            return kind, {"tag": given.tag}
        case BulkKind.UNTAG:
            return kind, {"tag": given.tag}
        case BulkKind.STAGE:
            parts.dictionaries.must_be_usable(DictionaryKind.STAGES, str(given.stage))
            return kind, {"stage": given.stage}
        case BulkKind.PRIORITY:
            return kind, {"priority": given.priority, "list": given.from_list}
        case BulkKind.MOVE:
            return kind, await _target(parts, given)
    return kind, {}


async def _target(parts: Deps, given: Bulk) -> dict[str, Any]:
    if given.campaign is None:
        raise BadInput("campaign: is missing; move needs the campaign of the list")
    campaign = await campaign_called(parts, str(given.campaign))
    await parts.bulk.must_know_list(int(given.list or 0), campaign.id)
    return {
        "list": given.list,
        "campaign": campaign.id,
        "from": given.from_list,
        "order": campaign.rules.order.order.value,
    }


async def _answer(
    parts: Deps,
    kind: BulkKind,
    argument: Mapping[str, Any],
    chosen: Mapping[str, Any],
    who: Asking,
    *,
    dry_run: bool,
) -> web.Response:
    if dry_run:
        tried = await parts.bulk.try_out(kind, argument, chosen, who)
        return web.json_response(
            {"dry_run": True, "matched": tried.matched, "would_change": tried.would, "left": dict(tried.left)}
        )
    return web.json_response(bulk_record(await parts.bulk.begin(kind, argument, chosen, who)), status=202)
