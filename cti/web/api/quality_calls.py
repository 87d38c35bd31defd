"""What the service thinks of calls, and results over many of them."""

from datetime import timedelta
from typing import Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from cti.errors import BadInput, NotFound
from cti.model.judgements import JudgementFilter, flagged_record, judgement_record
from cti.model.spreadsheet import csv_text
from cti.quality.ports import Asked
from cti.quality.results import OWN, ResultKind
from cti.web.answers import CSV_TYPE, Format, table_answer
from cti.web.auth import Forbidden
from cti.web.bodies import Query, query_of
from cti.web.deps import deps
from cti.web.quality_access import agent_asked, campaign_id_asked, own_agent

routes: Final = web.RouteTableDef()
DEFAULT_SPAN: Final = timedelta(days=30)
FLAG_COLUMNS: Final = (
    "call_id",
    "placed_at",
    "campaign_id",
    "agent_id",
    "severity",
    "rule",
    "version",
    "count",
    "second",
    "words",
)


class FlagsQuery(Query):
    """`GET /quality/flags`: of whom, of what, of when."""

    agent: str | None = None
    campaign: str | None = None
    rule: str | None = Field(None, max_length=64)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=64)
    format: Format = Format.JSON


class ResultsQuery(Query):
    """`GET /quality/results/{kind}`: the span by the calls' placing, by default the last 30 days."""

    agent: str | None = None
    campaign: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    format: Format = Format.JSON


@routes.get("/quality/calls/{id:[0-9a-f]{32}}")
async def get_judgement(request: web.Request) -> web.Response:
    """A call's talk `figures`, and the `verdicts` of all rules that applied. An agent sees his own calls."""
    mine, call_id = own_agent(request), request.match_info["id"]
    judgement = await deps(request).quality.judgements.judgement(call_id)
    if judgement is None or (mine is not None and judgement.call.agent_id != mine):
        raise NotFound(f"call {call_id} has not been judged")
    return web.json_response(judgement_record(judgement))


@routes.get("/quality/flags")
async def list_flags(request: web.Request) -> web.Response:
    """Calls with broken rules, newest first; `next` is the cursor of the next page. An agent sees his own.

    As CSV one line for each broken rule.
    """
    wanted = query_of(request, FlagsQuery)
    agent_id, parts = agent_asked(request, wanted.agent), deps(request)
    found = await parts.quality.judgements.flagged(
        JudgementFilter(
            agent_id=agent_id,
            campaign_id=await campaign_id_asked(parts, wanted.campaign),
            rule=wanted.rule,
            since=wanted.since,
            until=wanted.until,
            before_id=wanted.cursor,
            limit=wanted.limit + 1,
        )
    )
    page = found[: wanted.limit]
    records = [flagged_record(one) for one in page]
    if wanted.format is Format.CSV:
        headers = {"Content-Type": CSV_TYPE, "Content-Disposition": 'attachment; filename="flags.csv"'}
        return web.Response(text=csv_text(FLAG_COLUMNS, _flag_rows(records)), headers=headers)
    more = page[-1].call.call_id if len(found) > len(page) else None
    return web.json_response({"flags": records, "next": more})


@routes.get("/quality/results/{kind}")
async def get_results(request: web.Request) -> web.Response:
    """Results by `agents`, `days`, `weeks`, `questions`, `rules`, `reviewers`; `calibration`. JSON or CSV.

    An agent sees his own results, and neither reviewers nor calibration.
    """
    wanted, kind = query_of(request, ResultsQuery), _kind(request.match_info["kind"])
    mine, parts = own_agent(request), deps(request)
    if mine is not None and kind not in OWN:
        raise Forbidden("this needs the role qa, lead or admin")
    until = wanted.until or parts.clock.now()
    since = wanted.since or until - DEFAULT_SPAN
    if since >= until:
        raise BadInput("since: must be before until")
    asked = Asked(
        since=since,
        until=until,
        campaign_id=await campaign_id_asked(parts, wanted.campaign),
        agent_id=agent_asked(request, wanted.agent),
    )
    table = await parts.quality.results.table(kind, asked)
    return table_answer(table, wanted.format, f"quality-{kind}.csv")


def _kind(name: str) -> ResultKind:
    try:
        return ResultKind(name)
    except ValueError:
        raise NotFound(f"there are no results {name!r}; there are: {', '.join(ResultKind)}") from None


def _flag_rows(records: list[dict[str, Any]]) -> list[list[Any]]:
    rows = []
    for record in records:
        call = [record[name] for name in FLAG_COLUMNS[:4]]
        for verdict in record["verdicts"]:
            first: dict[str, Any] = next(iter(verdict["hits"]), {})
            rows.append(
                [
                    *call,
                    verdict["severity"],
                    verdict["rule"],
                    verdict["version"],
                    verdict["count"],
                    first.get("start"),
                    first.get("words"),
                ]
            )
    return rows
