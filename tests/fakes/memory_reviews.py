"""Reviews, their queue and results in memory."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.judgements import (
    SUMMED,
    JudgedCall,
    JudgedTally,
    Judgement,
    Rescan,
    RuleCount,
)
from cti.model.keyword_rules import RANKS, RuleVersion, Severity
from cti.model.reviews import (
    QuestionTally,
    QueuePlace,
    QueueSource,
    QueueState,
    Review,
    ReviewComment,
    ReviewState,
    ReviewStep,
    ScoreAnswer,
    ScoredTally,
)
from cti.model.score_cards import CardVersion
from cti.quality.ports import Asked, ReviewFilter
from tests.fakes.memory_tables import MemoryTables


@dataclass(slots=True)
class QualityRows:
    """All rows of quality."""

    rules: list[RuleVersion] = field(default_factory=list)
    cards: list[CardVersion] = field(default_factory=list)
    judgements: dict[str, Judgement] = field(default_factory=dict)
    rescans: dict[int, Rescan] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    comments: list[ReviewComment] = field(default_factory=list)
    steps: defaultdict[int, list[ReviewStep]] = field(default_factory=lambda: defaultdict(list))
    places: dict[int, QueuePlace] = field(default_factory=dict)

    def waiting(self, call_id: str) -> QueuePlace | None:
        """Return where a call waits."""
        return next(
            (
                one
                for one in self.places.values()
                if one.call.call_id == call_id and one.state is QueueState.WAITING
            ),
            None,
        )


def call_of(tables: MemoryTables, call_id: str) -> JudgedCall | None:
    """Return a stored call."""
    call = tables.calls.get(call_id)
    if call is None:
        return None
    return JudgedCall(
        call_id=call.id, placed_at=call.placed_at, campaign_id=call.campaign_id, agent_id=call.agent_id
    )


class MemoryReviews:
    """Reviews by id."""

    def __init__(self, tables: MemoryTables, rows: QualityRows) -> None:
        self._tables = tables
        self._rows = rows

    async def begin(self, review: Review, *, step: ReviewStep) -> Review:
        for other in self._rows.reviews.values():
            if (other.call.call_id, other.card_code) == (review.call.call_id, review.card_code):
                if other.reviewer == review.reviewer:
                    raise Conflict("you have a review of this call by this card already")
                if not (other.calibration or review.calibration):
                    raise Conflict("the call has a review by this card already")
        stored = replace(review, id=self._tables.new_id())
        self._rows.reviews[stored.id] = stored
        self._rows.steps[stored.id].append(step)
        return stored

    async def save(self, review: Review, *, edition: int, step: ReviewStep) -> Review:
        stored = await self.review(review.id)
        if stored.edition != edition:
            raise Conflict(
                f"the review {review.id} was changed meanwhile: it is edition {stored.edition}, not {edition}"
            )
        self._rows.reviews[review.id] = replace(review, edition=edition + 1)
        self._rows.steps[review.id].append(step)
        call_id = review.call.call_id
        if review.state is not ReviewState.DRAFT and not review.calibration:
            self._tables.call_marks[call_id, "score", review.card_code] = review.points
            if place := self._rows.waiting(call_id):
                done = replace(place, state=QueueState.DONE, done_at=review.changed_at)
                self._rows.places[place.id] = done
        return self._rows.reviews[review.id]

    async def comment(
        self, review_id: int, *, by: str, at: datetime, seconds: float | None, text: str
    ) -> ReviewComment:
        await self.review(review_id)
        comment = ReviewComment(
            id=self._tables.new_id(), review_id=review_id, by=by, at=at, seconds=seconds, text=text
        )
        self._rows.comments.append(comment)
        return comment

    async def review(self, review_id: int) -> Review:
        if review_id not in self._rows.reviews:
            raise NotFound(f"there is no review {review_id}")
        return self._rows.reviews[review_id]

    async def reviews(self, wanted: ReviewFilter) -> list[Review]:
        found = [
            one
            for _, one in sorted(self._rows.reviews.items(), reverse=True)
            if wanted.agent_id in (None, one.call.agent_id)
            and wanted.reviewer in (None, one.reviewer)
            and wanted.state in (None, one.state)
            and wanted.call_id in (None, one.call.call_id)
            and not (wanted.counted_only and (one.state is ReviewState.DRAFT or one.calibration))
            and (wanted.before_id is None or one.id < wanted.before_id)
        ]
        return found[: wanted.limit]

    async def comments(self, review_id: int) -> list[ReviewComment]:
        return [one for one in self._rows.comments if one.review_id == review_id]

    async def steps(self, review_id: int) -> list[ReviewStep]:
        return list(self._rows.steps[review_id])


class MemoryReviewQueue:
    """Places by id."""

    def __init__(self, tables: MemoryTables, rows: QualityRows) -> None:
        self._tables = tables
        self._rows = rows

    async def claim(
        self, reviewer: str, *, campaign_id: int | None, until: datetime, now: datetime
    ) -> QueuePlace | None:
        waiting = await self.places(
            state=QueueState.WAITING, campaign_id=campaign_id, after=None, limit=10**9
        )
        held = [one for one in waiting if one.claimed_until is not None and one.claimed_until > now]
        mine = [one for one in held if one.claimed_by == reviewer]
        free = [one for one in waiting if one not in held]
        if not (mine or free):
            return None
        taken = replace((mine or free)[0], claimed_by=reviewer, claimed_until=until)
        self._rows.places[taken.id] = taken
        return taken

    async def release(self, place_id: int, reviewer: str) -> bool:
        return self._change(place_id, reviewer, claimed_by=None, claimed_until=None)

    async def extend(self, call_id: str, reviewer: str, *, until: datetime) -> bool:
        place = self._rows.waiting(call_id)
        return place is not None and self._change(place.id, reviewer, claimed_until=until)

    def _change(self, place_id: int, reviewer: str, **values: object) -> bool:
        place = self._rows.places.get(place_id)
        if place is None or place.state is not QueueState.WAITING or place.claimed_by != reviewer:
            return False
        self._rows.places[place_id] = replace(place, **values)  # type: ignore[arg-type]
        return True

    async def put(
        self, call_ids: Sequence[str], *, source: QueueSource, reason: str, priority: int, at: datetime
    ) -> int:
        known = {one.call.call_id for one in (*self._rows.places.values(), *self._rows.reviews.values())}
        added = 0
        for call_id in dict.fromkeys(call_ids):
            call = call_of(self._tables, call_id)
            if call is None or call_id in known:
                continue
            place = QueuePlace(
                id=self._tables.new_id(),
                call=call,
                source=source,
                reason=reason,
                priority=priority,
                state=QueueState.WAITING,
                created_at=at,
            )
            self._rows.places[place.id] = place
            added += 1
        return added

    async def drop(self, place_id: int, *, at: datetime) -> bool:
        place = self._rows.places.get(place_id)
        if place is None or place.state is not QueueState.WAITING:
            return False
        self._rows.places[place_id] = replace(place, state=QueueState.DROPPED, done_at=at)
        return True

    async def places(
        self, *, state: QueueState | None, campaign_id: int | None, after: tuple[int, int] | None, limit: int
    ) -> list[QueuePlace]:
        found = sorted(self._rows.places.values(), key=lambda one: (one.priority, one.id))
        return [
            one
            for one in found
            if state in (None, one.state)
            and campaign_id in (None, one.call.campaign_id)
            and (after is None or (one.priority, one.id) > after)
        ][:limit]

    async def drawable(
        self, *, since: datetime, until: datetime, campaign_id: int | None, least_seconds: float
    ) -> list[JudgedCall]:
        asked = Asked(since=since, until=until, campaign_id=campaign_id)
        return [
            one.call
            for _, one in sorted(self._rows.judgements.items())
            if _within(one.call, asked)
            and one.call.agent_id is not None
            and one.figures.seconds >= least_seconds
        ]


class MemoryQualityResults:
    """Adds up rows one by one."""

    def __init__(self, rows: QualityRows) -> None:
        self._rows = rows

    async def judged_tallies(self, asked: Asked) -> list[JudgedTally]:
        by_agent: defaultdict[int | None, list[Judgement]] = defaultdict(list)
        for one in self._rows.judgements.values():
            if _within(one.call, asked):
                by_agent[one.call.agent_id].append(one)
        return [
            JudgedTally(
                agent_id=agent_id,
                calls=len(own),
                flagged=sum(_rank(one) >= RANKS[Severity.FLAG] for one in own),
                alerts=sum(_rank(one) >= RANKS[Severity.ALERT] for one in own),
                sums={name: float(sum(getattr(one.figures, name) for one in own)) for name in SUMMED},
            )
            for agent_id, own in by_agent.items()
        ]

    async def scored_tallies(self, asked: Asked, *, by_reviewer: bool = False) -> list[ScoredTally]:
        grouped: defaultdict[int | str | None, list[Review]] = defaultdict(list)
        for one in self._counted(asked):
            grouped[one.reviewer if by_reviewer else one.call.agent_id].append(one)
        return [
            ScoredTally(
                who=who,
                reviews=sum(one.points is not None for one in own),
                points=sum(one.points or 0.0 for one in own),
                passed=sum(bool(one.passed) for one in own),
                fatal=sum(bool(one.fatal) for one in own),
                appealed=sum(one.state in (ReviewState.APPEALED, ReviewState.RESOLVED) for one in own),
            )
            for who, own in grouped.items()
        ]

    async def question_tallies(self, asked: Asked) -> list[QuestionTally]:
        grouped: defaultdict[tuple[str, str], list[ScoreAnswer]] = defaultdict(list)
        for one in self._counted(asked):
            for code, answer in one.answers.items():
                grouped[one.card_code, code].append(answer)
        return [
            QuestionTally(
                card=card,
                question=question,
                answers=len(answers),
                na=sum(one.share is None for one in answers),
                shares=sum(one.share or 0.0 for one in answers),
                overridden=sum(one.overridden for one in answers),
            )
            for (card, question), answers in sorted(grouped.items())
        ]

    async def rule_counts(self, asked: Asked) -> list[RuleCount]:
        counted = Counter(
            (verdict.code, verdict.severity)
            for one in self._rows.judgements.values()
            if _within(one.call, asked)
            for verdict in one.broken
        )
        ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        return [RuleCount(code=code, severity=severity, calls=n) for (code, severity), n in ordered]

    async def scored_together(self, asked: Asked) -> list[Review]:
        grouped: defaultdict[tuple[str, str], list[Review]] = defaultdict(list)
        for _, one in sorted(self._rows.reviews.items()):
            if one.state is not ReviewState.DRAFT and _within(one.call, asked):
                grouped[one.call.call_id, one.card_code].append(one)
        return [one for _, group in sorted(grouped.items()) if len(group) > 1 for one in group]

    def _counted(self, asked: Asked) -> list[Review]:
        return [
            one
            for one in self._rows.reviews.values()
            if one.state is not ReviewState.DRAFT and not one.calibration and _within(one.call, asked)
        ]


def _within(call: JudgedCall, asked: Asked) -> bool:
    return (
        asked.since <= call.placed_at < asked.until
        and asked.campaign_id in (None, call.campaign_id)
        and asked.agent_id in (None, call.agent_id)
    )


def _rank(judgement: Judgement) -> int:
    return RANKS[judgement.severity] if judgement.severity else 0
