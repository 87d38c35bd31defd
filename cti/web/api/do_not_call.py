"""Who must not be called: the own list, and imported registers."""

from datetime import date
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from cti.compliance.do_not_call import FileReading
from cti.compliance.facts import Listed
from cti.compliance.listings import EVERY_CAMPAIGN, Listing, ListingStep, Register
from cti.model.call_record import moment
from cti.web.auth import leader
from cti.web.bodies import Body, Line, Query, Word, body_of, query_of
from cti.web.deps import campaign_called, deps
from cti.web.uploads import file_chunks

routes: Final = web.RouteTableDef()
MAX_LIST_BYTES: Final = 256 * 1024 * 1024
MAX_REGISTER_BYTES: Final = 4 * 1024 * 1024 * 1024
MAX_NUMBERS: Final = 1000

Moment = Annotated[AwareDatetime, Field(strict=False)]
Text = Annotated[str, Field(max_length=40)]


class NewEntries(Body):
    """`POST /do-not-call`. Numbers, or beginnings with a star (`+4930*`)."""

    numbers: list[Text] = Field(min_length=1, max_length=MAX_NUMBERS)
    campaign: Line | None = None
    reason: Line | None = None
    until: Moment | None = None


class EntryGone(Body):
    """`POST /do-not-call/remove`."""

    number: Text
    campaign: Line | None = None
    reason: Line


class FileQuery(Query):
    """`POST /do-not-call/import`."""

    campaign: Line | None = None
    reason: Line | None = None
    until: AwareDatetime | None = None


class ListQuery(Query):
    """`GET /do-not-call`; the next page with `after_key` and `after_campaign` of the last entry."""

    beginning: str = Field("", pattern=r"^(\+\d{0,15})?$")
    campaign: Line | None = None
    after_key: str = Field("", max_length=20)
    after_campaign: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=1000)


class CheckQuery(Query):
    """`GET /do-not-call/check`."""

    number: str = Field(max_length=40)
    campaign: Line | None = None


class RegisterQuery(Query):
    """`POST /do-not-call/registers`."""

    name: Word
    source: Line = "upload"
    as_of: date | None = None
    may_shrink: bool = False


@routes.get("/do-not-call")
async def list_entries(request: web.Request) -> web.Response:
    """Entries of the own list by number; `campaign` gives those of one campaign alone."""
    leader(request)
    wanted = query_of(request, ListQuery)
    entries = await deps(request).do_not_call.listings(
        beginning=wanted.beginning,
        campaign_id=await _campaign_id(request, wanted.campaign) if wanted.campaign else None,
        after=(wanted.after_key, wanted.after_campaign),
        limit=wanted.limit,
    )
    return web.json_response({"entries": [_entry(entry) for entry in entries]})


@routes.post("/do-not-call")
async def add_entries(request: web.Request) -> web.Response:
    """List numbers, for every campaign or for one; again changes reason and end. All or none."""
    grant, new = leader(request), await body_of(request, NewEntries)
    count = await deps(request).do_not_call.add(
        new.numbers,
        campaign_id=await _campaign_id(request, new.campaign),
        reason=new.reason or "",
        until=new.until,
        by=grant.name,
    )
    return web.json_response({"added": count, "changed": len(new.numbers) - count}, status=201)


@routes.post("/do-not-call/import")
async def import_entries(request: web.Request) -> web.Response:
    """List the numbers of a file, one a line. Lines are refused one by one; what was read of a broken file stays."""
    grant, wanted = leader(request), query_of(request, FileQuery)
    reading = await deps(request).do_not_call.add_file(
        file_chunks(request, most_bytes=MAX_LIST_BYTES),
        campaign_id=await _campaign_id(request, wanted.campaign),
        reason=wanted.reason or "",
        until=wanted.until,
        by=grant.name,
    )
    return web.json_response(_reading(reading), status=201)


@routes.post("/do-not-call/remove")
async def remove_entry(request: web.Request) -> web.Response:
    """Take an entry out of the own list; its history stays."""
    grant, gone = leader(request), await body_of(request, EntryGone)
    key = await deps(request).do_not_call.remove(
        gone.number,
        campaign_id=await _campaign_id(request, gone.campaign),
        reason=gone.reason,
        by=grant.name,
    )
    return web.json_response({"removed": key})


@routes.get("/do-not-call/check")
async def check_number(request: web.Request) -> web.Response:
    """All that a number falls under now: entries of the own list, beginnings, registers; and its history."""
    leader(request)
    wanted = query_of(request, CheckQuery)
    key, listed, history = await deps(request).do_not_call.check(
        wanted.number, campaign_id=await _campaign_id(request, wanted.campaign)
    )
    told = {
        "number": key,
        "listed": [_listed(one) for one in listed],
        "history": [_step(one) for one in history],
    }
    return web.json_response(told)


@routes.get("/do-not-call/registers")
async def list_registers(request: web.Request) -> web.Response:
    """The registers that count."""
    leader(request)
    registers = await deps(request).do_not_call.registers()
    return web.json_response({"registers": [_register(one) for one in registers]})


@routes.post("/do-not-call/registers")
async def import_register(request: web.Request) -> web.Response:
    """Import a register: the body is a file of numbers. It takes the place of the one of its name as a whole."""
    grant, wanted = leader(request), query_of(request, RegisterQuery)
    made = await deps(request).do_not_call.import_register(
        file_chunks(request, most_bytes=MAX_REGISTER_BYTES),
        name=wanted.name,
        source=wanted.source,
        as_of=wanted.as_of,
        may_shrink=wanted.may_shrink,
        by=grant.name,
    )
    told = {
        "register": _register(made.register),
        "replaced": _register(made.replaced) if made.replaced else None,
        **_reading(made.reading),
    }
    return web.json_response(told, status=201)


@routes.delete("/do-not-call/registers/{name}")
async def end_register(request: web.Request) -> web.Response:
    """Let a register count no more."""
    leader(request)
    name = request.match_info["name"]
    await deps(request).do_not_call.end_register(name)
    return web.json_response({"ended": name})


async def _campaign_id(request: web.Request, name: str | None) -> int:
    return (await campaign_called(deps(request), name)).id if name else EVERY_CAMPAIGN


def _entry(entry: Listing) -> dict[str, Any]:
    return {
        "number": entry.key,
        "campaign_id": entry.campaign_id or None,
        "reason": entry.reason,
        "until": moment(entry.until),
        "added_by": entry.added_by,
        "added_at": moment(entry.added_at),
    }


def _listed(one: Listed) -> dict[str, Any]:
    return {
        "number": one.key,
        "where": one.where,
        "register": one.is_register,
        "reason": one.reason,
        "until": moment(one.until),
    }


def _step(one: ListingStep) -> dict[str, Any]:
    return {
        "at": moment(one.at),
        "change": one.change,
        "by": one.by,
        "campaign_id": one.campaign_id or None,
        "reason": one.reason,
        "until": moment(one.until),
    }


def _register(one: Register) -> dict[str, Any]:
    return {
        "name": one.name,
        "as_of": one.as_of,
        "numbers": one.numbers,
        "refused": one.refused,
        "source": one.source,
        "imported_by": one.imported_by,
        "imported_at": moment(one.imported_at),
    }


def _reading(reading: FileReading) -> dict[str, Any]:
    return {
        "taken": reading.taken,
        "refused_count": reading.refused_count,
        "refused": [{"line": row.line, "reason": row.reason} for row in reading.refused],
    }
