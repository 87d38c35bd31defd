"""Calls: the list, one of them, the agent's verdict. Their recordings: see `recordings`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from cti.errors import BadInput
from cti.model.access import Grant, Role
from cti.model.call_record import CALL_FIELDS, call_record
from cti.model.calls import Outcome
from cti.model.conditions import Scope
from cti.model.queries import CallFilter
from cti.model.spreadsheet import csv_line
from cti.web.answers import Format, stream_csv
from cti.web.api.contacts import asking, json_of
from cti.web.auth import Forbidden, caller
from cti.web.bodies import Body, Line, Note, Query, body_of, query_of
from cti.web.call_access import visible_call
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()
ID: Final = "{id:[0-9a-f]{32}}"
FIELD_NAMES: Final = tuple(field.name for field in CALL_FIELDS)


class CallsQuery(Query):
    """`GET /calls`. Times are of `placed_at`: `since` inclusive, `until` exclusive."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    campaign: str | None = None
    agent: str | None = None
    number: Annotated[str, StringConstraints(pattern=r"^(\+[1-9])?\d+$", max_length=20)] | None = None
    outcome: Outcome | None = None
    disposition: Line | None = None
    open: bool = False
    limit: int = Field(100, ge=1, le=1000)
    cursor: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None = None
    format: Format = Format.JSON
    columns: str | None = None
    condition: str | None = Field(None, max_length=8000)
    zone: str | None = Field(None, max_length=100)


class Disposition(Body):
    """`PUT /calls/{id}/disposition`."""

    disposition: Annotated[Line, StringConstraints(max_length=64)]
    note: Note = ""


class Record(Body):
    """`PUT /calls/{id}/record`."""

    crm_ref: Line


@routes.get("/calls")
async def list_calls(request: web.Request) -> web.StreamResponse:
    """Calls, newest first, and `next`: the cursor of the next page. `format=csv` brings all that match.

    `condition` (JSON) narrows what the other fields leave; its words for times are read in `zone`.
    """
    grant, wanted = caller(request), query_of(request, CallsQuery)
    parts, columns = deps(request), _columns(wanted.columns)
    asked = await _filter(parts, grant, wanted)
    if wanted.condition:
        given, who = json_of(wanted.condition), asking(request, wanted.zone)
        asked = replace(asked, condition=parts.contacts.condition(given, who, scope=Scope.CALL))
    if wanted.format is Format.CSV:
        return await stream_csv(request, "calls.csv", _csv_lines(parts, asked, columns))
    rows = await parts.facts.call_rows(replace(asked, limit=wanted.limit + 1))
    page = rows[: wanted.limit]
    records = [call_record(row) for row in page]
    if wanted.columns:
        records = [{name: record[name] for name in columns} for record in records]
    more = page[-1].call.id if len(rows) > len(page) else None
    return web.json_response({"calls": records, "next": more})


@routes.get(f"/calls/{ID}")
async def get_call(request: web.Request) -> web.Response:
    """One call."""
    row = await visible_call(request)
    return web.json_response(call_record(row))


@routes.put(f"/calls/{ID}/disposition")
async def set_disposition(request: web.Request) -> web.Response:
    """The agent's verdict: `disposition` (a code of the dictionary), `note`; again overwrites."""
    row, verdict = await visible_call(request), await body_of(request, Disposition)
    parts, grant = deps(request), caller(request)
    agent_id = agent_called(parts, grant.agent).id if grant.agent else None
    await parts.calls.set_disposition(
        row.call.id,
        agent_id=agent_id,
        disposition=verdict.disposition,
        note=verdict.note,
        at=parts.clock.now(),
    )
    return web.json_response(call_record(await visible_call(request)))


@routes.put(f"/calls/{ID}/record")
async def set_record(request: web.Request) -> web.Response:
    """The CRM's record that the call's log lands on: `crm_ref`, for example one of the `records` that a screen pop
    offered. Another one may be chosen until the log stands there; then 409.
    """
    row, chosen = await visible_call(request), await body_of(request, Record)
    await deps(request).records.choose(row.call.id, chosen.crm_ref)
    return web.json_response(call_record(await visible_call(request)))


async def _filter(parts: Deps, grant: Grant, wanted: CallsQuery) -> CallFilter:
    login = wanted.agent
    if grant.role is Role.AGENT:
        if login not in (None, grant.agent):
            raise Forbidden("an agent may only see his own calls")
        login = grant.agent
    campaign = await campaign_called(parts, wanted.campaign) if wanted.campaign else None
    return CallFilter(
        since=wanted.since,
        until=wanted.until,
        campaign_id=campaign.id if campaign else None,
        agent_id=agent_called(parts, login).id if login else None,
        number=wanted.number,
        outcome=wanted.outcome,
        disposition=wanted.disposition,
        open_only=wanted.open,
        limit=wanted.limit,
        before_id=wanted.cursor,
    )


def _columns(names: str | None) -> tuple[str, ...]:
    columns = tuple(names.split(",")) if names else FIELD_NAMES
    unknown = [name for name in columns if name not in FIELD_NAMES]
    if unknown:
        raise BadInput(f"columns: there is no {unknown[0]!r}; there are: {', '.join(FIELD_NAMES)}")
    return columns


async def _csv_lines(parts: Deps, asked: CallFilter, columns: tuple[str, ...]) -> AsyncIterator[str]:
    yield csv_line(columns)
    async for row in parts.facts.all_call_rows(asked):
        record: dict[str, Any] = call_record(row)
        yield csv_line([record[name] for name in columns])
