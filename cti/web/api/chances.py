"""What was learned of who answers a campaign's calls."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web

from cti.chances.learned import STALE
from cti.model.answer_chances import ChanceFit, judgement_record
from cti.model.call_record import moment
from cti.web.auth import leader
from cti.web.deps import campaign_called, deps

routes: Final = web.RouteTableDef()


@routes.get("/campaigns/{campaign}/chances")
async def get_chances(request: web.Request) -> web.Response:
    """The newest fit of the answer chances, used or not, and how it held on attempts it had not seen; `fit` is null
    before the first one."""
    leader(request)
    parts = deps(request)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    newest = await parts.chances.newest(campaign.id)
    told = None if newest is None else fit_record(newest, parts.clock.now())
    return web.json_response({"campaign": campaign.name, "fit": told})


@routes.post("/campaigns/{campaign}/chances")
async def fit_chances(request: web.Request) -> web.Response:
    """Have the answer chances fitted anew, soon: it takes from seconds to a minute, and `GET` tells a new `id` then."""
    leader(request)
    parts = deps(request)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    newest = await parts.chances.newest(campaign.id)
    await parts.chances.order(campaign.id)
    before = newest.id if newest else None
    return web.json_response({"campaign": campaign.name, "newest": before}, status=202)


def fit_record(fit: ChanceFit, now: datetime) -> dict[str, Any]:
    """Return a fit as it is told; `in_use` is false for one that is too old too."""
    model = fit.model or {}
    return {
        "id": fit.id,
        "fitted_at": moment(fit.fitted_at),
        "in_use": fit.used and now - fit.fitted_at < STALE,
        "why": fit.why,
        "attempts": fit.attempts,
        "answered": fit.answered,
        **judgement_record(fit),
        "weights": model.get("weights"),
    }
