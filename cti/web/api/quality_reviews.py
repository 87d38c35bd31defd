"""Reviews: a call scored by a person, appealed, resolved."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.model.reviews import Review, ReviewState, comment_record, review_record, step_record
from cti.quality.ports import ReviewFilter
from cti.quality.review_desk import GivenAnswer
from cti.web.api.quality_rules import CallId
from cti.web.auth import Forbidden, caller, reviewer
from cti.web.bodies import Body, Note, Query, body_of, query_of
from cti.web.deps import deps
from cti.web.quality_access import agent_asked, own_agent

routes: Final = web.RouteTableDef()
ONE: Final = r"{id:\d{1,18}}"
Said = Annotated[Note, StringConstraints(min_length=1, strip_whitespace=True)]


class NewReview(Body):
    """`POST /quality/reviews`."""

    call: CallId
    card: str = Field(max_length=64)
    calibration: bool = False


class ReviewsQuery(Query):
    """`GET /quality/reviews`."""

    agent: str | None = None
    reviewer: str | None = Field(None, max_length=200)
    state: ReviewState | None = None
    call: str | None = Field(None, max_length=32)
    limit: int = Field(100, ge=1, le=1000)
    cursor: int | None = Field(None, ge=1, lt=2**63)


class Answer(Body):
    """What is said to one question: `yes`, `no`, `na`, a number as text, a choice's code; null takes it back."""

    value: str | None = Field(max_length=64)
    note: Note = ""


class Answers(Body):
    """`PATCH /quality/reviews/{id}`: answers by the questions' codes, and the edition that they are about."""

    answers: dict[str, Answer] = Field(max_length=200)
    edition: int


class Submit(Body):
    """`POST /quality/reviews/{id}/submit`."""

    edition: int


class Remark(Body):
    """`POST /quality/reviews/{id}/comments`: `seconds` from the recording's beginning, when it is about a moment."""

    text: Said
    seconds: float | None = Field(None, ge=0, le=86_400, allow_inf_nan=False)


class Appeal(Body):
    """`POST /quality/reviews/{id}/appeal`: why."""

    text: Said


class Decision(Body):
    """`POST /quality/reviews/{id}/resolve`: why, and the answers that become others."""

    text: Said
    answers: dict[str, Answer] = Field(default_factory=dict, max_length=200)


@routes.post("/quality/reviews")
async def begin_review(request: web.Request) -> web.Response:
    """Begin to score a `call` by a `card`; what the service can answer is answered. One's own draft is given again.

    `calibration`: beside the review that counts, to compare reviewers.
    """
    grant, new = reviewer(request), await body_of(request, NewReview)
    review = await deps(request).quality.reviews.begin(
        new.call, new.card, reviewer=grant.name, calibration=new.calibration
    )
    return web.json_response(review_record(review), status=201)


@routes.get("/quality/reviews")
async def list_reviews(request: web.Request) -> web.Response:
    """Reviews, newest first; `next` is the cursor of the next page. An agent sees the submitted ones of his calls."""
    wanted = query_of(request, ReviewsQuery)
    found = await deps(request).quality.reviews.reviews(
        ReviewFilter(
            agent_id=agent_asked(request, wanted.agent),
            reviewer=wanted.reviewer,
            state=wanted.state,
            call_id=wanted.call,
            counted_only=own_agent(request) is not None,
            before_id=wanted.cursor,
            limit=wanted.limit + 1,
        )
    )
    page = found[: wanted.limit]
    more = page[-1].id if len(found) > len(page) else None
    return web.json_response({"reviews": [review_record(one) for one in page], "next": more})


@routes.get(f"/quality/reviews/{ONE}")
async def get_review(request: web.Request) -> web.Response:
    """A review with its `comments` and its `history`. An agent sees the submitted ones of his calls."""
    desk = deps(request).quality.reviews
    review = await desk.review(_id(request), agent_id=own_agent(request))
    told: dict[str, Any] = review_record(review)
    told["comments"] = [comment_record(one) for one in await desk.comments(review.id)]
    told["history"] = [step_record(one) for one in await desk.steps(review.id)]
    return web.json_response(told)


@routes.patch(f"/quality/reviews/{ONE}")
async def answer(request: web.Request) -> web.Response:
    """Answer questions of one's own draft. What the service answered stays as evidence."""
    grant, given = reviewer(request), await body_of(request, Answers)
    review = await deps(request).quality.reviews.answer(
        _id(request), _given(given.answers), reviewer=grant.name, edition=given.edition
    )
    return _answer(review)


@routes.post(f"/quality/reviews/{ONE}/submit")
async def submit(request: web.Request) -> web.Response:
    """Submit one's own draft, when every question is answered: the score counts from now on."""
    grant, wanted = reviewer(request), await body_of(request, Submit)
    review = await deps(request).quality.reviews.submit(
        _id(request), reviewer=grant.name, edition=wanted.edition
    )
    return _answer(review)


@routes.post(f"/quality/reviews/{ONE}/comments")
async def comment(request: web.Request) -> web.Response:
    """Add a remark, perhaps at a moment of the call; the agent may, too."""
    grant, remark = caller(request), await body_of(request, Remark)
    made = await deps(request).quality.reviews.comment(
        _id(request),
        by=grant.agent or grant.name,
        agent_id=own_agent(request),
        seconds=remark.seconds,
        text=remark.text,
    )
    return web.json_response(comment_record(made), status=201)


@routes.post(f"/quality/reviews/{ONE}/appeal")
async def appeal(request: web.Request) -> web.Response:
    """Contest a submitted review of one's own call, once; for agents."""
    agent_id, why = own_agent(request), await body_of(request, Appeal)
    if agent_id is None:
        raise Forbidden("only the agent of the call appeals")
    review = await deps(request).quality.reviews.appeal(
        _id(request), by=caller(request).agent or "", agent_id=agent_id, text=why.text
    )
    return _answer(review)


@routes.post(f"/quality/reviews/{ONE}/resolve")
async def resolve(request: web.Request) -> web.Response:
    """Decide on an appeal, with other answers or the same; not by the reviewer himself. It is final."""
    grant, wanted = reviewer(request), await body_of(request, Decision)
    review = await deps(request).quality.reviews.resolve(
        _id(request), _given(wanted.answers), by=grant.name, text=wanted.text
    )
    return _answer(review)


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _given(answers: dict[str, Answer]) -> dict[str, GivenAnswer]:
    return {code: GivenAnswer(value=one.value, note=one.note) for code, one in answers.items()}


def _answer(review: Review) -> web.Response:
    return web.json_response(review_record(review))
