"""Campaigns and how far they have come."""

from dataclasses import asdict, replace
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AfterValidator, Field

from cti.errors import BadInput
from cti.model.call_record import moment
from cti.model.contacts import Campaign, Mode, Progress
from cti.rules import merged, rules_record
from cti.web.answers import finding_record
from cti.web.api.agents import node_named
from cti.web.auth import leader
from cti.web.bodies import Body, Line, Word, body_of
from cti.web.deps import Deps, campaign_called, deps

routes: Final = web.RouteTableDef()


def _not_a_number(name: str) -> str:
    if name.isdigit() or "/" in name:
        raise ValueError("must hold more than digits and no slash: a campaign is called by id or by name")
    return name


class NewCampaign(Body):
    """`POST /campaigns`. What is not given is taken from the settings."""

    name: Annotated[Line, AfterValidator(_not_a_number)]
    node: Word | None = None
    trunk: Word | None = None
    ring_seconds: float | None = Field(None, ge=5, le=180)
    grace_seconds: float | None = Field(None, gt=0, le=30)
    message: str | None = Field(None, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_/-]*$", max_length=100)
    caller_id: str | None = Field(None, pattern=r"^(\+[1-9][0-9]{6,14})?$")
    record: bool | None = None
    wrap_up_seconds: float | None = Field(None, ge=0, le=3600)
    max_lines: int | None = Field(None, ge=1, le=10_000)
    mode: Mode | None = Field(None, strict=False)
    rules: dict[str, Any] | None = None


class CampaignChange(NewCampaign):
    """`PATCH /campaigns/{campaign}`. What is not given stays; of `rules` only the keys that are given change."""

    name: Annotated[Line, AfterValidator(_not_a_number)] | None = None  # type: ignore[assignment]


@routes.get("/campaigns")
async def list_campaigns(request: web.Request) -> web.Response:
    """All campaigns, oldest first."""
    leader(request)
    campaigns = await deps(request).campaigns.campaigns()
    return web.json_response({"campaigns": [campaign_record(campaign) for campaign in campaigns]})


@routes.post("/campaigns")
async def add_campaign(request: web.Request) -> web.Response:
    """Make a campaign, stopped: `name`, and what differs from the settings."""
    leader(request)
    parts, new = deps(request), await body_of(request, NewCampaign)
    campaign = _changed(parts, parts.templates[node_named(parts, new.node)], new)
    if not campaign.trunk:
        raise BadInput("trunk: is missing; the node's settings name none either")
    return web.json_response(campaign_record(await parts.campaigns.add(campaign)), status=201)


@routes.patch("/campaigns/{campaign}")
async def change_campaign(request: web.Request) -> web.Response:
    """Change settings and rules, also while it dials: what is not given stays. The node cannot change."""
    leader(request)
    parts, change = deps(request), await body_of(request, CampaignChange)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    if change.node not in (None, campaign.node):
        raise BadInput("node: cannot be changed; its calls and agents are there")
    return web.json_response(campaign_record(await parts.campaigns.change(_changed(parts, campaign, change))))


@routes.get("/campaigns/{campaign}")
async def get_campaign(request: web.Request) -> web.Response:
    """One campaign with its `progress`."""
    leader(request)
    parts = deps(request)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    return web.json_response(with_progress(campaign, await parts.campaigns.progress(campaign.id)))


@routes.post("/campaigns/{campaign}/{order:start|pause|stop}")
async def move_campaign(request: web.Request) -> web.Response:
    """Start dialing; or make no new calls (`pause`, `stop`): those that are up go on.

    A start tells as `warnings` what the campaign's settings have against its compliance profile; rules that name no
    profile, or set a key wrongly, are refused.
    """
    leader(request)
    parts, order = deps(request), request.match_info["order"]
    orders = {"start": parts.campaigns.start, "pause": parts.campaigns.pause, "stop": parts.campaigns.stop}
    campaign = await campaign_called(parts, request.match_info["campaign"])
    found = parts.compliance.findings(campaign) if order == "start" else ()
    told = campaign_record(await orders[order](campaign.id))
    return web.json_response(told | {"warnings": [finding_record(one) for one in found if not one.ok]})


def with_progress(campaign: Campaign, progress: Progress) -> dict[str, Any]:
    """Return a campaign as it is told, with how far it has come."""
    standing = asdict(progress) | {
        "updated_at": moment(progress.updated_at),
        "outcomes": dict(progress.outcomes),
    }
    del standing["campaign_id"]
    return campaign_record(campaign) | {"progress": standing}


def campaign_record(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign's settings as they are told."""
    return asdict(campaign) | {"rules": rules_record(campaign.rules)}


def _changed(parts: Deps, campaign: Campaign, change: NewCampaign) -> Campaign:
    """Return the campaign with what is given. Raises BadInput naming the key, also of the compliance profile."""
    given = change.model_dump(exclude_none=True, exclude={"node", "rules"})
    rules = merged(campaign.rules, change.rules or {}, where="rules")
    changed = replace(campaign, **given, rules=rules)
    parts.compliance.findings(
        changed
    )  # what it loosens is told at the start; what means nothing is refused here
    return changed
