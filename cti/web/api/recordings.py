"""Recordings: heard, drawn, paused, held, checked, encrypted anew."""

from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.model.access import Grant, Role
from cti.model.call_record import moment
from cti.model.calls import Call
from cti.model.recordings import Pause
from cti.model.transcripts import CHANNELS
from cti.recording.desk import Described
from cti.web.api.calls import ID
from cti.web.auth import Forbidden, caller, leader
from cti.web.bodies import Body, body_of
from cti.web.call_access import visible_call
from cti.web.deps import Deps, agent_called, deps
from cti.web.sound import send_sound

routes: Final = web.RouteTableDef()


class Hold(Body):
    """`PUT /calls/{id}/recording/hold`."""

    held: bool
    reason: Annotated[str, StringConstraints(max_length=1000)] = ""


class Verify(Body):
    """`POST /recordings/verify`."""

    after: Annotated[str, StringConstraints(pattern="^([0-9a-f]{32})?$")] = ""
    limit: int = Field(20, ge=1, le=200)


@routes.get(f"/calls/{ID}/recording")
async def get_recording(request: web.Request) -> web.StreamResponse:
    """The recording, left the customer, right the agent: WAV, FLAC or Ogg Opus. 410 once its time was over.

    Understands `Range` (206, 416), `If-Range`, `If-None-Match` and `HEAD`; `ETag` is the SHA-256 of the file.
    """
    row, desk = await visible_call(request), deps(request).recordings
    facts = await desk.facts(row.call.id)
    return await send_sound(request, row.call.id, facts, await desk.source(facts))


@routes.get(f"/calls/{ID}/recording/facts")
async def get_facts(request: web.Request) -> web.Response:
    """All that is known of a recording, the stretches of silence (`pauses`) and the holds with it."""
    row = await visible_call(request)
    described = await deps(request).recordings.described(row.call.id)
    return web.json_response(_described(row.call.id, described))


@routes.get(f"/calls/{ID}/recording/peaks")
async def get_peaks(request: web.Request) -> web.Response:
    """The outline: for each channel `low` and `high`, -128 to 127, a value for every `bucket_seconds`."""
    row, desk = await visible_call(request), deps(request).recordings
    peaks = await desk.peaks(row.call.id)
    answer: dict[str, Any] = {"bucket_seconds": peaks.bucket_ms / 1000}
    for channel in range(peaks.channels):
        low, high = peaks.of_channel(channel)
        answer[CHANNELS[channel].value] = {"low": low, "high": high}
    started = row.recording.recorded_at if row.recording else None
    answer["pauses"] = [_pause(one, started) for one in await desk.pauses(row.call.id)]
    return web.json_response(answer)


@routes.post(f"/calls/{ID}/recording/pause")
async def pause(request: web.Request) -> web.Response:
    """From the answer to this on the recording of a call that is up holds silence; its time goes on.

    For an agent of the call, a lead, an admin. `changed` is false when it was paused already.
    """
    call, grant = _own_call(request)
    changed = await deps(request).pauses.pause(call.id, by=_who(grant))
    return web.json_response({"call_id": call.id, "paused": True, "changed": changed})


@routes.post(f"/calls/{ID}/recording/resume")
async def resume(request: web.Request) -> web.Response:
    """The recording holds sound again. `changed` is false when it was not paused."""
    call, grant = _own_call(request)
    changed = await deps(request).pauses.resume(call.id, by=_who(grant))
    return web.json_response({"call_id": call.id, "paused": False, "changed": changed})


@routes.put(f"/calls/{ID}/recording/hold")
async def put_hold(request: web.Request) -> web.Response:
    """Set (`held`) or clear the legal hold: what is held is not deleted, whatever its class says."""
    grant = leader(request)
    wish, call_id = await body_of(request, Hold), request.match_info["id"]
    described = await deps(request).recordings.hold(
        call_id, held=wish.held, by=_who(grant), reason=wish.reason
    )
    return web.json_response(_described(call_id, described))


@routes.get("/recordings")
async def get_recordings(request: web.Request) -> web.Response:
    """How many there are: `recordings`, and by retention class `classes`."""
    leader(request)
    desk = deps(request).recordings
    classes = [
        {"class": one.retention or None, "days": one.days, "recordings": one.recordings, "held": one.held}
        for one in await desk.retention()
    ]
    return web.json_response({"recordings": await desk.count(), "classes": classes})


@routes.post("/recordings/verify")
async def verify(request: web.Request) -> web.Response:
    """Read `limit` recordings through, from the call id behind `after` on, and compare their checksums.

    `next`: where to go on, null at the end. `bad`: those that are not as they were kept.
    """
    leader(request)
    wish = await body_of(request, Verify)
    found = await deps(request).recordings.verify(after=wish.after, limit=wish.limit)
    bad = [{"call_id": one.call_id, "path": one.path, "problem": one.problem} for one in found.bad]
    return web.json_response({"checked": found.checked, "bad": bad, "next": found.last})


@routes.post("/recordings/rotate")
async def rotate(request: web.Request) -> web.Response:
    """Order the work that encrypts all recordings with the current key; `ordered` says how many."""
    leader(request)
    return web.json_response({"ordered": await deps(request).recordings.rotate()})


@routes.get("/recordings/rotation")
async def get_rotation(request: web.Request) -> web.Response:
    """`left`: recordings that are not yet encrypted with the current key."""
    leader(request)
    return web.json_response({"left": await deps(request).recordings.left_to_rotate()})


def _own_call(request: web.Request) -> tuple[Call, Grant]:
    """Return the call of the path, which is up. Raises NotFound, and Forbidden when it is another agent's."""
    grant, parts = caller(request), deps(request)
    call = parts.pauses.call(request.match_info["id"])
    if grant.role is Role.AGENT and not _is_of(parts, grant, call):
        raise Forbidden("an agent may only pause the recording of his own call")
    return call, grant


def _is_of(parts: Deps, grant: Grant, call: Call) -> bool:
    agent_id = agent_called(parts, grant.agent or "").id
    return agent_id in {call.agent_id, *(join.agent_id for join in call.joins)}


def _who(grant: Grant) -> str:
    return grant.agent or grant.name


def _described(call_id: str, described: Described) -> dict[str, Any]:
    facts = described.facts
    return {
        "call_id": call_id,
        "path": facts.path,
        "problem": facts.problem,
        "seconds": facts.seconds,
        "size_bytes": facts.size_bytes,
        "sha256": facts.sha256,
        "place": facts.place.value,
        "format": facts.format.value,
        "encrypted": facts.key_id is not None,
        "class": facts.retention or None,
        "recorded_at": moment(facts.recorded_at),
        "delete_after": moment(described.delete_after),
        "deleted_at": moment(facts.deleted_at),
        "held": facts.held,
        "holds": [
            {"held": step.held, "by": step.by, "reason": step.reason, "at": moment(step.at)}
            for step in described.holds
        ],
        "pauses": [_pause(one, facts.recorded_at) for one in described.pauses],
    }


def _pause(pause: Pause, started: datetime | None) -> dict[str, Any]:
    """Return a stretch of silence: its times, and its seconds from the recording's beginning."""

    def second(at: datetime | None) -> float | None:
        return round(max((at - started).total_seconds(), 0.0), 3) if at and started else None

    return {
        "start": second(pause.began_at),
        "end": second(pause.ended_at),
        "began_at": moment(pause.began_at),
        "ended_at": moment(pause.ended_at),
        "by": pause.by,
    }
