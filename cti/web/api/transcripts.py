"""What was said in a call: the transcript in several forms, its versions; and the search through all of them."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from cti.errors import NotFound
from cti.model.access import Grant, Role
from cti.model.call_record import moment
from cti.model.searches import Hit, SearchFilter, SearchOrder, SearchScope
from cti.model.transcripts import Speaker
from cti.search.exports import TEXTS, ExportForm, transcript_record, version_record
from cti.search.ports import Asked
from cti.search.query import parse
from cti.search.snippets import after_of, cursor_of, snippet
from cti.web.auth import Forbidden, caller
from cti.web.bodies import Line, Query, query_of
from cti.web.call_access import visible_call
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()
ID: Final = "{id:[0-9a-f]{32}}"


class TranscriptQuery(Query):
    """`GET /calls/{id}/transcript`."""

    version: int | None = Field(None, ge=1, le=1_000_000)
    format: ExportForm = ExportForm.JSON


class SearchQuery(Query):
    """`GET /search`. Times are of the calls' `placed_at`: `since` inclusive, `until` exclusive."""

    q: Annotated[str, StringConstraints(max_length=20_000)]
    scope: SearchScope = SearchScope.SEGMENT
    order: SearchOrder = SearchOrder.NEWEST
    speaker: Speaker | None = None
    agent: str | None = None
    campaign: str | None = None
    list: int | None = Field(None, ge=1, lt=2**63)
    call: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    disposition: Line | None = None
    min_seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    max_seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    min_score: float | None = Field(None, allow_inf_nan=False)
    max_score: float | None = Field(None, allow_inf_nan=False)
    rule: Line | None = None
    min_confidence: float | None = Field(None, ge=0, le=1)
    limit: int = Field(20, ge=1, le=200)
    cursor: str | None = Field(None, max_length=40)


@routes.get(f"/calls/{ID}/transcript")
async def get_transcript(request: web.Request) -> web.Response:
    """What was said, of the newest version or of `version`; `format`: `json`, `text`, `srt`, `vtt`."""
    row, wanted = await visible_call(request), query_of(request, TranscriptQuery)
    call_id, kept = row.call.id, deps(request).transcripts
    transcript = (
        await kept.current(call_id) if wanted.version is None else await kept.version(call_id, wanted.version)
    )
    if transcript is None:
        which = "" if wanted.version is None else f" of version {wanted.version}"
        raise NotFound(f"call {call_id} has no transcript{which}")
    if wanted.format is ExportForm.JSON:
        return web.json_response(transcript_record(transcript))
    media_type, written = TEXTS[wanted.format]
    name = f"{call_id}.{'txt' if wanted.format is ExportForm.TEXT else wanted.format.value}"
    headers = {
        "Content-Type": f"{media_type}; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private",
    }
    return web.Response(text=written(transcript), headers=headers)


@routes.get(f"/calls/{ID}/transcripts")
async def list_versions(request: web.Request) -> web.Response:
    """All versions of a call's transcript, newest first, without what was said."""
    row = await visible_call(request)
    versions = await deps(request).transcripts.versions(row.call.id)
    return web.json_response({"versions": [version_record(one) for one in versions]})


@routes.get("/search")
async def search(request: web.Request) -> web.Response:
    """Utterances in which `q` was said, newest first, and `next`: the cursor of the next page.

    `marks` are the letters of `text` that were found; `at` is the second of the first of them.
    """
    grant, wanted = caller(request), query_of(request, SearchQuery)
    parts = deps(request)
    asked = Asked(
        query=parse(wanted.q, per_call=wanted.scope is SearchScope.CALL),
        narrow=await _narrowed(parts, grant, wanted),
        scope=wanted.scope,
        order=wanted.order,
        limit=wanted.limit,
        after=after_of(wanted.cursor, wanted.order) if wanted.cursor else None,
    )
    found = await parts.search.find(asked)
    hits = [hit_record(hit) for hit in found.hits]
    return web.json_response({"hits": hits, "next": cursor_of(found.next, wanted.order)})


async def _narrowed(parts: Deps, grant: Grant, wanted: SearchQuery) -> SearchFilter:
    login = wanted.agent
    if grant.role is Role.AGENT:
        if login not in (None, grant.agent):
            raise Forbidden("an agent may only search his own calls")
        login = grant.agent
    campaign = await campaign_called(parts, wanted.campaign) if wanted.campaign else None
    return SearchFilter(
        speaker=wanted.speaker,
        agent_id=agent_called(parts, login).id if login else None,
        campaign_id=campaign.id if campaign else None,
        list_id=wanted.list,
        since=wanted.since,
        until=wanted.until,
        call_id=wanted.call,
        disposition=wanted.disposition,
        min_seconds=wanted.min_seconds,
        max_seconds=wanted.max_seconds,
        min_score=wanted.min_score,
        max_score=wanted.max_score,
        rule=wanted.rule,
        min_confidence=wanted.min_confidence,
    )


def hit_record(hit: Hit) -> dict[str, Any]:
    """Return a hit as JSON values; a long utterance is cut around what was found."""
    text, marks = snippet(hit.text, hit.marks)
    return {
        "call_id": hit.call_id,
        "version": hit.version,
        "placed_at": moment(hit.placed_at),
        "campaign": hit.campaign,
        "agent": hit.agent,
        "list_id": hit.list_id,
        "disposition": hit.disposition,
        "speaker": hit.speaker.value,
        "start": hit.start,
        "end": hit.end,
        "at": hit.at,
        "text": text,
        "marks": [list(mark) for mark in marks],
        "confidence": hit.confidence,
    }
