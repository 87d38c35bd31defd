"""Bodies beyond the usual limit, of processes of ours."""

import asyncio
import json
from typing import Any, Final

from aiohttp import web

from cti.errors import BadInput

MAX_RESULT_BYTES: Final = 64 * 1024 * 1024


async def large_body(request: web.Request) -> dict[str, Any]:
    """Read a body beyond the usual limit: transcripts of many calls. Raises BadInput."""
    parts, size = [], 0
    async for piece in request.content.iter_chunked(1 << 16):
        size += len(piece)
        if size > MAX_RESULT_BYTES:
            raise BadInput(f"the body is larger than {MAX_RESULT_BYTES} bytes")
        parts.append(piece)
    try:
        body = await asyncio.to_thread(json.loads, b"".join(parts))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadInput("the body is no JSON object")
    return body
