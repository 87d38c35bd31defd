"""Lists pulled from CRMs: how they stand; and the work of the process that reads and writes follow-ups."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.crm.follow_up_wire import orders_record, settlements_of
from cti.crm.pull_desk import PullReport
from cti.crm.pull_wire import answer_of, order_record, standing_record
from cti.crm.wire import rate_of
from cti.crm.wire import standing_record as target_record
from cti.errors import BadInput
from cti.model.call_record import moment
from cti.model.crm import Answer
from cti.model.crm_pulls import PullProblem, PullStep
from cti.model.follow_ups import CRM_FOLLOW_UP
from cti.web.auth import leader, syncer
from cti.web.bodies import Body, Query, body_of, query_of
from cti.web.crm_bodies import MAX_WORKS, MOST_REQUESTS, TargetName, large_body, requests_of
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
NAME: Final = "{name:[a-z0-9][a-z0-9_-]{0,39}}"
LONGEST_REF: Final = 300


class ProblemQuery(Query):
    """`GET /crm/pulls/{name}/problems`."""

    after: str = Field("", max_length=LONGEST_REF)
    limit: int = Field(100, ge=1, le=1000)


class OrderWish(Body):
    """`POST /crm/work/pull-order`."""

    pull: TargetName
    after: Annotated[PullStep, Field(strict=False)] = PullStep.NOTHING
    rate: dict[str, Any]
    more_requests: int = Field(0, ge=0, le=MOST_REQUESTS)
    """Of what was asked last, beyond the one that was reckoned with."""


class Failure(Body):
    """`POST /crm/work/pull-failed`."""

    pull: TargetName
    answer: Annotated[Answer, Field(strict=False)]
    message: Annotated[str, StringConstraints(max_length=2000)]
    pause_seconds: float | None = Field(None, ge=0, le=86_400)
    step: Annotated[PullStep, Field(strict=False)] = PullStep.PAGE


class FollowWish(Body):
    """`POST /crm/work/follow-take`."""

    target: TargetName
    limit: int = Field(ge=1, le=MAX_WORKS)
    rate: dict[str, Any]


@routes.get("/crm/pulls")
async def list_pulls(request: web.Request) -> web.Response:
    """How each pulled list stands: how old its last page is (`age_seconds`), when the `next` one is asked for, what
    became of records (`counts`), how many are known (`records`) and have `problems`, and why the last request failed.
    """
    leader(request)
    return web.json_response({"pulls": [pull_record(one) for one in await deps(request).pulls.report()]})


@routes.get(f"/crm/pulls/{NAME}/problems")
async def list_problems(request: web.Request) -> web.Response:
    """Records of which all (`refused`) or something was not taken, with the reason, by reference; `next`: give it as
    `after` to go on."""
    leader(request)
    wanted = query_of(request, ProblemQuery)
    name = request.match_info["name"]
    found = await deps(request).pulls.problems(name, after=wanted.after, limit=wanted.limit)
    following = found[-1].ref if len(found) == wanted.limit else None
    return web.json_response({"problems": [_problem(one) for one in found], "next": following})


@routes.post(f"/crm/pulls/{NAME}/now")
async def pull_now(request: web.Request) -> web.Response:
    """Have a list read now, out of turn."""
    leader(request)
    standing = await deps(request).pulls.pull(request.match_info["name"])
    return web.json_response({"pull": standing.pull, "asked_at": moment(standing.asked_at)}, status=202)


@routes.post("/crm/work/pull-order")
async def order(request: web.Request) -> web.Response:
    """For the process that reads: what is to be asked of a CRM now for a list."""
    syncer(request)
    wish = await body_of(request, OrderWish)
    given = await deps(request).pulls.intake.order(
        wish.pull, rate=rate_of(wish.rate), after=wish.after, more_requests=wish.more_requests
    )
    return web.json_response(order_record(given))


@routes.post("/crm/work/pull-take")
async def take(request: web.Request) -> web.Response:
    """For the process that reads: what the CRM answered. 409 says that another one has read on."""
    syncer(request)
    body = await large_body(request)
    standing = await deps(request).pulls.intake.take(str(body.get("pull")), answer_of(body.get("answer")))
    return web.json_response(standing_record(standing))


@routes.post("/crm/work/pull-failed")
async def failed(request: web.Request) -> web.Response:
    """For the process that reads: a request came to nothing."""
    syncer(request)
    wish = await body_of(request, Failure)
    standing = await deps(request).pulls.intake.failed(
        wish.pull, wish.answer, wish.message, pause_seconds=wish.pause_seconds, step=wish.step
    )
    return web.json_response(standing_record(standing))


@routes.post("/crm/work/follow-take")
async def follow_take(request: web.Request) -> web.Response:
    """For the process that writes follow-ups: lease callbacks of a target."""
    syncer(request)
    wish = await body_of(request, FollowWish)
    orders = await deps(request).pulls.follow_ups.take(wish.target, limit=wish.limit, rate=rate_of(wish.rate))
    return web.json_response(orders_record(orders))


@routes.post("/crm/work/follow-settle")
async def follow_settle(request: web.Request) -> web.Response:
    """For the process that writes follow-ups: what became of them."""
    syncer(request)
    body = await large_body(request)
    settlements = settlements_of(body.get("settlements"))
    if any(not one.work.kind.startswith(CRM_FOLLOW_UP) for one in settlements):
        raise BadInput(f"settlements: a kind does not begin with {CRM_FOLLOW_UP}")
    standing = await deps(request).pulls.follow_ups.settle(
        str(body.get("target")),
        settlements,
        rate=rate_of(body.get("rate") or {}),
        more_requests=requests_of(body),
    )
    return web.json_response(target_record(standing))


def pull_record(one: PullReport) -> dict[str, Any]:
    """Return how a pull stands, as everybody outside sees it."""
    rules, standing = one.rules, one.standing
    return {
        "pull": rules.name,
        "target": rules.target,
        "source": rules.source,
        "campaign": rules.campaign,
        "dry_run": rules.dry_run,
        "page_at": moment(standing.page_at),
        "age_seconds": one.age_seconds,
        "more": standing.more,
        "next": moment(one.next_at),
        "swept_at": moment(standing.swept_at),
        "records": one.records,
        "problems": one.problems,
        "counts": dict(standing.counts),
        "error": standing.error or None,
        "error_at": moment(standing.error_at),
    }


def _problem(one: PullProblem) -> dict[str, Any]:
    return {
        "ref": one.ref,
        "name": one.name,
        "reason": one.reason,
        "refused": one.refused,
        "contact_id": one.contact_id,
        "at": moment(one.at),
    }
