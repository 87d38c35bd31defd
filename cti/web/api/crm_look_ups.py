"""Numbers to look up in CRMs, for the process that asks them."""

from typing import Any, Final

from aiohttp import web
from pydantic import Field

from cti.crm.look_up_wire import answer_of, look_ups_record
from cti.crm.wire import rate_of
from cti.web.auth import syncer
from cti.web.bodies import Body, body_of
from cti.web.crm_bodies import TargetName
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
MOST_SECONDS: Final = 30.0


class TakeLookUps(Body):
    """`POST /crm/work/look-up-take`."""

    target: TargetName
    limit: int = Field(ge=1, le=100)
    rate: dict[str, Any]
    wait_seconds: float = Field(0.0, ge=0, le=MOST_SECONDS)


class LookUpAnswered(Body):
    """`POST /crm/work/look-up-answer`."""

    target: TargetName
    answer: dict[str, Any]


@routes.post("/crm/work/look-up-take")
async def take_look_ups(request: web.Request) -> web.Response:
    """For processes that ask CRMs: numbers to look up now, each handed out once; waits `wait_seconds` for one."""
    syncer(request)
    wish = await body_of(request, TakeLookUps)
    taken = await deps(request).look_ups.take(
        wish.target, limit=wish.limit, rate=rate_of(wish.rate), wait_seconds=wish.wait_seconds
    )
    return web.json_response({"look_ups": look_ups_record(taken)})


@routes.post("/crm/work/look-up-answer")
async def answer_look_up(request: web.Request) -> web.Response:
    """For processes that ask CRMs: the records that have a number, or how the CRM refused."""
    syncer(request)
    wish = await body_of(request, LookUpAnswered)
    await deps(request).look_ups.answer(wish.target, answer_of(wish.answer))
    return web.json_response({})
