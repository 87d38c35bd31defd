"""CRMs: how they stand, dead letters, pushing a call again; and the work of processes that write to them."""

from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.crm.desk import DeadLetter, TargetReport
from cti.crm.wire import (
    orders_record,
    rate_of,
    settlements_of,
    standing_record,
    works_of,
)
from cti.errors import BadInput
from cti.model.call_record import moment
from cti.model.crm import CRM_PUSH, Answer, Link
from cti.model.work import Work
from cti.web.api.crm_pulls import pull_record
from cti.web.api.crm_runs import summary
from cti.web.auth import leader, syncer
from cti.web.bodies import Body, Query, body_of, query_of
from cti.web.crm_bodies import MAX_WORKS, TargetName, large_body, requests_of
from cti.web.crm_ports import CrmFeed
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
CALL: Final = "{id:[0-9a-f]{32}}"


class DeadQuery(Query):
    """`GET /crm/dead`."""

    target: TargetName | None = None
    limit: int = Field(100, ge=1, le=1000)


class OfTarget(Body):
    """One target, or all."""

    target: TargetName | None = None


class Take(Body):
    """`POST /crm/work/take`."""

    target: TargetName
    limit: int = Field(ge=1, le=MAX_WORKS)
    batch: int = Field(1, ge=1, le=MAX_WORKS)
    rate: dict[str, Any]


class Checked(Body):
    """`POST /crm/work/checked`."""

    target: TargetName
    answer: Annotated[Answer, Field(strict=False)]
    message: Annotated[str, StringConstraints(max_length=2000)]


@routes.get("/crm")
async def get_crm(request: web.Request) -> web.Response:
    """How each CRM stands: `state`, `reason`, `until`, calls `waiting`, `under_way`, `dead`, `written`, `unsure`,
    `deleted` there by people, `requests_today`, how often it answered how (`answers`), for how long the call is due
    that waits longest (`oldest_waiting_seconds`), and how the last reconciliation went (`reconciled`: findings by kind,
    and `age_seconds` since it ended).

    `pulls`: as under `/crm/pulls`.

    `process` says whether the process that writes runs beside the service; null: others run it.
    """
    leader(request)
    desk, now = deps(request).crm, deps(request).clock.now()
    return web.json_response(
        {
            "process": desk.process(),
            "targets": [_report(one, now=now) for one in await desk.report()],
            "pulls": [pull_record(one) for one in await deps(request).pulls.report()],
        }
    )


@routes.get("/crm/dead")
async def list_dead(request: web.Request) -> web.Response:
    """Calls and follow-ups (`what`) that are not written any more until somebody says so, newest first."""
    leader(request)
    wanted = query_of(request, DeadQuery)
    letters = await deps(request).crm.dead(target=wanted.target, limit=wanted.limit)
    return web.json_response({"dead": [_letter(one) for one in letters]})


@routes.post("/crm/dead/replay")
async def replay_all(request: web.Request) -> web.Response:
    """Have all of them tried again, or those of one `target`; `replayed`: how many."""
    leader(request)
    wish = await body_of(request, OfTarget)
    return web.json_response({"replayed": await deps(request).crm.replay_all(target=wish.target)})


@routes.post(r"/crm/dead/{number:\d{1,18}}/replay")
async def replay_one(request: web.Request) -> web.Response:
    """Have one tried again."""
    leader(request)
    number = int(request.match_info["number"])
    await deps(request).crm.replay(number)
    return web.json_response({"replayed": number})


@routes.post(r"/crm/dead/{number:\d{1,18}}/discard")
async def discard_one(request: web.Request) -> web.Response:
    """Give one up for good."""
    leader(request)
    number = int(request.match_info["number"])
    await deps(request).crm.discard(number)
    return web.json_response({"discarded": number})


@routes.post(r"/crm/targets/{name}/resume")
async def resume(request: web.Request) -> web.Response:
    """Let a CRM that was stopped, or pauses, go on at once."""
    leader(request)
    standing = await deps(request).crm.resume(request.match_info["name"])
    return web.json_response({"target": standing.target, "state": standing.state})


@routes.get(f"/crm/calls/{CALL}")
async def get_links(request: web.Request) -> web.Response:
    """What stands for a call at each CRM, as far as it is known."""
    leader(request)
    links = await deps(request).crm.links(request.match_info["id"])
    return web.json_response({"links": [_link(one) for one in links]})


