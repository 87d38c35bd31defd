"""Errors to answers: the one place where the API catches.

Every answer that is not a success is `{"error": {"kind", "message", ...}}`. Our own errors carry a sentence for a
person; of anything else nothing is told but that it is our fault, and the log has the rest.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from cti.errors import (
    BadInput,
    BrokenSound,
    Conflict,
    CtiError,
    FileMissing,
    Gone,
    NodeDown,
    NodeRefused,
    NodeSilent,
    NotFound,
    RecordingError,
    StorageError,
    WrongKey,
)
from cti.hooks.dial_desk import Several
from cti.model.pops import card_record
from cti.web.auth import Forbidden, Unauthorized
from cti.web.bodies import BadFields

log = logging.getLogger(__name__)

ANSWERS: Final[Mapping[type[CtiError], tuple[int, str]]] = {
    Unauthorized: (401, "unauthorized"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not_found"),
    Gone: (410, "gone"),
    Conflict: (409, "conflict"),
    BadInput: (422, "bad_input"),
    NodeRefused: (502, "node_refused"),
    NodeDown: (503, "node_down"),
    NodeSilent: (504, "node_silent"),
    RecordingError: (503, "recording"),
    FileMissing: (404, "not_found"),
    BrokenSound: (500, "recording"),
    WrongKey: (500, "recording"),
    StorageError: (500, "storage"),
}
"""Status and kind by error; a subclass is answered as its nearest base that stands here."""

STATUS_KINDS: Final[Mapping[int, str]] = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


@web.middleware
async def errors_to_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as JSON."""
    try:
        return await handler(request)
    except CtiError as error:
        return answer_to(error, request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _error(error.status, STATUS_KINDS.get(error.status, "http"), error.reason or "", error.headers)
    except ConnectionError:
        raise
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _error(500, "internal", "something went wrong here; the log has the details")


def answer_to(error: CtiError, request: web.Request) -> web.Response:
    """Return the answer to one of our own errors."""
    status, kind = next((ANSWERS[base] for base in type(error).__mro__ if base in ANSWERS), (500, "internal"))
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    match error:
        case Unauthorized():
            headers["WWW-Authenticate"] = "Bearer"
        case StorageError(temporary=True):
            status, kind = 503, "storage_away"
        case Several(cards=cards):
            more["matches"] = [card_record(card) for card in cards]
        case BadFields():
            more["problems"] = [{"field": field, "message": message} for field, message in error.problems]
    if status == 503:
        headers["Retry-After"] = "1"
    if status >= 500:
        log.warning("%s %s: %s", request.method, request.path, error)
    return _error(status, kind, str(error), headers, **more)


def _error(
    status: int, kind: str, message: str, headers: Mapping[str, str] | None = None, **more: Any
) -> web.Response:
    kept = {name: value for name, value in (headers or {}).items() if name in KEPT_HEADERS}
    return web.json_response(
        {"error": {"kind": kind, "message": message, **more}}, status=status, headers=kept
    )


KEPT_HEADERS: Final = frozenset({"Allow", "WWW-Authenticate", "Retry-After"})
