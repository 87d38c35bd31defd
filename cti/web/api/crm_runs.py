"""Reconciliations with CRMs: ordering one, and what they found."""

from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from cti.model.call_record import moment
from cti.model.crm_reconciliation import Finding, FindingKind, Reconciliation
from cti.web.auth import caller, leader
from cti.web.bodies import Body, Query, body_of, query_of
from cti.web.crm_bodies import TargetName
from cti.web.deps import deps

routes: Final = web.RouteTableDef()


class RunsQuery(Query):
    """`GET /crm/reconciliations`."""

    target: TargetName | None = None
    before: int | None = Field(None, ge=1, lt=1 << 63)
    """Runs with smaller numbers."""
    limit: int = Field(100, ge=1, le=1000)


class FindingsQuery(Query):
    """`GET /crm/reconciliations/{number}`."""

    kind: FindingKind | None = None
    after: int = Field(0, ge=0, lt=1 << 63)
    """Findings with greater numbers."""
    limit: int = Field(100, ge=1, le=1000)


class OrderRun(Body):
    """`POST /crm/reconciliations`."""

    target: TargetName | None = None
    """None: every one."""
    since: Annotated[AwareDatetime | None, Field(strict=False)] = None
    """Calls placed from then on; None: of the last 26 hours."""
    until: Annotated[AwareDatetime | None, Field(strict=False)] = None
    mend: bool = False
    """Also remove extra records there, and remember deletions however many they are."""
    overwrite: bool = False
    """Also write over what people changed there."""


@routes.get("/crm/reconciliations")
async def list_runs(request: web.Request) -> web.Response:
    """Reconciliations, newest first; `next`: give it as `before` for those that follow, null: none do."""
    leader(request)
    wanted = query_of(request, RunsQuery)
    runs = await deps(request).crm.reconciliations.runs(
        target=wanted.target, before=wanted.before, limit=wanted.limit + 1
    )
    page = runs[: wanted.limit]
    return web.json_response(
        {
            "reconciliations": [run_record(one) for one in page],
            "next": page[-1].id if len(runs) > len(page) else None,
        }
    )


@routes.get(r"/crm/reconciliations/{number:\d{1,18}}")
async def get_run(request: web.Request) -> web.Response:
    """One reconciliation with its `findings`; `next`: give it as `after` for those that follow, null: none do."""
    leader(request)
    wanted = query_of(request, FindingsQuery)
    desk, number = deps(request).crm.reconciliations, int(request.match_info["number"])
    run = await desk.run(number)
    found = await desk.findings(number, kind=wanted.kind, after=wanted.after, limit=wanted.limit + 1)
    page = found[: wanted.limit]
    return web.json_response(
        run_record(run)
        | {
            "findings": [_finding(*one) for one in page],
            "next": page[-1][0] if len(found) > len(page) else None,
        }
    )


@routes.post("/crm/reconciliations")
async def order_run(request: web.Request) -> web.Response:
    """Order a reconciliation of one `target` or of all; the process that writes to CRMs carries it out."""
    leader(request)
    wish = await body_of(request, OrderRun)
    runs = await deps(request).crm.reconciliations.order(
        by=caller(request).name,
        target=wish.target,
        since=wish.since,
        until=wish.until,
        mend=wish.mend,
        overwrite=wish.overwrite,
    )
    return web.json_response({"reconciliations": [run_record(one) for one in runs]}, status=202)


def run_record(run: Reconciliation) -> dict[str, Any]:
    """Return a run as JSON values."""
    return {
        "id": run.id,
        "target": run.target,
        "state": run.state.value,
        "ordered_by": run.ordered_by,
        "ordered_at": moment(run.ordered_at),
        "since": moment(run.since),
        "until": moment(run.until),
        "mend": run.mend,
        "overwrite": run.overwrite,
        "began_at": moment(run.began_at),
        "ended_at": moment(run.ended_at),
        "looked": run.looked,
        "there": run.there,
        "requests": run.requests,
        "counts": dict(run.counts),
        "mended": dict(run.mended),
        "message": run.message or None,
    }


def summary(run: Reconciliation, *, now: datetime) -> dict[str, Any]:
    """Return how a run went, for the state of its target."""
    age = (now - run.ended_at).total_seconds() if run.ended_at else None
    shown = ("id", "state", "ended_at", "looked", "counts", "mended", "message")
    record = run_record(run)
    return {name: record[name] for name in shown} | {"age_seconds": age}


def _finding(number: int, one: Finding) -> dict[str, Any]:
    return {
        "id": number,
        "kind": one.kind.value,
        "call_id": one.call_id,
        "remotes": [str(ref) for ref in one.remotes],
        "fields": list(one.fields),
        "detail": one.detail,
        "mended": one.mended.value or None,
    }
