"""`ReviewStore` on the database: reviews with their answers, remarks and history."""

import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.reviews import (
    AnsweredBy,
    QueueState,
    Review,
    ReviewComment,
    ReviewMove,
    ReviewState,
    ReviewStep,
    ScoreAnswer,
)
from cti.model.searches import MarkKind
from cti.quality.ports import ReviewFilter
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.judgement_rows import call_values, judged_call
from cti.storage.uninterrupted import to_the_end

_reviews, _answers, _queue = tables.reviews.c, tables.review_answers.c, tables.review_queue.c
_comments, _steps, _marks = tables.review_comments.c, tables.review_steps.c, tables.call_marks.c
_ONE: Final = select(tables.reviews).where(_reviews.id == bindparam("review_id"))
_LOCK: Final = _ONE.with_for_update()


class SqlReviews:
    """Reviews."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def begin(self, review: Review, *, step: ReviewStep) -> Review:
        """See the port."""
        row = {
            **call_values(review.call),
            "card_id": review.card_id,
            "card_code": review.card_code,
            "card_version": review.card_version,
            "calibration": review.calibration,
            "created_at": review.created_at,
            **_changing(review),
        }
        async with self._connections.writing() as connection:
            new = insert(tables.reviews).values(row).returning(_reviews.id)
            review_id: int = (await connection.execute(new)).scalar_one()
            await _write_answers(connection, review_id, review.answers)
            await _write_step(connection, review_id, step)
            return await _read(connection, review_id)

    @to_the_end
    async def save(self, review: Review, *, edition: int, step: ReviewStep) -> Review:
        """See the port."""
        async with self._connections.writing() as connection:
            stored = await _row(connection, review.id, lock=True)
            if stored.edition != edition:
                raise Conflict(
                    f"the review {review.id} was changed meanwhile: it is edition {stored.edition}, not {edition}"
                )
            values = {**_changing(review), "edition": edition + 1}
            await connection.execute(update(tables.reviews).where(_reviews.id == review.id).values(values))
            await connection.execute(delete(tables.review_answers).where(_answers.review_id == review.id))
            await _write_answers(connection, review.id, review.answers)
            await _write_step(connection, review.id, step)
            if review.state is not ReviewState.DRAFT and not review.calibration:
                await self._settle(connection, review)
            return await _read(connection, review.id)

    async def _settle(self, connection: AsyncConnection, review: Review) -> None:
        """Mark the call with its score, and end its waiting."""
        key = {"call_id": review.call.call_id, "kind": MarkKind.SCORE.value, "name": review.card_code}
        mark = self._connections.insert(tables.call_marks).values({**key, "value": review.points})
        await connection.execute(
            mark.on_conflict_do_update(
                index_elements=[_marks.call_id, _marks.kind, _marks.name],
                set_={"value": mark.excluded.value},
            )
        )
        waited = (
            update(tables.review_queue)
            .where(_queue.call_id == review.call.call_id, tables.in_queue)
            .values(state=QueueState.DONE.value, done_at=review.changed_at)
        )
        await connection.execute(waited)

    @to_the_end
    async def comment(
        self, review_id: int, *, by: str, at: datetime, seconds: float | None, text: str
    ) -> ReviewComment:
        """See the port."""
        row = {"review_id": review_id, "by": by, "at": at, "seconds": seconds, "text": text}
        async with self._connections.writing() as connection:
            await _row(connection, review_id)
            new = insert(tables.review_comments).values(row).returning(*tables.review_comments.c)
            return _comment((await connection.execute(new)).one())

    @to_the_end
    async def review(self, review_id: int) -> Review:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _read(connection, review_id)

    @to_the_end
    async def reviews(self, wanted: ReviewFilter) -> list[Review]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await read_reviews(connection, (await connection.execute(_filtered(wanted))).all())

    @to_the_end
    async def comments(self, review_id: int) -> list[ReviewComment]:
        """See the port."""
        question = (
            select(tables.review_comments).where(_comments.review_id == review_id).order_by(_comments.id)
        )
        async with self._connections.reading() as connection:
            return [_comment(row) for row in await connection.execute(question)]

    @to_the_end
    async def steps(self, review_id: int) -> list[ReviewStep]:
        """See the port."""
        question = select(tables.review_steps).where(_steps.review_id == review_id).order_by(_steps.id)
        async with self._connections.reading() as connection:
            return [_step(row) for row in await connection.execute(question)]


async def read_reviews(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Review]:
    """Return reviews of these rows with their answers, in the rows' order."""
    answers: defaultdict[int, list[Any]] = defaultdict(list)
    ids = [row.id for row in rows]
    question = select(tables.review_answers).where(_answers.review_id.in_(ids))
    for row in await connection.execute(question.order_by(_answers.review_id, _answers.question)):
        answers[row.review_id].append(row)
    return [_review(row, answers[row.id]) for row in rows]


