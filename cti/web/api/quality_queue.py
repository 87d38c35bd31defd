"""The review queue: calls that wait for a review, each held by one reviewer at most."""

from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.errors import Conflict
from cti.model.reviews import QueueState, place_record
from cti.web.api.quality_rules import CallId
from cti.web.auth import leader, reviewer
from cti.web.bodies import Body, Line, Query, body_of, query_of
from cti.web.deps import deps
from cti.web.quality_access import campaign_id_asked

routes: Final = web.RouteTableDef()
ONE: Final = r"{id:\d{1,18}}"
Reason = Annotated[Line, StringConstraints(max_length=200)]


class QueueQuery(Query):
    """`GET /quality/queue`."""

    campaign: str | None = None
    state: Literal["waiting", "done", "dropped", "all"] = "waiting"
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, pattern=r"^\d{1,9}-\d{1,18}$")


class NewPlace(Body):
    """`POST /quality/queue`: a call to be reviewed before all others."""

    call: CallId
    reason: Reason | None = None


class ClaimOrder(Body):
    """`POST /quality/queue/claim`: perhaps of one campaign."""

    campaign: str | int | None = None


class Draw(Body):
    """`POST /quality/queue/sample`: `quota` calls of each agent; of last week, by the settings' seed, if not said."""

    quota: int = Field(ge=1, le=1000)
    week: str | None = Field(None, max_length=20)
    seed: Annotated[Line, StringConstraints(max_length=100)] | None = None
    campaign: str | int | None = None


@routes.get("/quality/queue")
async def list_queue(request: web.Request) -> web.Response:
    """Calls in the order in which they are given out; `next` is the cursor of the next page."""
    reviewer(request)
    parts, wanted = deps(request), query_of(request, QueueQuery)
    after = None
    if wanted.cursor is not None:
        priority, _, place_id = wanted.cursor.partition("-")
        after = (int(priority), int(place_id))
    found = await parts.quality.queue.places(
        state=None if wanted.state == "all" else QueueState(wanted.state),
        campaign_id=await campaign_id_asked(parts, wanted.campaign),
        after=after,
        limit=wanted.limit + 1,
    )
    page, now = found[: wanted.limit], parts.clock.now()
    more = f"{page[-1].priority}-{page[-1].id}" if len(found) > len(page) else None
    return web.json_response({"queue": [place_record(one, now) for one in page], "next": more})


@routes.post("/quality/queue")
async def put_call(request: web.Request) -> web.Response:
    """Put a call into the queue by hand, before all others."""
    grant, new = reviewer(request), await body_of(request, NewPlace)
    added = await deps(request).quality.queue.put(new.call, by=grant.name, reason=new.reason or "")
    if not added:
        raise Conflict(f"call {new.call} is not there, or was in the queue or reviewed before")
    return web.json_response({"added": added}, status=201)


@routes.post("/quality/queue/claim")
async def claim_call(request: web.Request) -> web.Response:
    """Take the next call to review; the one that one holds already, if any. `place` is null when nothing waits."""
    grant, parts = reviewer(request), deps(request)
    wanted = await body_of(request, ClaimOrder)
    place = await parts.quality.queue.claim(
        grant.name, campaign_id=await campaign_id_asked(parts, wanted.campaign)
    )
    return web.json_response({"place": place_record(place, parts.clock.now()) if place else None})


@routes.post("/quality/queue/sample")
async def draw_sample(request: web.Request) -> web.Response:
    """Draw calls of a week that is over, at random and yet the same whenever it is asked with this seed."""
    leader(request)
    parts, wanted = deps(request), await body_of(request, Draw)
    drawn = await parts.quality.queue.draw(
        quota=wanted.quota,
        week=wanted.week,
        seed=wanted.seed,
        campaign_id=await campaign_id_asked(parts, wanted.campaign),
    )
    return web.json_response(
        {
            "week": drawn.week,
            "seed": drawn.seed,
            "quota": drawn.quota,
            "calls": drawn.calls,
            "drawn": list(drawn.drawn),
            "added": drawn.added,
        }
    )


@routes.post(f"/quality/queue/{ONE}/release")
async def release_call(request: web.Request) -> web.Response:
    """Give a call back that one holds."""
    grant = reviewer(request)
    await deps(request).quality.queue.release(int(request.match_info["id"]), reviewer=grant.name)
    return web.json_response({})


@routes.delete(f"/quality/queue/{ONE}")
async def drop_call(request: web.Request) -> web.Response:
    """Take a waiting call out of the queue."""
    leader(request)
    await deps(request).quality.queue.drop(int(request.match_info["id"]))
    return web.json_response({})
