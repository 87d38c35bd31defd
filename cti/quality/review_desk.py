"""Reviews: begun, answered, submitted, appealed, resolved. Who may do what is asked here, where the review is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import BadInput, Conflict, NotFound
from cti.model.events import ScoreFatal
from cti.model.reviews import (
    AnsweredBy,
    Review,
    ReviewComment,
    ReviewMove,
    ReviewState,
    ReviewStep,
    ScoreAnswer,
)
from cti.model.score_cards import ScoreCard
from cti.quality.auto_answers import auto_answers
from cti.quality.card_desk import CardDesk
from cti.quality.moves import moved
from cti.quality.ports import JudgementStore, QueueStore, ReviewFilter, ReviewStore
from cti.quality.scoring import score, share_of

HOLD: Final = timedelta(minutes=30)
"""How long a reviewer holds a call of the queue after his last change; kept here for who sets nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """What a person says to one question."""

    value: str | None
    """None takes the answer back."""
    note: str = ""


class ReviewDesk:
    """The use cases of reviews."""

    def __init__(
        self,
        *,
        store: ReviewStore,
        queue: QueueStore,
        judgements: JudgementStore,
        cards: CardDesk,
        bus: EventBus,
        clock: Clock,
        hold: timedelta = HOLD,
    ) -> None:
        self._store = store
        self._queue = queue
        self._judgements = judgements
        self._cards = cards
        self._bus = bus
        self._clock = clock
        self._hold = hold

    async def begin(self, call_id: str, card: str, *, reviewer: str, calibration: bool = False) -> Review:
        """Begin to score a call, with what the service can answer; one's own draft is given again.

        The draft of somebody who let his time pass is taken over by whoever claimed the call after him.
        Raises NotFound (call, card), Conflict (card out of use, call reviewed already).
        """
        call = await self._judgements.call(call_id)
        if call is None:
            raise NotFound(f"there is no call {call_id!r}")
        version = self._cards.usable(card, campaign_id=call.campaign_id)
        if known := await self._known(call_id, card, reviewer, calibration):
            return known
        now = self._clock.now()
        answers = auto_answers(version.card, await self._judgements.judgement(call_id))
        review = Review(
            id=0,
            call=call,
            card_id=version.id,
            card_code=card,
            card_version=version.version,
            reviewer=reviewer,
            state=ReviewState.DRAFT,
            answers=answers,
            calibration=calibration,
            created_at=now,
            changed_at=now,
        )
        step = ReviewStep(
            at=now, by=reviewer, move=ReviewMove.BEGUN, change={"answered_by_service": sorted(answers)}
        )
        return await self._store.begin(_scored(review, version.card), step=step)

    async def _known(self, call_id: str, card: str, reviewer: str, calibration: bool) -> Review | None:
        """Return the draft to go on with, if any."""
        for one in await self._store.reviews(ReviewFilter(call_id=call_id, limit=1000)):
            if (
                one.card_code != card
                or one.state is not ReviewState.DRAFT
                or one.calibration is not calibration
            ):
                continue
            if one.reviewer == reviewer:
                return one
            if not calibration and await self._holds(call_id, reviewer):
                return await self._keep(
                    replace(one, reviewer=reviewer),
                    ReviewMove.BEGUN,
                    by=reviewer,
                    change={"from": one.reviewer},
                )
        return None

    async def _holds(self, call_id: str, reviewer: str) -> bool:
        return await self._queue.extend(call_id, reviewer, until=self._clock.now() + self._hold)

    async def answer(
        self, review_id: int, given: Mapping[str, GivenAnswer], *, reviewer: str, edition: int
    ) -> Review:
        """Answer questions of one's own draft; what the service answered stays as evidence.

        Raises NotFound, BadInput (question, value), Conflict (not a draft, somebody else's, changed meanwhile).
        """
        review = await self._own(review_id, reviewer)
        card = self._cards.by_id(review.card_id).card
        answers, change = _answered(card, review.answers, given)
        changed = _scored(replace(review, answers=answers), card)
        await self._queue.extend(review.call.call_id, reviewer, until=self._clock.now() + self._hold)
        return await self._keep(changed, ReviewMove.ANSWERED, by=reviewer, edition=edition, change=change)

    async def submit(self, review_id: int, *, reviewer: str, edition: int) -> Review:
        """Submit one's own draft: its score counts from now on. Raises BadInput while a question is open."""
        review = await self._own(review_id, reviewer)
        state = moved(review.state, ReviewMove.SUBMITTED)
        card = self._cards.by_id(review.card_id).card
        if still_open := score(card, review.answers).open:
            raise BadInput(f"answers: without an answer: {', '.join(still_open)}")
        submitted = _scored(replace(review, state=state, submitted_at=self._clock.now()), card)
        kept = await self._keep(
            submitted,
            ReviewMove.SUBMITTED,
            by=reviewer,
            edition=edition,
            change={"points": submitted.points, "fatal": list(submitted.fatal)},
        )
        if kept.fatal and not kept.calibration:
            self._bus.publish(
                ScoreFatal(
                    review_id=kept.id,
                    call_id=kept.call.call_id,
                    agent_id=kept.call.agent_id,
                    campaign_id=kept.call.campaign_id,
                    card=kept.card_code,
                    fatal=kept.fatal,
                    at=kept.changed_at,
                )
            )
        return kept

    async def comment(
        self, review_id: int, *, by: str, agent_id: int | None, seconds: float | None, text: str
    ) -> ReviewComment:
        """Add a remark, perhaps at a moment of the call. `agent_id`: of an agent, who may only see his own."""
        review = await self.review(review_id, agent_id=agent_id)
        moved(review.state, ReviewMove.COMMENTED)
        return await self._store.comment(review_id, by=by, at=self._clock.now(), seconds=seconds, text=text)

    async def appeal(self, review_id: int, *, by: str, agent_id: int, text: str) -> Review:
        """Contest a review of one's own call, once. Raises NotFound (not his), Conflict (state)."""
        review = await self.review(review_id, agent_id=agent_id)
        state = moved(review.state, ReviewMove.APPEALED)
        return await self._keep(
            replace(review, state=state), ReviewMove.APPEALED, by=by, change={"text": text}
        )

    async def resolve(
        self, review_id: int, given: Mapping[str, GivenAnswer], *, by: str, text: str
    ) -> Review:
        """Decide on an appeal, with other answers or the same: somebody else than the reviewer. It is final.

        Raises NotFound, BadInput (question, value, taken back), Conflict (state, the reviewer himself).
        """
        review = await self._store.review(review_id)
        state = moved(review.state, ReviewMove.RESOLVED)
        if by == review.reviewer:
            raise Conflict("the reviewer does not decide on the appeal against his own review")
        card = self._cards.by_id(review.card_id).card
        answers, change = _answered(card, review.answers, given)
        resolved = _scored(replace(review, state=state, answers=answers), card)
        if still_open := score(card, answers).open:
            raise BadInput(f"answers: without an answer: {', '.join(still_open)}")
        about = {"text": text, "points": [review.points, resolved.points], **change}
        return await self._keep(resolved, ReviewMove.RESOLVED, by=by, change=about)

    async def review(self, review_id: int, *, agent_id: int | None = None) -> Review:
        """Return a review. `agent_id`: of an agent, to whom only counted reviews of his own calls exist."""
        review = await self._store.review(review_id)
        if agent_id is not None and (
            review.call.agent_id != agent_id or review.state is ReviewState.DRAFT or review.calibration
        ):
            raise NotFound(f"there is no review {review_id}")
        return review

    async def reviews(self, wanted: ReviewFilter) -> Sequence[Review]:
        """List reviews, newest first."""
        return await self._store.reviews(wanted)

    async def comments(self, review_id: int) -> Sequence[ReviewComment]:
        """List a review's remarks."""
        return await self._store.comments(review_id)

    async def steps(self, review_id: int) -> Sequence[ReviewStep]:
        """List a review's history."""
        return await self._store.steps(review_id)

    async def _own(self, review_id: int, reviewer: str) -> Review:
        review = await self._store.review(review_id)
        if review.reviewer != reviewer:
            raise Conflict(f"the review {review_id} is {review.reviewer}'s")
        moved(review.state, ReviewMove.ANSWERED)
        return review

    async def _keep(
        self,
        review: Review,
        move: ReviewMove,
        *,
        by: str,
        change: Mapping[str, Any],
        edition: int | None = None,
    ) -> Review:
        now = self._clock.now()
        step = ReviewStep(at=now, by=by, move=move, change=change)
        return await self._store.save(
            replace(review, changed_at=now),
            edition=review.edition if edition is None else edition,
            step=step,
        )


