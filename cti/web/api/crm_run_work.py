"""Reconciliations for the process that carries them out: our side of them, and what it found."""

from datetime import timedelta
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.crm.reconcile_ports import RunFeed
from cti.crm.reconcile_wire import calls_record, order_of, order_record, page_record, result_of
from cti.crm.wire import rate_of
from cti.errors import BadInput
from cti.model.crm import Answer
from cti.model.crm_reconciliation import CRM_RECONCILE, ReconcileOrder, RunState
from cti.web.auth import syncer
from cti.web.bodies import Body, body_of
from cti.web.crm_bodies import TargetName, large_body
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
MAX_CALLS: Final = 2000
YEAR_SECONDS: Final = 366 * 24 * 3600.0


class TakeRun(Body):
    """`POST /crm/work/run-take`."""

    target: TargetName
    every_seconds: float = Field(ge=0, le=YEAR_SECONDS)
    span_seconds: float = Field(gt=0, le=YEAR_SECONDS)


class OfRun(Body):
    """A run as it was handed out."""

    order: dict[str, Any]


class RunPage(OfRun):
    """`POST /crm/work/run-page`."""

    limit: int = Field(ge=1, le=MAX_CALLS)


class RunCalls(OfRun):
    """`POST /crm/work/run-calls`."""

    call_ids: list[str] = Field(max_length=MAX_CALLS)


class RunSpend(OfRun):
    """`POST /crm/work/run-spend`."""

    rate: dict[str, Any]
    requests: int = Field(1, ge=1, le=1000)
    stand_back: bool = False


class RunEnd(OfRun):
    """`POST /crm/work/run-end`."""

    state: Annotated[RunState, Field(strict=False)]
    message: Annotated[str, StringConstraints(max_length=10_000)] = ""


class RunPostpone(OfRun):
    """`POST /crm/work/run-postpone`."""

    seconds: float = Field(ge=0, le=YEAR_SECONDS)
    message: Annotated[str, StringConstraints(max_length=10_000)]
    answer: Annotated[Answer, Field(strict=False)] = Answer.OK
    pause_seconds: float | None = Field(None, ge=0, le=86_400)


@routes.post("/crm/work/run-take")
async def take_run(request: web.Request) -> web.Response:
    """For processes that reconcile: lease a run, a regular one when it is time; `order` is null when there is none."""
    feed, wish = _feed(request), await body_of(request, TakeRun)
    order = await feed.take(
        wish.target,
        every=timedelta(seconds=wish.every_seconds),
        span=timedelta(seconds=wish.span_seconds),
    )
    return web.json_response({"order": order_record(order) if order else None})


@routes.post("/crm/work/run-page")
async def run_page(request: web.Request) -> web.Response:
    """For processes that reconcile: the next calls of a run, as they would be written now."""
    feed, wish = _feed(request), await body_of(request, RunPage)
    return web.json_response(page_record(await feed.page(_order(wish.order), limit=wish.limit)))


@routes.post("/crm/work/run-calls")
async def run_calls(request: web.Request) -> web.Response:
    """For processes that reconcile: some calls as they are now."""
    feed, wish = _feed(request), await body_of(request, RunCalls)
    return web.json_response({"calls": calls_record(await feed.calls(_order(wish.order), wish.call_ids))})


@routes.post("/crm/work/run-known")
async def run_known(request: web.Request) -> web.Response:
    """For processes that reconcile: which of some ids are calls of ours."""
    feed, wish = _feed(request), await body_of(request, RunCalls)
    return web.json_response({"known": sorted(await feed.known(_order(wish.order), wish.call_ids))})


@routes.post("/crm/work/run-spend")
async def run_spend(request: web.Request) -> web.Response:
    """For processes that reconcile: pay for requests, or hear in `wait_seconds` when to ask again."""
    feed, wish = _feed(request), await body_of(request, RunSpend)
    wait = await feed.spend(
        _order(wish.order), rate=rate_of(wish.rate), requests=wish.requests, stand_back=wish.stand_back
    )
    return web.json_response({"wait_seconds": wait})


@routes.post("/crm/work/run-found")
async def run_found(request: web.Request) -> web.Response:
    """For processes that reconcile: what looking at a page brought; the run as it goes on comes back."""
    feed = _feed(request)
    body = await large_body(request)
    order = await feed.found(_order(body.get("order")), result_of(body.get("result")))
    return web.json_response({"order": order_record(order)})


@routes.post("/crm/work/run-end")
async def run_end(request: web.Request) -> web.Response:
    """For processes that reconcile: a run is over."""
    feed, wish = _feed(request), await body_of(request, RunEnd)
    await feed.end(_order(wish.order), wish.state, wish.message)
    return web.json_response({})


@routes.post("/crm/work/run-postpone")
async def run_postpone(request: web.Request) -> web.Response:
    """For processes that reconcile: a run cannot go on now."""
    feed, wish = _feed(request), await body_of(request, RunPostpone)
    await feed.postpone(
        _order(wish.order),
        seconds=wish.seconds,
        message=wish.message,
        answer=wish.answer,
        pause_seconds=wish.pause_seconds,
    )
    return web.json_response({})


def _feed(request: web.Request) -> RunFeed:
    syncer(request)
    return deps(request).crm.reconciliations.feed


def _order(record: Any) -> ReconcileOrder:
    order = order_of(record)
    if order.work.kind != CRM_RECONCILE + order.run.target or order.work.key != str(order.run.id):
        raise BadInput("order: its work is not that of its run")
    return order