@routes.post(f"/crm/calls/{CALL}/push")
async def push_call(request: web.Request) -> web.Response:
    """Have a call written again, to one `target` or all, even where nothing changed."""
    leader(request)
    wish = await body_of(request, OfTarget)
    targets = await deps(request).crm.push(request.match_info["id"], target=wish.target)
    return web.json_response({"call_id": request.match_info["id"], "targets": targets}, status=202)


@routes.post("/crm/work/take")
async def take(request: web.Request) -> web.Response:
    """For processes that write: lease calls of a target, as far as its pauses, rate and budget allow."""
    feed, wish = _feed(request), await body_of(request, Take)
    orders = await feed.take(wish.target, limit=wish.limit, rate=rate_of(wish.rate), batch=wish.batch)
    return web.json_response(orders_record(orders))


@routes.post("/crm/work/keep")
async def keep(request: web.Request) -> web.Response:
    """For processes that write: keep leases; `lost`: ids that are no longer theirs."""
    feed = _feed(request)
    works = _works(await large_body(request))
    return web.json_response({"lost": sorted(await feed.keep(works))})


@routes.post("/crm/work/begin")
async def begin(request: web.Request) -> web.Response:
    """For processes that write: requests are about to leave; `lost`: ids that may not be sent."""
    feed = _feed(request)
    body = await large_body(request)
    return web.json_response({"lost": sorted(await feed.begin(str(body.get("target")), _works(body)))})


@routes.post("/crm/work/settle")
async def settle(request: web.Request) -> web.Response:
    """For processes that write: what became of orders."""
    feed = _feed(request)
    body = await large_body(request)
    settlements = settlements_of(body.get("settlements"))
    _must_be_pushes([one.work for one in settlements])
    await feed.settle(
        str(body.get("target")),
        settlements,
        rate=rate_of(body.get("rate") or {}),
        more_requests=requests_of(body),
    )
    return web.json_response({})


@routes.post("/crm/work/unchanged")
async def unchanged(request: web.Request) -> web.Response:
    """For processes that write: nothing was to be sent."""
    feed = _feed(request)
    await feed.unchanged(_works(await large_body(request)))
    return web.json_response({})


@routes.post("/crm/work/give-back")
async def give_back(request: web.Request) -> web.Response:
    """For processes that write: they end, and have not sent these."""
    feed = _feed(request)
    await feed.give_back(_works(await large_body(request)))
    return web.json_response({})


@routes.post("/crm/work/checked")
async def checked(request: web.Request) -> web.Response:
    """For processes that write: how a check of a CRM went."""
    feed, wish = _feed(request), await body_of(request, Checked)
    return web.json_response(standing_record(await feed.checked(wish.target, wish.answer, wish.message)))


def _feed(request: web.Request) -> CrmFeed:
    syncer(request)
    return deps(request).crm.feed


def _works(body: Any) -> list[Work]:
    works = works_of(body.get("works"))
    _must_be_pushes(works)
    return works


def _must_be_pushes(works: list[Work]) -> None:
    if len(works) > MAX_WORKS:
        raise BadInput(f"works: more than {MAX_WORKS}")
    if any(not work.kind.startswith(CRM_PUSH) for work in works):
        raise BadInput(f"works: a kind does not begin with {CRM_PUSH}")


def _report(one: TargetReport, *, now: datetime) -> dict[str, Any]:
    standing = one.standing
    return {
        "target": one.target,
        "adapter": one.adapter,
        "state": standing.state,
        "reason": standing.reason or None,
        "since": moment(standing.since),
        "until": moment(standing.until),
        "waiting": one.waiting,
        "oldest_waiting_seconds": one.oldest_waiting_seconds,
        "under_way": one.under_way,
        "dead": one.dead,
        "written": one.written,
        "unsure": one.unsure,
        "deleted": one.deleted,
        "day": standing.day or None,
        "requests_today": standing.spent,
        "slowed": standing.slowed,
        "answers": standing.counts,
        "reconciled": summary(one.reconciled, now=now) if one.reconciled else None,
    }


def _letter(one: DeadLetter) -> dict[str, Any]:
    return {
        "id": one.id,
        "target": one.target,
        "what": one.what,
        "call_id": one.call_id,
        "callback_id": one.callback_id,
        "contact_id": one.contact_id,
        "runs": one.runs,
        "error": one.error,
    }


def _link(one: Link) -> dict[str, Any]:
    return {
        "target": one.target,
        "remote": str(one.remote) if one.remote else None,
        "writes": one.version,
        "pushed_at": moment(one.pushed_at),
        "unsure": one.unsure,
        "deleted_at": moment(one.deleted_at),
    }
