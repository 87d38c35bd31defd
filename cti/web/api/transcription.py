"""Transcription: how it stands, ordering it anew, and what workers on other machines take and hand in."""

import asyncio
import json
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.asr.orders import work_of, work_record
from cti.asr.wire import transcript_of
from cti.errors import BadInput, NotFound
from cti.model.call_record import moment
from cti.model.transcription_standing import TranscriptionStanding
from cti.model.work import TRANSCRIBE, Work
from cti.web.auth import leader, worker
from cti.web.bodies import Body, Line, body_of
from cti.web.deps import Deps, deps

routes: Final = web.RouteTableDef()
MAX_RESULT_BYTES: Final = 64 * 1024 * 1024
"""Three hours of two people who talk all the time are 6 MB."""
MAX_WORKS: Final = 256


class TranscriptionOrder(Body):
    """`POST /calls/{id}/transcription`."""

    model: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$")] | None = None
    language: Annotated[str, StringConstraints(pattern=r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$")] | None = (
        None
    )


class Asking(Body):
    """What every worker says of himself."""

    worker: Annotated[Line, StringConstraints(max_length=120)] = "nameless"


class Take(Asking):
    """`POST /transcription/work/take`."""

    limit: int = Field(1, ge=1, le=64)


class Keep(Asking):
    """`POST /transcription/work/keep`."""

    works: list[dict[str, Any]] = Field(max_length=MAX_WORKS)


class OneWork(Asking):
    """About one piece of work, as it was taken."""

    work: dict[str, Any]


class Begin(OneWork):
    """`POST /transcription/work/begin`."""

    fingerprint: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Failed(OneWork):
    """`POST /transcription/work/failed`."""

    error: Annotated[str, StringConstraints(max_length=4000)]
    for_good: bool


Wish = TypeVar("Wish", bound=Asking)


@routes.get("/transcription")
async def get_transcription(request: web.Request) -> web.Response:
    """The queue: `waiting`, `running`, `dead`, `done_last_hour`, `oldest_due_at`, the workers; and the dead letters."""
    leader(request)
    parts = deps(request)
    dead = await parts.transcription.dead()
    standing = await parts.transcription.standing()
    return web.json_response(
        standing_record(standing)
        | {"dead_letters": [{"id": one.work_id, "call_id": one.call_id, "error": one.error} for one in dead]}
    )


@routes.post("/calls/{id:[0-9a-f]{32}}/transcription")
async def order_transcription(request: web.Request) -> web.Response:
    """Have a recording transcribed (again), with `model` or `language`; without them as its campaign has it.

    A transcript that is there is kept as an older version; the same model again changes nothing.
    """
    leader(request)
    call_id, wish = request.match_info["id"], await body_of(request, TranscriptionOrder)
    await deps(request).transcription.order(call_id, model=wish.model, language=wish.language)
    return web.json_response({"call_id": call_id}, status=202)


@routes.post("/transcription/dead/retry")
async def retry_all(request: web.Request) -> web.Response:
    """Have all dead letters tried again; `retried`: how many."""
    leader(request)
    return web.json_response({"retried": await deps(request).transcription.revive_all()})


@routes.post(r"/transcription/dead/{number:\d{1,18}}/retry")
async def retry_one(request: web.Request) -> web.Response:
    """Have one dead letter tried again."""
    leader(request)
    number = int(request.match_info["number"])
    if not await deps(request).transcription.revive(number):
        raise NotFound(f"there is no dead letter {number} of transcription")
    return web.json_response({"retried": 1})


@routes.post("/transcription/work/take")
async def take_work(request: web.Request) -> web.Response:
    """For workers: lease up to `limit` recordings. `works` are to be handed back as they are."""
    parts, wish = await _asked(request, Take)
    works = await parts.transcription.feed.take(wish.limit)
    return web.json_response({"works": [work_record(work) for work in works]})


@routes.post("/transcription/work/keep")
async def keep_work(request: web.Request) -> web.Response:
    """For workers: renew leases. `lost`: the ids of those that are no longer theirs."""
    parts, wish = await _asked(request, Keep)
    lost = await parts.transcription.feed.keep([_work(record) for record in wish.works])
    return web.json_response({"lost": sorted(lost)})


@routes.post("/transcription/work/begin")
async def begin_work(request: web.Request) -> web.Response:
    """For workers: ask before the effort. `go` is false when there is such a transcript, or the lease is lost."""
    parts, wish = await _asked(request, Begin)
    return web.json_response({"go": await parts.transcription.feed.begin(_work(wish.work), wish.fingerprint)})


@routes.post("/transcription/work/done")
async def finish_work(request: web.Request) -> web.Response:
    """For workers: hand in `work` and `transcript`; again changes nothing. `version` is null when it was refused."""
    worker(request)
    parts, record = deps(request), await _large_body(request)
    if not isinstance(record, dict) or not isinstance(record.get("transcript"), dict):
        raise BadInput("expected is an object with `work` and `transcript`")
    transcript, work = transcript_of(record["transcript"]), _work(record.get("work"))
    if transcript.call_id != work.key:
        raise BadInput(f"transcript.call_id: the work is about call {work.key}")
    parts.transcription.noted(str(record.get("worker", "nameless"))[:120])
    return web.json_response({"version": await parts.transcription.feed.done(work, transcript)})


@routes.post("/transcription/work/failed")
async def fail_work(request: web.Request) -> web.Response:
    """For workers: say that it failed, and whether `for_good`."""
    parts, wish = await _asked(request, Failed)
    await parts.transcription.feed.failed(_work(wish.work), wish.error, for_good=wish.for_good)
    return web.json_response({})


@routes.post("/transcription/work/give-back")
async def give_back_work(request: web.Request) -> web.Response:
    """For workers: give it back, not counted."""
    parts, wish = await _asked(request, OneWork)
    await parts.transcription.feed.give_back(_work(wish.work))
    return web.json_response({})


@routes.post("/transcription/work/pressure")
async def get_pressure(request: web.Request) -> web.Response:
    """For workers: how many calls are up (`live_calls`), so that they can stand back."""
    parts, _ = await _asked(request, Asking)
    return web.json_response({"live_calls": await parts.transcription.feed.live_calls()})


def standing_record(standing: TranscriptionStanding) -> dict[str, Any]:
    """Return it as JSON values."""
    return {
        "waiting": standing.waiting,
        "running": standing.running,
        "dead": standing.dead,
        "done_last_hour": standing.done_last_hour,
        "oldest_due_at": moment(standing.oldest_due_at) if standing.oldest_due_at else None,
        "workers_wanted": standing.workers_wanted,
        "workers_alive": standing.workers_alive,
        "workers_seen": list(standing.seen),
        "redis": standing.redis,
    }


async def _asked(request: web.Request, model: type[Wish]) -> tuple[Deps, Wish]:
    worker(request)
    parts, wish = deps(request), await body_of(request, model)
    parts.transcription.noted(wish.worker)
    return parts, wish


def _work(record: object) -> Work:
    if not isinstance(record, dict):
        raise BadInput("work: is missing")
    work = work_of(record)
    if work.kind != TRANSCRIBE:
        raise BadInput(f"work.kind: must be {TRANSCRIBE}")
    return work


async def _large_body(request: web.Request) -> Any:
    """Read a body beyond the usual limit, for a long call's transcript. Raises BadInput."""
    parts, size = [], 0
    async for piece in request.content.iter_chunked(1 << 16):
        size += len(piece)
        if size > MAX_RESULT_BYTES:
            raise BadInput(f"the result is larger than {MAX_RESULT_BYTES} bytes")
        parts.append(piece)
    try:
        return await asyncio.to_thread(json.loads, b"".join(parts))
    except ValueError as error:
        raise BadInput(f"the body is no JSON: {error}") from None
