"""Contacts: found by conditions, looked at, changed."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from cti.contacts.desk import Asking, Page, Whole
from cti.contacts.edits import PLAIN, Edit
from cti.errors import BadInput
from cti.model.access import Role
from cti.model.call_record import call_record, moment
from cti.model.contact_rows import Sort, contact_record
from cti.model.queries import CallFilter
from cti.web.auth import caller
from cti.web.bodies import Body, Line, Query, body_of, query_of
from cti.web.deps import agent_called, deps

routes: Final = web.RouteTableDef()
ID: Final = r"{id:\d{1,18}}"
CALLS_TOLD: Final = 20
_WORD_LENGTH: Final = 100

Label = Annotated[Line, StringConstraints(max_length=_WORD_LENGTH)]


class ContactsQuery(Query):
    """`GET /contacts`."""

    condition: str | None = Field(None, max_length=8000)
    sort: Sort = Sort.NEWEST
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)
    count: bool = False
    zone: str | None = Field(None, max_length=100)


class Search(Body):
    """`POST /contacts/find`: the same for conditions too long for an address."""

    condition: dict[str, Any] = Field(default_factory=dict)
    sort: Sort = Sort.NEWEST
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000)
    count: bool = False
    zone: str | None = Field(None, max_length=100)


class ContactPatch(Body):
    """`PATCH /contacts/{id}`. What is not given stays; null takes away."""

    name: Line | None = None
    stage: Label | None = None
    zone: Label | None = None
    score: float | None = Field(None, allow_inf_nan=False)
    crm_ref: Line | None = None
    crm_customer: Line | None = None
    crm_contact: Line | None = None
    crm_deal: Line | None = None
    next_follow_up_at: AwareDatetime | None = None
    fields: dict[Label, Line | None] = Field(default_factory=dict, max_length=500)
    tags: list[Label] | None = Field(None, max_length=100)


@routes.get("/contacts")
async def list_contacts(request: web.Request) -> web.Response:
    """Contacts of which the `condition` (JSON) is true, and `next`: the cursor of the next page.

    `count=true` counts all of them. Words for times are read in `zone`. An agent sees his own and nobody's.
    """
    caller(request)
    wanted = query_of(request, ContactsQuery)
    given = json_of(wanted.condition) if wanted.condition else {}
    return _page(
        await deps(request).contacts.find(
            given,
            asking(request, wanted.zone),
            sort=wanted.sort,
            limit=wanted.limit,
            cursor=wanted.cursor,
            count=wanted.count,
        )
    )


@routes.post("/contacts/find")
async def find_contacts(request: web.Request) -> web.Response:
    """The same as `GET /contacts`, for long conditions."""
    caller(request)
    wanted = await body_of(request, Search)
    return _page(
        await deps(request).contacts.find(
            wanted.condition,
            asking(request, wanted.zone),
            sort=wanted.sort,
            limit=wanted.limit,
            cursor=wanted.cursor,
            count=wanted.count,
        )
    )


@routes.get(f"/contacts/{ID}")
async def get_contact(request: web.Request) -> web.Response:
    """One contact with numbers and tags, `entries` (his places in lists), `calls` (the last 20), and `history`."""
    caller(request)
    parts, contact_id = deps(request), int(request.match_info["id"])
    whole = await parts.contacts.whole(contact_id, asking(request))
    calls = await parts.facts.call_rows(CallFilter(contact_id=contact_id, limit=CALLS_TOLD))
    return web.json_response(_whole_record(whole) | {"calls": [call_record(row) for row in calls]})


@routes.patch(f"/contacts/{ID}")
async def change_contact(request: web.Request) -> web.Response:
    """Change one contact: what is given is set, null takes away; `tags` are all his tags from then on."""
    caller(request)
    given = await body_of(request, ContactPatch)
    named = given.model_fields_set
    if "name" in named and given.name is None:
        raise BadInput("name: a contact has a name")
    edit = Edit(
        columns={name: _in_utc(getattr(given, name)) for name in PLAIN if name in named},
        fields=dict(given.fields),
        tags=frozenset(given.tags) if given.tags is not None else None,
    )
    row = await deps(request).contacts.edit(int(request.match_info["id"]), edit, asking(request))
    return web.json_response(contact_record(row))


def asking(request: web.Request, zone: str | None = None) -> Asking:
    """Return who asks. Raises Unauthorized, NotFound when the agent of the token is not there."""
    grant = caller(request)
    return Asking(
        name=grant.agent or grant.name,
        agent_id=agent_called(deps(request), grant.agent).id if grant.agent else None,
        zone=zone or "",
        own_only=grant.role is Role.AGENT,
    )


def json_of(text: str) -> Any:
    """Return what the text says. Raises BadInput."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"condition: is not JSON: {error}") from None


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _page(page: Page) -> web.Response:
    told: dict[str, Any] = {"contacts": [contact_record(row) for row in page.rows], "next": page.next}
    return web.json_response(told if page.count is None else told | {"count": page.count})


def _whole_record(whole: Whole) -> dict[str, Any]:
    return contact_record(whole.contact) | {
        "entries": [asdict(entry) | {"due_at": moment(entry.due_at)} for entry in whole.entries],
        "history": [
            {"at": moment(one.at), "by": one.by, "kind": one.kind, "bulk": one.bulk_id, "change": one.change}
            for one in whole.changes
        ],
    }