def _scored(review: Review, card: ScoreCard) -> Review:
    found = score(card, review.answers)
    passed = None
    if review.state is not ReviewState.DRAFT and found.points is not None:
        passed = found.points >= card.pass_mark
    return replace(review, points=found.points, fatal=found.fatal, passed=passed)


def _answered(
    card: ScoreCard, before: Mapping[str, ScoreAnswer], given: Mapping[str, GivenAnswer]
) -> tuple[dict[str, ScoreAnswer], dict[str, Any]]:
    """Return the answers after what was given, and what has changed, for the history."""
    questions = {one.code: one for one in card.questions()}
    answers, changes = dict(before), {}
    for code, one in given.items():
        if code not in questions:
            raise BadInput(f"answers.{code}: the card has no such question")
        old = before.get(code)
        if one.value is None:
            answers.pop(code, None)
        else:
            answers[code] = _answer(one, one.value, share_of(questions[code], one.value), old)
        if (old.value if old else None) != one.value:
            changes[code] = [old.value if old else None, one.value]
    return answers, {"answers": changes}


def _answer(given: GivenAnswer, value: str, share: float | None, old: ScoreAnswer | None) -> ScoreAnswer:
    if old is not None and old.answered_by is AnsweredBy.SERVICE and old.value == value:
        return replace(old, note=given.note)
    evidence = old.evidence if old is not None else {}
    return ScoreAnswer(value=value, share=share, evidence=evidence, note=given.note)
