"""Live events over a WebSocket.

A client that is too slow misses events, and is told how many, so that it can load anew; it never slows the service.
The token comes in the header, or, from a browser, in the first message. Knows nothing of what the events mean.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Final
from weakref import WeakSet

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field, ValidationError

from cti.bus import Subscription
from cti.errors import CtiError
from cti.model.access import Grant, Role
from cti.model.events import (
    AgentMoved,
    CallbackMoved,
    CallFlagged,
    CallMoved,
    ContactMoved,
    DispositionSet,
    Event,
    PreviewEnded,
    PreviewOffered,
    ScoreFatal,
    ScreenPop,
)
from cti.model.vocabulary import VERSION, EventType, told
from cti.web.auth import Unauthorized, bearer, known
from cti.web.bodies import Body, Query, query_of
from cti.web.deps import agent_called, deps

log = logging.getLogger(__name__)

routes: Final = web.RouteTableDef()
SOCKETS: Final[web.AppKey[WeakSet[web.WebSocketResponse]]] = web.AppKey("sockets", WeakSet)
FIRST_MESSAGE_SECONDS: Final = 10.0
HEARTBEAT_SECONDS: Final = 30.0


class EventsQuery(Query):
    """`GET /events`: `types`, a comma-separated list of names or patterns such as `call.*`."""

    types: str = "*"


class FirstMessage(Body):
    """What a client that cannot send headers says first."""

    token: str = Field(max_length=1000)


@routes.get("/events")
async def live_events(request: web.Request) -> web.WebSocketResponse:
    """WebSocket: one JSON message per event. Without the header, the first message is `{"token": TOKEN}`."""
    wanted = query_of(request, EventsQuery).types.split(",")
    token = bearer(request)
    grant = known(request, token) if token else None
    # Not compressed: events are wanted at once, and a core is better spent on calls.
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=4096, compress=False)
    await socket.prepare(request)
    try:
        grant = grant or await _introduced(request, socket)
        visible = _visible(request, grant)
    except CtiError as error:
        await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(error).encode())
        return socket
    parts = deps(request)
    request.app[SOCKETS].add(socket)
    with parts.bus.subscribe(parts.live_queue) as subscription:
        await socket.send_json({"v": VERSION, "type": "hello"})
        await _until_closed(socket, _sender(socket, subscription, visible, wanted))
    return socket


async def say_goodbye(app: web.Application) -> None:
    """Close all connections, so that the end of the service waits for no client."""
    sockets = app[SOCKETS]
    async with asyncio.TaskGroup() as closing:
        for socket in list(sockets):
            closing.create_task(_close(socket))


async def _close(socket: web.WebSocketResponse) -> None:
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(1.0):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the service ends")


async def _introduced(request: web.Request, socket: web.WebSocketResponse) -> Grant:
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise Unauthorized("the first message must be the token")
        said = FirstMessage.model_validate_json(message.data)
    except (TimeoutError, ValidationError):
        raise Unauthorized('the first message must be {"token": TOKEN}') from None
    return known(request, said.token)


async def _until_closed(socket: web.WebSocketResponse, sender: Coroutine[None, None, None]) -> None:
    """Send until the client goes; what it says meanwhile is passed over."""
    sending = asyncio.create_task(_closing(socket, sender), name="live-sender")
    try:
        async for _ in socket:
            pass
    finally:
        sending.cancel()
        await asyncio.wait({sending})


async def _closing(socket: web.WebSocketResponse, sender: Coroutine[None, None, None]) -> None:
    """Send; when that fails, end the connection: a client must not wait for events that never come."""
    try:
        await sender
    except ConnectionError:
        await socket.close()
    except Exception:
        log.exception("live events to a client failed")
        await socket.close(code=WSCloseCode.INTERNAL_ERROR)


async def _sender(
    socket: web.WebSocketResponse,
    subscription: Subscription,
    visible: Callable[[Event], bool],
    wanted: list[str],
) -> None:
    while True:
        event = await subscription.get()
        if subscription.missed:
            missed, subscription.missed = subscription.missed, 0
            await socket.send_json({"v": VERSION, "type": "missed", "missed": missed})
        if not visible(event):
            continue
        known = told(event)
        if known and _is_wanted(known.type, wanted):
            await socket.send_str(json.dumps(known.envelope(), ensure_ascii=False))


def _is_wanted(kind: EventType, wanted: list[str]) -> bool:
    return any(fnmatchcase(kind, pattern.strip()) for pattern in wanted)


def _visible(request: web.Request, grant: Grant) -> Callable[[Event], bool]:
    """Return whether this client may see an event: a leader all, an agent what is about himself."""
    if grant.role is not Role.AGENT:
        return lambda event: True
    agent_id = agent_called(deps(request), grant.agent or "").id

    def about_him(event: Event) -> bool:
        match event:
            case CallMoved(call=call):
                return agent_id in {call.agent_id, *(join.agent_id for join in call.joins)}
            case AgentMoved(agent=agent):
                return agent.id == agent_id
            case CallbackMoved(callback=one):
                return one.agent_id == agent_id
            case (
                PreviewOffered(agent_id=whose)
                | PreviewEnded(agent_id=whose)
                | DispositionSet(agent_id=whose)
                | ScreenPop(agent_id=whose)
            ):
                return whose == agent_id
            case CallFlagged(agent_id=whose) | ScoreFatal(agent_id=whose):
                return whose == agent_id
            case ContactMoved(before=before, after=after):
                return agent_id in (before, after)
        return False

    return about_him
