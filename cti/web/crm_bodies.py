"""Bodies of requests about CRMs that several modules read."""

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import StringConstraints

from cti.errors import BadInput

MAX_RESULT_BYTES: Final = 64 * 1024 * 1024
MAX_WORKS: Final = 2000
MOST_REQUESTS: Final = 1_000_000

TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


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


def requests_of(body: Mapping[str, Any]) -> int:
    """Return how many requests something took beyond those that were reckoned with. Raises BadInput."""
    value = body.get("more_requests", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_REQUESTS:
        raise BadInput(f"more_requests: must be a number from 0 to {MOST_REQUESTS}")
    return value
