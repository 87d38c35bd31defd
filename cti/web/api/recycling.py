"""Lists, taken up again."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, model_validator

from cti.model.calls import Outcome
from cti.web.auth import leader
from cti.web.bodies import Body, Line, body_of
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
_Outcome = Annotated[Outcome, Field(strict=False)]


class Recycle(Body):
    """`POST /lists/{id}/recycle`."""

    outcomes: list[_Outcome] = Field(default_factory=list, max_length=20)
    dispositions: list[Line] = Field(default_factory=list, max_length=100)
    dry_run: bool = False

    @model_validator(mode="after")
    def _something(self) -> "Recycle":
        if not self.outcomes and not self.dispositions:
            raise ValueError("name at least one of `outcomes` and `dispositions`")
        return self


@routes.post(r"/lists/{list:\d{1,18}}/recycle")
async def recycle(request: web.Request) -> web.Response:
    """Put contacts the list is done with back into its queue, by the outcome or disposition of their last attempt.

    They count as never tried, for the retry rules; laws still count all attempts. Those whom somebody stopped, or whom
    a law forbids, stay out. The answer: `by_outcome` (how many there are) and `moved` (0 of a `dry_run`).
    """
    leader(request)
    wanted = await body_of(request, Recycle)
    done = await deps(request).recycler.recycle(
        int(request.match_info["list"]),
        outcomes=[outcome.value for outcome in wanted.outcomes],
        dispositions=wanted.dispositions,
        dry_run=wanted.dry_run,
    )
    return web.json_response({"by_outcome": dict(done.by_outcome), "moved": done.moved})