async def _row(connection: AsyncConnection, review_id: int, *, lock: bool = False) -> Row[Any]:
    row = (await connection.execute(_LOCK if lock else _ONE, {"review_id": review_id})).first()
    if row is None:
        raise NotFound(f"there is no review {review_id}")
    return row


async def _read(connection: AsyncConnection, review_id: int) -> Review:
    [review] = await read_reviews(connection, [await _row(connection, review_id)])
    return review


async def _write_answers(
    connection: AsyncConnection, review_id: int, answers: Mapping[str, ScoreAnswer]
) -> None:
    rows = [
        {
            "review_id": review_id,
            "question": code,
            "value": one.value,
            "answered_by": one.answered_by.value,
            "share": one.share,
            "evidence": dict(one.evidence),
            "overridden": one.overridden,
            "note": one.note,
        }
        for code, one in answers.items()
    ]
    if rows:
        await connection.execute(insert(tables.review_answers), rows)


async def _write_step(connection: AsyncConnection, review_id: int, step: ReviewStep) -> None:
    row = {
        "review_id": review_id,
        "at": step.at,
        "by": step.by,
        "move": step.move.value,
        "change": dict(step.change),
    }
    await connection.execute(insert(tables.review_steps).values(row))


def _filtered(wanted: ReviewFilter) -> Select[Any]:
    question = select(tables.reviews).order_by(_reviews.id.desc()).limit(wanted.limit)
    if wanted.counted_only:
        question = question.where(_reviews.state != ReviewState.DRAFT.value, tables.no_calibration)
    for value, compares, column in (
        (wanted.agent_id, operator.eq, _reviews.agent_id),
        (wanted.reviewer, operator.eq, _reviews.reviewer),
        (wanted.state, operator.eq, _reviews.state),
        (wanted.call_id, operator.eq, _reviews.call_id),
        (wanted.before_id, operator.lt, _reviews.id),
    ):
        if value is not None:
            question = question.where(compares(column, value))
    return question


def _changing(review: Review) -> dict[str, Any]:
    return {
        "reviewer": review.reviewer,
        "state": review.state.value,
        "points": review.points,
        "fatal": list(review.fatal),
        "has_fatal": bool(review.fatal),
        "passed": review.passed,
        "edition": review.edition,
        "changed_at": review.changed_at,
        "submitted_at": review.submitted_at,
    }


def _review(row: Any, answers: Iterable[Any]) -> Review:
    return Review(
        id=row.id,
        call=judged_call(row),
        card_id=row.card_id,
        card_code=row.card_code,
        card_version=row.card_version,
        reviewer=row.reviewer,
        state=ReviewState(row.state),
        answers={one.question: _answer(one) for one in answers},
        points=row.points,
        fatal=tuple(row.fatal),
        passed=row.passed,
        calibration=row.calibration,
        edition=row.edition,
        created_at=row.created_at,
        changed_at=row.changed_at,
        submitted_at=row.submitted_at,
    )


def _answer(row: Any) -> ScoreAnswer:
    return ScoreAnswer(
        value=row.value,
        answered_by=AnsweredBy(row.answered_by),
        share=row.share,
        evidence=row.evidence,
        note=row.note,
    )


def _comment(row: Any) -> ReviewComment:
    return ReviewComment(**row._mapping)


def _step(row: Any) -> ReviewStep:
    return ReviewStep(at=row.at, by=row.by, move=ReviewMove(row.move), change=row.change)
