"""Sends a recording: all of it, or the bytes a player asks for. Knows nothing of where it lies."""

import asyncio
import logging
from typing import Final

from aiohttp import web

from cti.errors import CtiError
from cti.model.queries import RecordingFacts
from cti.model.recordings import CONTENT_TYPES
from cti.recording.ports import Source
from cti.web.ranges import NoSuchRange, names_etag, wanted_range

log = logging.getLogger(__name__)

PIECE: Final = 1 << 18


async def send_sound(
    request: web.Request, call_id: str, facts: RecordingFacts, source: Source
) -> web.StreamResponse:
    """Answer with the recording; understands Range, If-Range, If-None-Match and HEAD."""
    etag = f'"{facts.sha256 or f"{call_id}-{source.size}"}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private",
    }
    if names_etag(request.headers.get("If-None-Match"), etag):
        return web.Response(status=304, headers=headers)
    asked, if_range = request.headers.get("Range"), request.headers.get("If-Range")
    try:
        part = wanted_range(asked, if_range, etag=etag, size=source.size)
    except NoSuchRange:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{source.size}"})
    headers |= {
        "Content-Type": CONTENT_TYPES[facts.format],
        "Content-Disposition": f'inline; filename="{call_id}.{facts.format.value}"',
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{source.size}"
    span = range(source.size) if part is None else part
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    response.content_length = len(span)
    await _send(request, response, source, span)
    return response


async def _send(request: web.Request, response: web.StreamResponse, source: Source, span: range) -> None:
    # The first piece before the head: what cannot be read is then still answered as an error.
    piece = await asyncio.to_thread(source.read, span.start, min(PIECE, len(span)))
    await response.prepare(request)
    if request.method == "HEAD":
        return
    at = span.start
    while piece:
        await response.write(piece)
        at += len(piece)
        piece = await _next(request, source, at, min(PIECE, span.stop - at))
    await response.write_eof()


async def _next(request: web.Request, source: Source, start: int, length: int) -> bytes:
    """Read on; an answer that has begun can only be broken off, so that nobody takes it for whole."""
    if length <= 0:
        return b""
    try:
        piece = await asyncio.to_thread(source.read, start, length)
    except CtiError as error:
        problem = str(error)
    else:
        if piece:
            return piece
        problem = "it ends too early"
    log.error("%s is broken off: %s", request.path, problem)
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError(problem)
