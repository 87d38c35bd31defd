"""`QueueStore` on the database: calls that wait for a review, each held by one reviewer at most."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from cti.model.judgements import JudgedCall
from cti.model.reviews import QueuePlace, QueueSource, QueueState
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.judgement_rows import call_values, judged_call
from cti.storage.uninterrupted import to_the_end

_AT_ONCE: Final = 500
"""Calls put in by one statement."""

_queue, _reviews, _judgements = tables.review_queue.c, tables.reviews.c, tables.call_judgements.c
_FREE: Final = (
    select(tables.review_queue)
    .where(
        tables.in_queue,
        or_(_queue.claimed_until.is_(None), _queue.claimed_until <= bindparam("now")),
    )
    .order_by(_queue.priority, _queue.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_FREE_OF: Final = _FREE.where(_queue.campaign_id == bindparam("campaign"))


class SqlReviewQueue:
    """The review queue."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def claim(
        self, reviewer: str, *, campaign_id: int | None, until: datetime, now: datetime
    ) -> QueuePlace | None:
        """See the port."""
        held = select(tables.review_queue).where(
            tables.in_queue, _queue.claimed_by == reviewer, _queue.claimed_until > now
        )
        free, asked = _FREE, dict[str, Any](now=now)
        if campaign_id is not None:
            held = held.where(_queue.campaign_id == campaign_id)
            free, asked = _FREE_OF, {"now": now, "campaign": campaign_id}
        async with self._connections.writing() as connection:
            row = (await connection.execute(held.order_by(_queue.priority, _queue.id).limit(1))).first()
            row = row or (await connection.execute(free, asked)).first()
            if row is None:
                return None
            taken = (
                update(tables.review_queue)
                .where(_queue.id == row.id)
                .values(claimed_by=reviewer, claimed_until=until)
                .returning(*tables.review_queue.c)
            )
            return _place((await connection.execute(taken)).one())

    @to_the_end
    async def release(self, place_id: int, reviewer: str) -> bool:
        """See the port."""
        given_back = (
            update(tables.review_queue)
            .where(_queue.id == place_id, tables.in_queue, _queue.claimed_by == reviewer)
            .values(claimed_by=None, claimed_until=None)
        )
        async with self._connections.writing() as connection:
            return (await connection.execute(given_back)).rowcount > 0

    @to_the_end
    async def extend(self, call_id: str, reviewer: str, *, until: datetime) -> bool:
        """See the port."""
        longer = (
            update(tables.review_queue)
            .where(_queue.call_id == call_id, tables.in_queue, _queue.claimed_by == reviewer)
            .values(claimed_until=until)
        )
        async with self._connections.writing() as connection:
            return (await connection.execute(longer)).rowcount > 0

    @to_the_end
    async def put(
        self, call_ids: Sequence[str], *, source: QueueSource, reason: str, priority: int, at: datetime
    ) -> int:
        """See the port."""
        calls, added = tables.calls.c, 0
        place = {
            "source": source.value,
            "reason": reason,
            "priority": priority,
            "state": QueueState.WAITING.value,
            "created_at": at,
        }
        async with self._connections.writing() as connection:
            for start in range(0, len(call_ids), _AT_ONCE):
                some = list(dict.fromkeys(call_ids[start : start + _AT_ONCE]))
                fresh = (
                    select(calls.id.label("call_id"), calls.placed_at, calls.campaign_id, calls.agent_id)
                    .where(calls.id.in_(some))
                    .where(~select(_queue.id).where(_queue.call_id == calls.id).exists())
                    .where(~select(_reviews.id).where(_reviews.call_id == calls.id).exists())
                )
                found = {row.call_id: judged_call(row) for row in await connection.execute(fresh)}
                rows = [{**call_values(found[one]), **place} for one in some if one in found]
                if rows:
                    await connection.execute(insert(tables.review_queue), rows)
                added += len(rows)
        return added

    @to_the_end
    async def drop(self, place_id: int, *, at: datetime) -> bool:
        """See the port."""
        gone = (
            update(tables.review_queue)
            .where(_queue.id == place_id, tables.in_queue)
            .values(state=QueueState.DROPPED.value, done_at=at)
        )
        async with self._connections.writing() as connection:
            return (await connection.execute(gone)).rowcount > 0

    @to_the_end
    async def places(
        self, *, state: QueueState | None, campaign_id: int | None, after: tuple[int, int] | None, limit: int
    ) -> list[QueuePlace]:
        """See the port."""
        question = select(tables.review_queue).order_by(_queue.priority, _queue.id).limit(limit)
        if state is QueueState.WAITING:
            question = question.where(tables.in_queue)
        elif state is not None:
            question = question.where(_queue.state == state.value)
        if campaign_id is not None:
            question = question.where(_queue.campaign_id == campaign_id)
        if after is not None:
            priority, place_id = after
            question = question.where(
                or_(_queue.priority > priority, and_(_queue.priority == priority, _queue.id > place_id))
            )
        async with self._connections.reading() as connection:
            return [_place(row) for row in await connection.execute(question)]

    @to_the_end
    async def drawable(
        self, *, since: datetime, until: datetime, campaign_id: int | None, least_seconds: float
    ) -> list[JudgedCall]:
        """See the port."""
        question = (
            select(_judgements.call_id, _judgements.placed_at, _judgements.campaign_id, _judgements.agent_id)
            .where(_judgements.placed_at >= since, _judgements.placed_at < until)
            .where(_judgements.agent_id.is_not(None))
            .where(func.coalesce(_judgements.seconds, 0) >= least_seconds)
            .order_by(_judgements.call_id)
        )
        if campaign_id is not None:
            question = question.where(_judgements.campaign_id == campaign_id)
        async with self._connections.reading() as connection:
            return [judged_call(row) for row in await connection.execute(question)]


def _place(row: Any) -> QueuePlace:
    return QueuePlace(
        id=row.id,
        call=judged_call(row),
        source=QueueSource(row.source),
        reason=row.reason,
        priority=row.priority,
        state=QueueState(row.state),
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        created_at=row.created_at,
        done_at=row.done_at,
    )
