"""Files that are sent as a request's body, piece by piece."""

from collections.abc import AsyncIterator

from aiohttp import web

from cti.errors import BadInput


async def file_chunks(request: web.Request, *, most_bytes: int) -> AsyncIterator[bytes]:
    """Give the body as it comes. Raises BadInput when it is longer."""
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            raise BadInput(f"the file is larger than {most_bytes} bytes")
        yield chunk
