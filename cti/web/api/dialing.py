"""How a campaign dials: its drop ledger with the evidence, what pacing decided; and what agents dial themselves."""

from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from cti.model.call_record import call_record, moment
from cti.model.calls import Outcome
from cti.model.decisions import PacingDecision
from cti.model.dictionaries import DictionaryKind
from cti.model.ledger import Standing
from cti.model.queries import CallFilter
from cti.model.spreadsheet import csv_line
from cti.model.vocabulary import candidate_record
from cti.web.answers import Format, stream_csv
from cti.web.auth import leader, may_act_for
from cti.web.bodies import Body, Line, Query, body_of, query_of
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()
EVIDENCE: Final = (
    "id",
    "number",
    "campaign",
    "placed_at",
    "ringing_at",
    "answered_at",
    "answered_by",
    "waiting_at",
    "dropped_at",
    "message_played_at",
    "ended_at",
    "grace_seconds",
    "ring_seconds",
    "caller_id",
    "cause",
    "node",
    "channel_id",
)
"""What a regulator wants to see of a dropped call (16 CFR 310.5(a): date, time, number, duration, disposition)."""


class Span(Query):
    """A span of time: `since` inclusive, `until` exclusive."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class EvidenceQuery(Span):
    """`GET /campaigns/{campaign}/ledger/evidence`."""

    format: Format = Format.JSON
    limit: int = Field(1000, ge=1, le=10_000)


class DecisionsQuery(Span):
    """`GET /campaigns/{campaign}/decisions`."""

    limit: int = Field(100, ge=1, le=1000)


class CallAsked(Body):
    """`POST /agents/{login}/call`."""

    campaign: str | int
    contact_id: int


class Skip(Body):
    """`POST /agents/{login}/preview/skip`."""

    reason: Line = "skipped"


@routes.get("/campaigns/{campaign}/ledger")
async def get_ledger(request: web.Request) -> web.Response:
    """Where the campaign stands against its drop limit in its window now."""
    leader(request)
    parts = deps(request)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    return web.json_response(standing_record(await parts.ledger.standing(campaign)))


@routes.get("/campaigns/{campaign}/ledger/evidence")
async def get_evidence(request: web.Request) -> web.StreamResponse:
    """Each dropped call with its times, newest first. `format=csv` brings all of the span."""
    leader(request)
    parts, wanted = deps(request), query_of(request, EvidenceQuery)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    asked = CallFilter(
        campaign_id=campaign.id,
        since=wanted.since,
        until=wanted.until,
        outcome=Outcome.DROPPED,
        limit=wanted.limit,
    )
    if wanted.format is Format.CSV:
        return await stream_csv(request, "dropped-calls.csv", _csv_lines(parts, asked))
    rows = await parts.facts.call_rows(asked)
    records = [call_record(row) for row in rows]
    return web.json_response({"calls": [{name: record[name] for name in EVIDENCE} for record in records]})


@routes.get("/campaigns/{campaign}/decisions")
async def get_decisions(request: web.Request) -> web.Response:
    """What pacing decided, newest first, each with the figures it saw; `now`: its last look, kept or not."""
    leader(request)
    parts, wanted = deps(request), query_of(request, DecisionsQuery)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    kept = await parts.decisions.decisions(
        campaign.id, since=wanted.since, until=wanted.until, limit=wanted.limit
    )
    last = parts.decisions.last(campaign.id)
    return web.json_response(
        {
            "campaign": campaign.name,
            "mode": campaign.mode,
            "now": decision_record(last) if last else None,
            "decisions": [decision_record(one) for one in kept],
        }
    )


@routes.post("/agents/{login}/call")
async def call_contact(request: web.Request) -> web.Response:
    """Click to call: call this contact of the campaign for the agent, under all rules."""
    login = request.match_info["login"]
    may_act_for(request, login)
    parts, asked = deps(request), await body_of(request, CallAsked)
    campaign = await campaign_called(parts, str(asked.campaign))
    call = await parts.by_hand.call(login, campaign_id=campaign.id, contact_id=asked.contact_id)
    return web.json_response(call_record(call), status=201)


@routes.get("/agents/{login}/preview")
async def get_preview(request: web.Request) -> web.Response:
    """The contact that the agent looks at: `contact` (null: none), `campaign_id`, `since`, `until`."""
    login = request.match_info["login"]
    may_act_for(request, login)
    offer = deps(request).previews.offer_of(login)
    if offer is None:
        return web.json_response({"contact": None})
    return web.json_response(
        {
            "contact": candidate_record(offer.candidate),
            "campaign_id": offer.campaign_id,
            "since": moment(offer.at),
            "until": moment(offer.until),
        }
    )


@routes.post("/agents/{login}/preview/dial")
async def dial_preview(request: web.Request) -> web.Response:
    """Call the contact that the agent looks at; a conflict when a rule forbids it now."""
    login = request.match_info["login"]
    may_act_for(request, login)
    return web.json_response(call_record(await deps(request).previews.dial(login)), status=201)


@routes.post("/agents/{login}/preview/skip")
async def skip_preview(request: web.Request) -> web.Response:
    """Do not call him now, with a `reason` of the dictionary `skip_reasons`; the next contact follows."""
    login = request.match_info["login"]
    may_act_for(request, login)
    parts, wanted = deps(request), await body_of(request, Skip)
    campaigns = agent_called(parts, login).campaign_ids
    parts.dictionaries.must_be_usable(DictionaryKind.SKIP_REASONS, wanted.reason, campaigns)
    await parts.previews.skip(login, wanted.reason)
    return web.json_response({"skipped": True})


def standing_record(standing: Standing) -> dict[str, Any]:
    """Return a ledger as it is told."""
    tally = standing.tally
    return {
        "campaign_id": standing.campaign_id,
        "window": standing.window,
        "since": moment(standing.since),
        "target": standing.target,
        "rate": standing.rate,
        "answered_by_person": standing.live,
        "dropped": standing.dropped,
        "connected": tally.connected,
        "dropped_calls": tally.dropped,
        "gone_early": tally.gone_early,
        "machine": tally.machine,
    }


def decision_record(decision: PacingDecision) -> dict[str, Any]:
    """Return a decision as it is told."""
    return {
        "at": moment(decision.at),
        "calls": decision.calls,
        "why": decision.why,
        "inputs": dict(decision.inputs),
    }


async def _csv_lines(parts: Deps, asked: CallFilter) -> AsyncIterator[str]:
    yield csv_line(EVIDENCE)
    async for row in parts.facts.all_call_rows(asked):
        record = call_record(row)
        yield csv_line([record[name] for name in EVIDENCE])
