"""Webhooks: who is told events, what became of each delivery, and replays. For administrators alone.

Whoever makes a webhook lets data out of the house, and makes the service talk to an address.
"""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field

from cti.errors import NotFound
from cti.model.access import Grant, Role
from cti.model.call_record import moment
from cti.model.webhooks import Delivery, DeliveryFilter, DeliveryState, Webhook
from cti.web.auth import Forbidden, caller
from cti.web.bodies import Body, Query, Word, body_of, query_of
from cti.web.deps import Deps, campaign_called, deps

routes: Final = web.RouteTableDef()
ID: Final = "{event_id:[0-9a-f]{32}}"

Url = Annotated[str, Field(max_length=2000)]
Secret = Annotated[str, Field(max_length=200)]
Events = Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=50)]
Campaigns = Annotated[list[str | int], Field(max_length=100)]


class NewWebhook(Body):
    """`POST /webhooks`."""

    name: Word
    url: Url
    events: Events
    campaigns: Campaigns = Field(default_factory=list)
    secret: Secret | None = None


class WebhookChange(Body):
    """`PATCH /webhooks/{webhook}`: what is given is set."""

    name: Word | None = None
    url: Url | None = None
    events: Events | None = None
    campaigns: Campaigns | None = None
    on: bool | None = None


class Rotation(Body):
    """`POST /webhooks/{webhook}/secret`."""

    secret: Secret | None = None


