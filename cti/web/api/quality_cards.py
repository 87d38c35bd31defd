"""Score cards."""

from typing import Any, Final

from aiohttp import web
from pydantic import Field

from cti.errors import BadInput
from cti.model.score_cards import CardVersion, card_head
from cti.quality.reading import card_body, card_of
from cti.web.api.quality_rules import Retire, with_campaigns
from cti.web.auth import caller, leader
from cti.web.bodies import Body, Query, body_of, query_of
from cti.web.deps import deps

routes: Final = web.RouteTableDef()


class CardQuery(Query):
    """`GET /quality/cards/{code}`: an old `version`; else the newest."""

    version: int | None = Field(None, ge=1)


class Card(Body):
    """`PUT /quality/cards/{code}`: `sections` with their questions, and what else a card has; see the how-to page."""

    card: dict[str, Any]


@routes.get("/quality/cards")
async def list_cards(request: web.Request) -> web.Response:
    """The newest version of every score card, without its questions."""
    caller(request)
    return web.json_response({"cards": [card_head(one) for one in deps(request).quality.cards.cards()]})


@routes.get("/quality/cards/{code}")
async def get_card(request: web.Request) -> web.Response:
    """A score card with its questions."""
    caller(request)
    wanted = query_of(request, CardQuery)
    return web.json_response(
        _record(deps(request).quality.cards.card(request.match_info["code"], wanted.version))
    )


@routes.put("/quality/cards/{code}")
async def put_card(request: web.Request) -> web.Response:
    """Write a card: a new one, or a new version. Scores by old versions stay as they are."""
    grant, parts = leader(request), deps(request)
    code, wanted = request.match_info["code"], await body_of(request, Card)
    if wanted.card.get("code", code) != code:
        raise BadInput(f"card.code: is {code!r} in the address; leave it out, or write the same")
    given = await with_campaigns(parts, {**wanted.card, "code": code}, "card")
    return web.json_response(
        _record(await parts.quality.cards.put(card_of(given, where="card"), by=grant.name))
    )


@routes.post("/quality/cards/{code}/retire")
async def retire_card(request: web.Request) -> web.Response:
    """Take a card out of use, or back into it; drafts by it go on."""
    grant, wanted = leader(request), await body_of(request, Retire)
    one = await deps(request).quality.cards.retire(
        request.match_info["code"], back=wanted.back, by=grant.name
    )
    return web.json_response(_record(one))


def _record(one: CardVersion) -> dict[str, Any]:
    return card_head(one) | {"id": one.id, "card": card_body(one.card)}
