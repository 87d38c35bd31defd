"""Who is asking, and may he. Bearer tokens; only their digests are kept, and they are compared in constant time."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from cti.errors import CtiError
from cti.model.access import Grant, Role

GRANTS: Final[web.AppKey[tuple[Grant, ...]]] = web.AppKey("grants", tuple)
CALLER: Final = web.RequestKey("caller", Grant)
FOR_SYNC: Final = re.compile(r"/api/v1/crm/work/[a-z-]+")
"""Everything else is closed to the token of a process that writes to CRMs. Here and not in the handlers: one that
forgot to ask would be open."""
LEADERS: Final = frozenset({Role.ADMIN, Role.LEAD})


class Unauthorized(CtiError):
    """No token, or one that is not known."""


class Forbidden(CtiError):
    """The token is known, but may not do this."""


def grant_for(token: str, grants: Sequence[Grant]) -> Grant:
    """Return whose token this is. Looks at all of them, so that time tells nothing. Raises Unauthorized."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
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
    """Return whose token this is. Raises Unauthorized, Forbidden for a sync token outside of its work."""
    grants = request.app[GRANTS]
    grant = grant_for(token, grants)
    if grant.role is Role.SYNC and not FOR_SYNC.fullmatch(request.path):
        raise Forbidden("this token is for writing to CRMs alone")
    return grant


def caller(request: web.Request) -> Grant:
    """Return who is asking. Raises Unauthorized."""
    if CALLER not in request:
        token = bearer(request)
        if token is None:
            raise Unauthorized("a token is needed: `Authorization: Bearer TOKEN`")
        request[CALLER] = known(request, token)
    return request[CALLER]


def leader(request: web.Request) -> Grant:
    """Return who is asking, an admin or a lead. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    if grant.role not in LEADERS:
        raise Forbidden("this needs the role lead or admin")
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