class DeliveriesQuery(Query):
    """`GET /webhooks/{webhook}/deliveries`: `since` inclusive, `until` exclusive, by the events' times."""

    state: DeliveryState | None = None
    type: Annotated[str, Field(max_length=64)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: int = Field(100, ge=1, le=1000)
    body: bool = False


class Span(Body):
    """`POST /webhooks/{webhook}/replay`: `since` inclusive, `until` exclusive, by the events' times."""

    since: AwareDatetime = Field(strict=False)
    until: AwareDatetime | None = Field(None, strict=False)
    type: Annotated[str, Field(max_length=64)] | None = None
    state: DeliveryState | None = Field(None, strict=False)


@routes.get("/webhooks")
async def list_webhooks(request: web.Request) -> web.Response:
    """All webhooks; never their secrets."""
    _administrator(request)
    return web.json_response({"webhooks": [webhook_record(one) for one in deps(request).hooks.webhooks()]})


@routes.post("/webhooks")
async def add_webhook(request: web.Request) -> web.Response:
    """Make a webhook. The answer holds its `secret`: it is told here, and never again."""
    grant = _administrator(request)
    parts, new = deps(request), await body_of(request, NewWebhook)
    made = await parts.hooks.add(
        name=new.name,
        url=new.url,
        events=new.events,
        campaign_ids=await _campaign_ids(parts, new.campaigns),
        secret=new.secret,
        by=grant.name,
    )
    return web.json_response(webhook_record(made) | {"secret": made.secret}, status=201)


@routes.get("/webhooks/{webhook}")
async def get_webhook(request: web.Request) -> web.Response:
    """One webhook, with counts of its deliveries by state."""
    _administrator(request)
    parts = deps(request)
    hook = parts.hooks.named(request.match_info["webhook"])
    counts = await parts.hooks.count(hook)
    return web.json_response(
        webhook_record(hook) | {"deliveries": {state.value: counts.get(state, 0) for state in DeliveryState}}
    )


@routes.patch("/webhooks/{webhook}")
async def change_webhook(request: web.Request) -> web.Response:
    """Change a webhook, or switch it (`on`). Switched on again, what was held for it may be replayed."""
    _administrator(request)
    parts, change = deps(request), await body_of(request, WebhookChange)
    given = change.campaigns
    after = await parts.hooks.change(
        request.match_info["webhook"],
        new_name=change.name,
        url=change.url,
        events=change.events,
        campaign_ids=None if given is None else await _campaign_ids(parts, given),
        on=change.on,
    )
    return web.json_response(webhook_record(after))


@routes.delete("/webhooks/{webhook}")
async def remove_webhook(request: web.Request) -> web.Response:
    """Remove a webhook, and the log of its deliveries."""
    _administrator(request)
    await deps(request).hooks.remove(request.match_info["webhook"])
    return web.json_response({"removed": True})


@routes.post("/webhooks/{webhook}/secret")
async def rotate_secret(request: web.Request) -> web.Response:
    """Give it a new `secret`, told here and never again. Until `old_secret_until` the old one signs, too."""
    _administrator(request)
    given = await body_of(request, Rotation)
    after = await deps(request).hooks.rotate(request.match_info["webhook"], secret=given.secret)
    return web.json_response(webhook_record(after) | {"secret": after.secret})


@routes.post("/webhooks/{webhook}/test")
async def test_webhook(request: web.Request) -> web.Response:
    """Send one event `webhook.test` now; tells what came of it. It is neither logged nor tried again."""
    _administrator(request)
    answer = await deps(request).hooks.test(request.match_info["webhook"])
    return web.json_response(
        {"accepted": answer.accepted, "status": answer.status, "problem": answer.problem}
    )


@routes.get("/webhooks/{webhook}/deliveries")
async def list_deliveries(request: web.Request) -> web.Response:
    """What became of events, the newest first. `body=true`: with what was sent. Those never tried are not here yet."""
    _administrator(request)
    wanted = query_of(request, DeliveriesQuery)
    asked = DeliveryFilter(webhook_id=0, **wanted.model_dump(exclude={"body"}))
    found = await deps(request).hooks.deliveries(request.match_info["webhook"], asked)
    return web.json_response({"deliveries": [delivery_record(one, body=wanted.body) for one in found]})


@routes.post("/webhooks/{webhook}/replay")
async def replay_span(request: web.Request) -> web.Response:
    """Send the events of a span again; without a `state` those that failed or were held. Tells how many."""
    _administrator(request)
    span = await body_of(request, Span)
    asked = DeliveryFilter(webhook_id=0, **span.model_dump())
    count = await deps(request).hooks.replay(request.match_info["webhook"], asked)
    return web.json_response({"replayed": count}, status=202)


@routes.post(f"/webhooks/{{webhook}}/deliveries/{ID}/replay")
async def replay_one(request: web.Request) -> web.Response:
    """Send one event again, whatever became of it."""
    _administrator(request)
    event_id = request.match_info["event_id"]
    if not await deps(request).hooks.replay_one(request.match_info["webhook"], event_id):
        raise NotFound(f"the log knows no event {event_id} for it that does not wait already")
    return web.json_response({"replayed": 1}, status=202)


def webhook_record(hook: Webhook) -> dict[str, Any]:
    """Return a webhook as everybody outside sees it: without its secrets."""
    return {
        "id": hook.id,
        "name": hook.name,
        "url": hook.url,
        "events": list(hook.events),
        "campaign_ids": list(hook.campaign_ids),
        "state": hook.state.value,
        "state_reason": hook.state_reason,
        "state_at": moment(hook.state_at),
        "failing_since": moment(hook.failing_since),
        "failures": hook.failures,
        "old_secret_until": moment(hook.old_secret_until),
        "created_at": moment(hook.created_at),
        "created_by": hook.created_by,
    }


def delivery_record(one: Delivery, *, body: bool = False) -> dict[str, Any]:
    """Return a delivery as everybody outside sees it."""
    record = {
        "event_id": one.event_id,
        "type": one.type,
        "at": moment(one.at),
        "state": one.state.value,
        "attempts": one.attempts,
        "status": one.status,
        "error": one.error,
        "milliseconds": one.milliseconds,
        "tried_at": moment(one.tried_at),
    }
    return record | ({"body": one.body} if body else {})


def _administrator(request: web.Request) -> Grant:
    grant = caller(request)
    if grant.role is not Role.ADMIN:
        raise Forbidden("this needs the role admin")
    return grant


async def _campaign_ids(parts: Deps, names: list[str | int]) -> list[int]:
    return [(await campaign_called(parts, str(name))).id for name in names]
