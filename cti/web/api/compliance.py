"""Profiles, what a campaign's rules would refuse, why one number is refused, and consent."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from cti.compliance.consents import Consent
from cti.compliance.facts import ConsentStanding
from cti.compliance.preview import Place, Preview, place_called
from cti.compliance.profiles import Profile
from cti.model.call_record import moment
from cti.model.contacts import Campaign, Candidate
from cti.model.verdicts import Verdict
from cti.web.answers import finding_record
from cti.web.auth import leader
from cti.web.bodies import Body, Line, Note, Query, body_of, query_of
from cti.web.deps import campaign_called, deps

routes: Final = web.RouteTableDef()


class PreviewQuery(Query):
    """`GET /campaigns/{campaign}/compliance/preview`; the next page with `start` as the last one's `next`."""

    at: AwareDatetime | None = None
    list_id: int | None = Field(None, ge=1)
    start: str = Field(str(Place()), max_length=40)
    at_most: int = Field(10_000, ge=1, le=100_000)


class WhyQuery(Query):
    """`GET /campaigns/{campaign}/compliance/why`."""

    number: str = Field(max_length=40)
    at: AwareDatetime | None = None


class NewConsent(Body):
    """`POST /consents`: of one contact, or of everybody who has a number."""

    contact_id: int | None = Field(None, ge=1)
    number: Annotated[str, Field(max_length=40)] | None = None
    standing: Annotated[ConsentStanding, Field(strict=False)]
    at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    source: Line
    evidence: Note = ""


class ConsentQuery(Query):
    """`GET /consents`."""

    contact_id: int | None = Field(None, ge=1)
    number: str | None = Field(None, max_length=40)


@routes.get("/compliance/profiles")
async def list_profiles(request: web.Request) -> web.Response:
    """All profiles of the installation, with their keys."""
    leader(request)
    return web.json_response({"profiles": [_profile(one) for one in deps(request).compliance.profiles()]})


@routes.get("/campaigns/{campaign}/compliance")
async def campaign_compliance(request: web.Request) -> web.Response:
    """A campaign's profile, what it changes of it, and how its own settings stand to it."""
    leader(request)
    campaign = await campaign_called(deps(request), request.match_info["campaign"])
    findings = deps(request).compliance.findings(campaign)
    return web.json_response(_rules(campaign) | {"findings": [finding_record(one) for one in findings]})


@routes.get("/campaigns/{campaign}/compliance/preview")
async def preview(request: web.Request) -> web.Response:
    """How many of a campaign's contacts would be refused at a time, by reason, with a few of each; page by page."""
    leader(request)
    parts, wanted = deps(request), query_of(request, PreviewQuery)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    found = await parts.compliance.preview(
        campaign,
        at=wanted.at or parts.clock.now(),
        list_id=wanted.list_id,
        start=place_called(wanted.start),
        at_most=wanted.at_most,
    )
    findings = [finding_record(one) for one in parts.compliance.findings(campaign) if not one.ok]
    return web.json_response(_rules(campaign) | _preview(found) | {"warnings": findings})


@routes.get("/campaigns/{campaign}/compliance/why")
async def why(request: web.Request) -> web.Response:
    """Every check's answer for one number in a campaign, in the order in which they are asked."""
    leader(request)
    parts, wanted = deps(request), query_of(request, WhyQuery)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    at = wanted.at or parts.clock.now()
    number, contacts, law, checks = await parts.compliance.why(campaign, wanted.number, at)
    told = {
        "number": number,
        "at": moment(at),
        "contact_ids": list(contacts),
        "law": law.name,
        "allowed": all(answer.allowed for answer in checks.values()),
        "checks": [{"check": reason, **_verdict(answer)} for reason, answer in checks.items()],
    }
    return web.json_response(told)


@routes.post("/consents")
async def record_consent(request: web.Request) -> web.Response:
    """Write down that consent was given or withdrawn, with its source and evidence; nothing is overwritten."""
    grant, said = leader(request), await body_of(request, NewConsent)
    lines = await deps(request).consents.record(
        contact_id=said.contact_id,
        number=said.number,
        standing=said.standing,
        at=said.at,
        source=said.source,
        evidence=said.evidence,
        by=grant.name,
    )
    return web.json_response({"consents": [_consent(line) for line in lines]}, status=201)


@routes.get("/consents")
async def list_consents(request: web.Request) -> web.Response:
    """What a contact, or everybody with a number, said to being called, oldest first."""
    leader(request)
    wanted = query_of(request, ConsentQuery)
    lines = await deps(request).consents.history(contact_id=wanted.contact_id, number=wanted.number)
    return web.json_response({"consents": [_consent(line) for line in lines]})


def _profile(one: Profile) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.keys.title,
        "keys": one.keys.model_dump(mode="json", exclude_unset=True),
    }


def _rules(campaign: Campaign) -> dict[str, Any]:
    rules = campaign.rules.compliance
    return {"campaign_id": campaign.id, "profile": rules.profile, "overrides": dict(rules.overrides)}


def _preview(found: Preview) -> dict[str, Any]:
    return {
        "at": moment(found.at),
        "looked_at": found.looked_at,
        "allowed": found.allowed,
        "refused": dict(found.refused),
        "samples": {
            reason: [_sample(candidate, verdict) for candidate, verdict in samples]
            for reason, samples in found.samples.items()
        },
        "next": str(found.following) if found.following else None,
    }


def _sample(candidate: Candidate, verdict: Verdict) -> dict[str, Any]:
    return {
        "contact_id": candidate.contact_id,
        "name": candidate.name,
        "number": candidate.number,
        "detail": verdict.detail,
        "until": moment(verdict.until),
    }


def _verdict(answer: Verdict) -> dict[str, Any]:
    return {"allowed": answer.allowed, "detail": answer.detail, "until": moment(answer.until)}


def _consent(line: Consent) -> dict[str, Any]:
    return {
        "contact_id": line.contact_id,
        "standing": line.standing,
        "at": moment(line.at),
        "source": line.source,
        "evidence": line.evidence,
        "recorded_by": line.recorded_by,
        "recorded_at": moment(line.recorded_at),
    }
