"""Reports, and the comparison with Asterisk's own records."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web
from pydantic import AwareDatetime

from cti.errors import BadInput, NotFound
from cti.model.call_record import moment
from cti.model.tables import ReportKind
from cti.web.answers import Format, table_answer
from cti.web.auth import leader
from cti.web.bodies import Body, Query, body_of, query_of
from cti.web.deps import Deps, deps

routes: Final = web.RouteTableDef()
DEFAULT_SPAN: Final = timedelta(days=1)


class ReportQuery(Query):
    """`GET /reports/{kind}`: the span, by default the last 24 hours."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    format: Format = Format.JSON


class Reconcile(Body):
    """`POST /reconcile`: `since` when; by default the last 24 hours."""

    since: AwareDatetime | None = None


@routes.get("/reports/{kind}")
async def get_report(request: web.Request) -> web.Response:
    """Calls by agent, campaign, hour or outcome; agents' time by state. JSON or CSV."""
    leader(request)
    parts, wanted = deps(request), query_of(request, ReportQuery)
    kind = _kind(request.match_info["kind"])
    until = wanted.until or parts.clock.now()
    since = wanted.since or until - DEFAULT_SPAN
    if since >= until:
        raise BadInput("since: must be before until")
    table = await parts.reports.report(kind, since=since, until=until)
    return table_answer(table, wanted.format, f"{kind}.csv")


@routes.post("/reconcile")
async def reconcile(request: web.Request) -> web.Response:
    """Compare our calls with Asterisk's own records now. `ok`: something was compared and nothing differs."""
    leader(request)
    parts, wanted = deps(request), await body_of(request, Reconcile)
    found = await parts.reconciler.run(wanted.since or _default_since(parts))
    return web.json_response(
        {
            "since": moment(found.since),
            "compared": found.compared,
            "ok": found.compared > 0 and not found.differences,
            "differences": [asdict(difference) for difference in found.differences],
        }
    )


def _default_since(parts: Deps) -> datetime:
    return parts.clock.now() - DEFAULT_SPAN


def _kind(name: str) -> ReportKind:
    try:
        return ReportKind(name)
    except ValueError:
        raise NotFound(f"there is no report {name!r}; there are: {', '.join(ReportKind)}") from None
