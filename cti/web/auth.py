"""Who is asking, and may he. Bearer tokens; only their digests are kept, and they are compared in constant time."""

import hmac
import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from cti.errors import CtiError
from cti.model.access import Grant, Role, digest_of

GRANTS: Final[web.AppKey[tuple[Grant, ...]]] = web.AppKey("grants", tuple)
CALLER: Final = web.RequestKey("caller", Grant)
FOR_WORKERS: Final = re.compile(r"/api/v1/(transcription/work/[a-z-]+|calls/[0-9a-f]{32}/recording)")
"""Everything else is closed to a worker's token, which lies on other machines. Here and not in the handlers: one that
forgot to ask would be open."""
FOR_SYNC: Final = re.compile(r"/api/v1/crm/work/[a-z-]+")
"""Everything else is closed to the token of a process that writes to CRMs. Here and not in the handlers: one that
forgot to ask would be open."""
LEADERS: Final = frozenset({Role.ADMIN, Role.LEAD})
REVIEWERS: Final = LEADERS | {Role.QA}
QUALITY: Final = "/api/v1/quality/"
"""Where a reviewer may change something."""
READING: Final = frozenset({"GET", "HEAD"})


class Unauthorized(CtiError):
    """No token, or one that is not known."""


class Forbidden(CtiError):
    """The token is known, but may not do this."""


def grant_for(token: str, grants: Sequence[Grant]) -> Grant:
    """Return whose token this is. Looks at all of them, so that time tells nothing. Raises Unauthorized."""
    digest = digest_of(token)
    found = [grant for grant in grants if hmac.compare_digest(grant.sha256, digest)]
    if not found:
        raise Unauthorized("this token is not known")
    return found[0]


def bearer(request: web.Request) -> str | None:
    """Return the token of the Authorization header, None without one. Raises Unauthorized for another scheme."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise Unauthorized("expected is the header `Authorization: Bearer TOKEN`")
    return token.strip()


def known(request: web.Request, token: str) -> Grant:
    """Return whose token this is. Raises Unauthorized, Forbidden for a worker's outside of his work."""
    grants = request.app[GRANTS]
    grant = grant_for(token, grants)
    if grant.role is Role.WORKER and not FOR_WORKERS.fullmatch(request.path):
        raise Forbidden("a worker's token is for transcribing alone")
    if grant.role is Role.SYNC and not FOR_SYNC.fullmatch(request.path):
        raise Forbidden("this token is for writing to CRMs alone")
    return grant


def caller(request: web.Request) -> Grant:
    """Return who is asking. Raises Unauthorized, and Forbidden for a reviewer who would change more than reviews."""
    if CALLER not in request:
        token = bearer(request)
        if token is None:
            raise Unauthorized("a token is needed: `Authorization: Bearer TOKEN`")
        request[CALLER] = known(request, token)
    grant = request[CALLER]
    if grant.role is Role.QA and request.method not in READING and not request.path.startswith(QUALITY):
        raise Forbidden("the role qa may change nothing but reviews")
    return grant


def leader(request: web.Request) -> Grant:
    """Return who is asking, an admin or a lead. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    if grant.role not in LEADERS:
        raise Forbidden("this needs the role lead or admin")
    return grant


def worker(request: web.Request) -> Grant:
    """Return who is asking, a worker or an admin. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    if grant.role not in (Role.WORKER, Role.ADMIN):
        raise Forbidden("this needs the role worker")
    return grant


def reviewer(request: web.Request) -> Grant:
    """Return who is asking: an admin, a lead or a reviewer. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    if grant.role not in REVIEWERS:
        raise Forbidden("this needs the role qa, lead or admin")
    return grant


def syncer(request: web.Request) -> Grant:
    """Return who is asking, a process that writes to CRMs or an admin. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    if grant.role not in (Role.SYNC, Role.ADMIN):
        raise Forbidden("this needs the role sync")
    return grant


def may_act_for(request: web.Request, login: str) -> Grant:
    """Return who is asking: a leader, or the agent himself. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    if grant.role is Role.AGENT and grant.agent != login:
        raise Forbidden("an agent may only act for himself")
    return grant
