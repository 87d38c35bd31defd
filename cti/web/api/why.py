"""Why contacts are dialed or not."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator

from cti.model.call_record import moment
from cti.model.decisions import PacingDecision
from cti.model.whys import Answer, CampaignWhy, ContactWhy, Standing, ToldReason
from cti.web.auth import leader
from cti.web.bodies import Line, Query, query_of
from cti.web.deps import campaign_called, deps

routes: Final = web.RouteTableDef()


class WhyQuery(Query):
    """`GET /why`: exactly one of them. A plus sign in a query string is written `%2B`."""

    number: Annotated[str, StringConstraints(pattern=r"^\+?[1-9][0-9]{3,14}$")] | None = None
    contact: int | None = Field(None, ge=1)
    campaign: Line | None = None

    @model_validator(mode="after")
    def _one(self) -> "WhyQuery":
        given = [one for one in (self.number, self.contact, self.campaign) if one is not None]
        if len(given) != 1:
            raise ValueError("name exactly one of `number`, `contact` and `campaign`")
        return self


@routes.get("/why")
async def why(request: web.Request) -> web.Response:
    """Why a number, a contact, or the contacts of a whole campaign are dialed or not.

    Of a number or a contact: `entries`, each with its standing and the answer at this moment (`reason`, `words`,
    `until`), and `history`, newest first. Of a campaign: `groups` of all entries that are not being dialed, by reason,
    with `samples`; `next_at`, the next moment at which something changes by itself; `pacing`, the last decision on
    how many calls to place (null: none since the service began).
    """
    leader(request)
    wanted, parts = query_of(request, WhyQuery), deps(request)
    if wanted.campaign is not None:
        campaign = await campaign_called(parts, wanted.campaign)
        return web.json_response(_campaign_record(await parts.whys.of_campaign(campaign)))
    if wanted.contact is not None:
        found = await parts.whys.of_contact(wanted.contact)
    else:
        found = await parts.whys.of_number("+" + (wanted.number or "").removeprefix("+"))
    return web.json_response(_contact_record(found))


def _contact_record(found: ContactWhy) -> dict[str, Any]:
    return {
        "entries": [_standing_record(one.standing) | _answer_record(one.answer) for one in found.entries],
        "history": [_told_record(one) for one in found.history],
    }


def _campaign_record(found: CampaignWhy) -> dict[str, Any]:
    groups = [
        {
            "state": group.state.value,
            **_answer_record(group.answer),
            "entries": group.entries,
            "samples": [_standing_record(one) for one in group.samples],
        }
        for group in found.groups
    ]
    return {
        "campaign_id": found.campaign_id,
        "groups": groups,
        "next_at": moment(found.next_at),
        "pacing": _pacing_record(found.pacing) if found.pacing is not None else None,
    }


def _pacing_record(decision: PacingDecision) -> dict[str, Any]:
    return {
        "at": moment(decision.at),
        "calls": decision.calls,
        "why": decision.why,
        "inputs": dict(decision.inputs),
    }


def _answer_record(answer: Answer) -> dict[str, Any]:
    return {"reason": answer.reason, "words": answer.words, "until": moment(answer.until)}


def _standing_record(one: Standing) -> dict[str, Any]:
    return {
        "entry_id": one.candidate.entry_id,
        "contact_id": one.candidate.contact_id,
        "campaign_id": one.candidate.campaign_id,
        "list_id": one.candidate.list_id,
        "name": one.candidate.name,
        "number": one.candidate.number,
        "zone": one.candidate.zone,
        "state": one.state.value,
        "tries": one.candidate.tries,
        "priority": one.candidate.priority,
        "owner_agent_id": one.owner_id or None,
        "due_at": moment(one.due_at),
        "stored_reason": one.reason,
        "stored_words": one.detail,
        "stored_at": moment(one.reason_at),
        "call_id": one.call_id,
    }


def _told_record(one: ToldReason) -> dict[str, Any]:
    return {
        "at": moment(one.at),
        "kind": one.kind.value,
        "reason": one.reason or None,
        "words": one.detail,
        "campaign_id": one.campaign_id,
        "contact_id": one.contact_id,
        "number": one.number,
        "call_id": one.call_id,
    }
