"""The page behind a link that dials: it asks, and a click calls. No script, nothing from elsewhere.

Opening it calls nobody, since browsers and mail programs open links by themselves. The link is the right to call once,
so it needs no login; what it may do is what click to call may do for that agent.
"""

import base64
import hashlib
from html import escape
from typing import Final

from aiohttp import web

from cti.errors import BadInput, Conflict, CtiError, NodeError, NotFound
from cti.hooks.links import DialLink, LinkRefused
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
TOKEN: Final = "{token:[A-Za-z0-9_.-]{1,2000}}"  # noqa: S105 (a pattern)
STYLE: Final = (
    "body{font:16px system-ui,sans-serif;max-width:26em;margin:4em auto;padding:0 1em}"
    "button{font:inherit;padding:.6em 2em}dt{color:#555}dd{margin:0 0 .6em}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The address is a right to call: it is neither kept nor told to other sites, and nobody frames the button."""


@routes.get(f"/dial/{TOKEN}")
async def ask(request: web.Request) -> web.Response:
    """Show what the link would do."""
    try:
        link = deps(request).dial.read(request.match_info["token"])
    except LinkRefused as error:
        return _page("No call", _said(str(error)), status=403)
    return _page("Call?", _facts(link) + "<form method=post><button>Call</button></form>")


@routes.post(f"/dial/{TOKEN}")
async def call(request: web.Request) -> web.Response:
    """Call, once."""
    try:
        made = await deps(request).dial.follow(request.match_info["token"])
    except LinkRefused as error:
        return _page("No call", _said(str(error)), status=403)
    except (NotFound, Conflict, BadInput) as error:
        return _page("No call", _said(str(error)), status=409)
    except NodeError as error:
        return _page("No call", _said(str(error)), status=503)
    except CtiError:
        return _page("No call", _said("the service cannot call now"), status=503)
    return _page("Calling", _said(f"{made.number} is being called; your phone is next."))


def _facts(link: DialLink) -> str:
    rows = (
        ("For", link.agent),
        ("Campaign", link.campaign),
        ("Number", link.number),
        ("Contact", link.contact_id),
        ("Record", link.crm_ref),
    )
    told = "".join(
        f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in rows if value is not None
    )
    return f"<dl>{told}</dl>"


def _said(sentence: str) -> str:
    return f"<p>{escape(sentence)}</p>"


def _page(title: str, content: str, *, status: int = 200) -> web.Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{content}</html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
