"""The floor now, and whether the service is well."""

from dataclasses import asdict, replace
from typing import Any, Final

from aiohttp import web

from cti import __version__
from cti.errors import StorageError
from cti.model.call_record import call_record, moment
from cti.model.queries import CallFilter, CallRow
from cti.model.vocabulary import agent_record
from cti.web.api.campaigns import with_progress
from cti.web.api.transcription import standing_record
from cti.web.auth import bearer, leader
from cti.web.deps import Deps, deps

routes: Final = web.RouteTableDef()
JUST_ENDED: Final = 100
"""Calls that the database may not know to be over yet: they must not crowd out those that are up."""


@routes.get("/floor")
async def get_floor(request: web.Request) -> web.Response:
    """A picture of this moment: `nodes`, `agents`, `calls` that are up, `campaigns` with their progress."""
    leader(request)
    parts = deps(request)
    return web.json_response(
        {
            "at": moment(parts.clock.now()),
            "nodes": [asdict(node) for node in parts.nodes.standing()],
            "agents": [agent_record(agent) for agent in parts.agents.agents()],
            "calls": [call_record(row) for row in await _open_calls(parts)],
            "campaigns": await _campaigns(parts),
        }
    )


@routes.get("/health")
async def get_health(request: web.Request) -> web.Response:
    """`ok` and status 200 when database and nodes are there, else `degraded` and 503. Details need a token.

    Without room for recordings it is `degraded` and 200: calls go on, and nobody should start the service anew for it.
    """
    parts = deps(request)
    nodes, database = parts.nodes.standing(), await _database_problem(parts)
    well = database is None and all(node.connected for node in nodes)
    unrecorded = parts.space.stopped
    answer: dict[str, Any] = {
        "status": "ok" if well and not unrecorded else "degraded",
        "version": __version__,
        "recording": "stopped" if unrecorded else "ok",
    }
    if bearer(request) is not None:
        leader(request)
        answer |= {"database": database or "ok", "nodes": [asdict(node) for node in nodes]}
        if database is None:
            answer["transcription"] = standing_record(await parts.transcription.standing())
        answer["recording_stopped"] = [
            {"node": node or None, "reason": reason} for node, reason in sorted(unrecorded.items())
        ]
    return web.json_response(answer, status=200 if well else 503)


async def _open_calls(parts: Deps) -> list[CallRow]:
    """Return the calls that are up as they are now, with what the database adds that does not change with them."""
    calls = parts.calls.open_calls()
    if not calls:
        return []
    stored = await parts.facts.call_rows(CallFilter(open_only=True, limit=len(calls) + JUST_ENDED))
    rows = {row.call.id: row for row in stored}
    return [replace(rows.get(call.id) or CallRow(call=call), call=call, agent_login=None) for call in calls]


async def _campaigns(parts: Deps) -> list[dict[str, Any]]:
    return [
        with_progress(campaign, await parts.campaigns.progress(campaign.id))
        for campaign in await parts.campaigns.campaigns()
    ]


async def _database_problem(parts: Deps) -> str | None:
    try:
        await parts.facts.call_rows(CallFilter(limit=1))
    except StorageError as error:
        return str(error)
    return None
