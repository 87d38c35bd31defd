"""Lists brought in from files: told while they are read and written, looked at afterwards, undone."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AfterValidator, Field

from cti.errors import BadInput
from cti.model.call_record import moment
from cti.model.doubles import DoubleKey, DoubleRule, Doubles, DoubleScope
from cti.model.imports import FileFormat, Import, ImportOrder, ImportState, ReadFile, Refusal
from cti.web.auth import leader
from cti.web.bodies import Line, Query, query_of
from cti.web.deps import Deps, campaign_called, deps

routes: Final = web.RouteTableDef()
MAX_LIST_BYTES: Final = 256 * 1024 * 1024
REFUSED_SHOWN: Final = 200
"""Refused rows in the answer to an upload; `GET /imports/{import}` has all."""
MAX_MAPPING: Final = 20_000
READING_SHARE: Final = 50.0
"""Percent of the whole that reading a file counts as."""


def _mapping_of(text: str) -> str:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError('must be JSON like {"手机号": "number", "City": "field:city"}')
    return text


class ListQuery(Query):
    """`POST /campaigns/{campaign}/lists`."""

    name: Line
    source: Line = "upload"
    region: str | None = Field(None, pattern=r"^([A-Z]{2})?$")
    format: FileFormat = FileFormat.AUTO
    encoding: str = Field("", max_length=20)
    mapping: Annotated[str, AfterValidator(_mapping_of)] = Field("{}", max_length=MAX_MAPPING)
    rule: DoubleRule = DoubleRule.SKIP
    scope: DoubleScope = DoubleScope.CAMPAIGN
    key: DoubleKey = DoubleKey.NUMBER
    priority: int = Field(0, ge=-1000, le=1000)
    dry_run: bool = False
    wait: bool = True


class ImportsQuery(Query):
    """`GET /imports`."""

    campaign: Line | None = None
    before: int | None = None
    limit: int = Field(50, ge=1, le=500)


class RefusedQuery(Query):
    """`GET /imports/{import}`."""

    after: int = 0
    limit: int = Field(100, ge=0, le=1000)


@routes.post("/campaigns/{campaign}/lists")
async def import_list(request: web.Request) -> web.Response:
    """Import a list: the body is a CSV or XLSX file. Rows are refused one by one, with line, code and reason.

    `mapping` is JSON, header to meaning. With `dry_run` nothing is written and the answer says what would be. Without
    `wait` the answer (202) comes as soon as the file is here, and `GET /imports/{import}` tells how far it is.
    """
    by = leader(request)
    parts, wanted = deps(request), query_of(request, ListQuery)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    order = ImportOrder(
        campaign_id=campaign.id,
        name=wanted.name,
        source=wanted.source,
        region=parts.region if wanted.region is None else wanted.region,
        priority=wanted.priority,
        format=wanted.format,
        encoding=wanted.encoding,
        mapping=json.loads(wanted.mapping),
        doubles=Doubles(rule=wanted.rule, scope=wanted.scope, key=wanted.key),
        dry_run=wanted.dry_run,
        by=by.name,
    )
    now = await parts.imports.receive(order, _chunks(request))
    if not wanted.wait:
        return web.json_response(import_record(parts, now), status=202)
    now = await parts.imports.finished(now.id)
    if now.state is ImportState.FAILED:
        raise BadInput(now.error or "the import failed")
    return web.json_response(await _with_refused(parts, now, limit=REFUSED_SHOWN), status=201)


@routes.get("/imports")
async def list_imports(request: web.Request) -> web.Response:
    """Imports, newest first. `before`: only those before this id."""
    leader(request)
    parts, wanted = deps(request), query_of(request, ImportsQuery)
    campaign = await campaign_called(parts, wanted.campaign) if wanted.campaign else None
    found = await parts.imports.imports(
        campaign_id=campaign.id if campaign else None, before_id=wanted.before, limit=wanted.limit
    )
    return web.json_response({"imports": [import_record(parts, one) for one in found]})


@routes.get("/imports/{import:\\d{1,18}}")
async def get_import(request: web.Request) -> web.Response:
    """One import: how far it is, its counts, and its refused rows after the id `after`."""
    leader(request)
    parts, wanted = deps(request), query_of(request, RefusedQuery)
    now = await parts.imports.get(_called(request))
    return web.json_response(await _with_refused(parts, now, after=wanted.after, limit=wanted.limit))


@routes.post("/imports/{import:\\d{1,18}}/undo")
async def undo_import(request: web.Request) -> web.Response:
    """Undo an import: what it added goes unless it was dialed meanwhile, what it changed goes back.

    Answers when that is done, with the counts of it.
    """
    by = leader(request)
    parts = deps(request)
    begun = await parts.imports.undo(_called(request), by=by.name)
    now = await parts.imports.finished(begun.id)
    return web.json_response(import_record(parts, now))


def import_record(parts: Deps, now: Import) -> dict[str, Any]:
    """Return an import as it is told."""
    order, far = now.order, parts.imports.how_far(now)
    return {
        "id": now.id,
        "campaign_id": order.campaign_id,
        "list_id": now.list_id,
        "name": order.name,
        "source": order.source,
        "state": now.state,
        "error": now.error,
        "dry_run": order.dry_run,
        "by": order.by,
        "region": order.region,
        "priority": order.priority,
        "rule": order.doubles.rule,
        "scope": order.doubles.scope,
        "key": order.doubles.key,
        "mapping": dict(order.mapping),
        "encoding": now.read.encoding if now.read else order.encoding or None,
        "columns": dict(now.read.columns) if now.read else None,
        "created_at": moment(now.created_at),
        "finished_at": moment(now.finished_at),
        "progress": {
            "percent": percent(now, far.bytes),
            "rows_read": far.rows,
            "rows_written": now.rows_done,
            "rows_total": now.read.rows if now.read else None,
        },
        "taken": now.counts.taken,
        "added": now.counts.added,
        "merged": now.counts.merged,
        "replaced": now.counts.replaced,
        "joined": now.counts.joined,
        "refused_count": sum(now.counts.refused.values()),
        "refused_by_code": dict(now.counts.refused),
        "samples": list(now.samples),
        "undo": _undo_record(now),
    }


def percent(now: Import, bytes_read: int) -> float | None:
    """Return how far an import is, 0 to 100: half for reading, half for writing; None where nobody can tell."""
    if now.state in (ImportState.DONE, ImportState.UNDONE, ImportState.FAILED):
        return 100.0
    if now.state is ImportState.UNDOING:
        return None
    read: ReadFile | None = now.read
    if read is not None:
        return round(READING_SHARE + (100 - READING_SHARE) * now.rows_done / max(read.rows, 1), 1)
    if bytes_read == 0 and now.state is ImportState.READING:
        return None
    return round(READING_SHARE * min(1.0, bytes_read / max(now.size_bytes, 1)), 1)


def _undo_record(now: Import) -> dict[str, Any] | None:
    if now.undo is None:
        return None
    return {"by": now.undone_by, "at": moment(now.undone_at), **asdict(now.undo)}


async def _with_refused(parts: Deps, now: Import, *, after: int = 0, limit: int) -> dict[str, Any]:
    refused: list[Refusal] = []
    if limit:
        refused = list(await parts.imports.refusals(now.id, after_id=after, limit=limit))
    rows = [{"line": one.line, "code": one.code, "reason": one.reason} for one in refused]
    more = refused[-1].id if len(refused) == limit and refused else None
    return import_record(parts, now) | {"refused": rows, "next": more}


def _called(request: web.Request) -> int:
    return int(request.match_info["import"])


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > MAX_LIST_BYTES:
            raise BadInput(f"the file is larger than {MAX_LIST_BYTES} bytes")
        yield chunk
