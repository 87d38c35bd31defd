"""`WorkStore` on the database: leases, answers, dead letters.

`next_at` is the one moment that decides whether a waiting row may be handed out: when it is due, or, while it is
leased, when the lease runs out. `due_at` keeps the wish of the newest version for the time after the lease.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from cti.model.work import NewWork, Work
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.held_work import SAME_VERSION, extend_held, finish_held, one_lease, one_version, unless_newer
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import DEAD, DONE, WAITING, WorkWriter
from cti.work.ports import WorkCounts, WorkQueue

_work = tables.work.c
_IS_DUE: Final = and_(tables.waiting, _work.next_at <= bindparam("now"))
_IN_TURN: Final = (_work.priority.desc(), _work.next_at, _work.id)


def due_rows(kinds: int) -> Select[tuple[int]]:
    """Return the question for the rows of so many kinds (`kind0`, `kind1`, ...) that are due, and lock them.

    The index is led by the kind, so that what waits of other kinds is not read past. Each kind gives its own first
    rows from it; of these the first are locked, if they are due still.
    """
    question = select(_work.id).where(_IS_DUE)
    if kinds == 1:
        question = question.where(_work.kind == bindparam("kind0"))
    else:
        first = [_first_of(bindparam(f"kind{n}")) for n in range(kinds)]
        question = question.where(_work.id.in_(union_all(*first)))
    return question.order_by(*_IN_TURN).limit(bindparam("at_most")).with_for_update(skip_locked=True)


def _first_of(kind: BindParameter[str]) -> Select[tuple[int]]:
    mine = select(_work.id).where(_IS_DUE, _work.kind == kind).order_by(*_IN_TURN).limit(bindparam("at_most"))
    return select(mine.subquery().c.id)  # SQLite takes ORDER BY and LIMIT in a part of a UNION only so


@cache
def _take(kinds: int) -> ReturningUpdate[Any]:
    # PostgreSQL never merges a CTE that locks rows into what uses it, so that the limit holds; a subquery it might
    due = due_rows(kinds).cte("due")
    return (
        update(tables.work)
        .where(_work.id.in_(select(due.c.id)))
        .values(lease=bindparam("token"), next_at=bindparam("until"), attempts=_work.attempts + 1)
        .returning(tables.work)
    )


_HELD: Final = and_(_work.id == bindparam("held_id"), _work.lease == bindparam("held_lease"))
_EXTEND: Final = update(tables.work).where(_HELD).values(next_at=bindparam("until"))
_COUNT_WAITING: Final = (
    select(_work.kind, func.count().label("rows"), func.count(_work.lease).label("leased"))
    .where(tables.waiting)
    .group_by(_work.kind)
)
_COUNT_OVER: Final = (
    select(_work.kind, _work.standing, func.count().label("rows"))
    .where(tables.over)
    .group_by(_work.standing, _work.kind)
)


class SqlWork:
    """The durable work table."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._writer = WorkWriter(connections)

    @to_the_end
    async def add(self, works: Sequence[NewWork], *, now: datetime) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await self._writer.write(connection, works, now=now)

    @to_the_end
    async def lease(
        self, *, kinds: Sequence[str], limit: int, now: datetime, lease_for: timedelta
    ) -> list[Work]:
        """See the port."""
        token, until = secrets.token_hex(16), now + lease_for
        names = sorted(set(kinds))
        if not names:
            return []
        due = {**{f"kind{n}": kind for n, kind in enumerate(names)}, "now": now, "at_most": limit}
        async with self._connections.writing_once() as connection:
            rows = (
                await connection.execute(_take(len(names)), {**due, "token": token, "until": until})
            ).all()
        ordered = sorted(rows, key=lambda row: (-row.priority, row.due_at, row.id))
        return [_of_row(row) for row in ordered]

    @to_the_end
    async def extend(self, work: Work, *, now: datetime, lease_for: timedelta) -> bool:
        """See the port."""
        return await self._answer(_EXTEND, work, until=now + lease_for) is not None

    @to_the_end
    async def extend_all(self, works: Sequence[Work], *, now: datetime, lease_for: timedelta) -> set[int]:
        """See the port."""
        once = self._connections.writing_once if one_lease(works) else self._connections.writing
        async with once() as connection:
            return await extend_held(connection, works, until=now + lease_for)

    @to_the_end
    async def finish_all(self, works: Sequence[Work], *, now: datetime) -> set[int]:
        """See the port."""
        once = self._connections.writing_once if one_version(works) else self._connections.writing
        async with once() as connection:
            held = await finish_held(connection, works, now=now)
        return {work.id for work in works if held.get(work.id) == work.version}

    @to_the_end
    async def finish(self, work: Work, *, now: datetime) -> bool:
        """See the port."""
        verdict = _release(now).values(standing=unless_newer(DONE), error=None, next_at=_work.due_at)
        return await self._answer(verdict, work) == work.version

    @to_the_end
    async def retry(self, work: Work, *, error: str, due_at: datetime, now: datetime) -> bool:
        """See the port."""
        next_due = case((SAME_VERSION, bindparam("again_at", due_at, _work.due_at.type)), else_=_work.due_at)
        verdict = _release(now).values(error=error, due_at=next_due, next_at=next_due)
        return await self._answer(verdict, work) is not None

    @to_the_end
    async def give_back(self, work: Work, *, due_at: datetime, now: datetime) -> bool:
        """See the port."""
        next_due = case((SAME_VERSION, bindparam("again_at", due_at, _work.due_at.type)), else_=_work.due_at)
        fewer = case((SAME_VERSION, _work.attempts - 1), else_=_work.attempts)
        verdict = _release(now).values(due_at=next_due, next_at=next_due, attempts=fewer)
        return await self._answer(verdict, work) is not None

    @to_the_end
    async def bury(self, work: Work, *, error: str, now: datetime) -> bool:
        """See the port."""
        verdict = _release(now).values(standing=unless_newer(DEAD), error=error, next_at=_work.due_at)
        return await self._answer(verdict, work) == work.version

    @to_the_end
    async def revive(self, work_id: int, *, now: datetime) -> bool:
        """See the port."""
        change = (
            update(tables.work)
            .where(_work.id == work_id, _work.standing == DEAD)
            .values(standing=WAITING, attempts=0, due_at=now, next_at=now, changed_at=now)
        )
        async with self._connections.writing() as connection:
            return (await connection.execute(change)).rowcount == 1

    @to_the_end
    async def discard(self, work_id: int, *, now: datetime) -> bool:
        """See the port."""
        change = (
            update(tables.work)
            .where(_work.id == work_id, _work.standing == DEAD)
            .values(standing=DONE, changed_at=now)
        )
        async with self._connections.writing() as connection:
            return (await connection.execute(change)).rowcount == 1

    @to_the_end
    async def dead(self, *, kind: str | None = None, limit: int = 100) -> list[Work]:
        """See the port."""
        question = select(tables.work).where(tables.over, _work.standing == DEAD)
        if kind is not None:
            question = question.where(_work.kind == kind)
        question = question.order_by(_work.changed_at.desc(), _work.id.desc()).limit(limit)
        async with self._connections.reading() as connection:
            return [_of_row(row) for row in await connection.execute(question)]

    @to_the_end
    async def queue(self, *, kind: str, now: datetime, since: datetime) -> WorkQueue:
        """See the port."""
        oldest = select(func.min(_work.next_at)).where(
            tables.waiting, _work.kind == kind, _work.lease.is_(None), _work.next_at <= now
        )
        done = select(func.count()).where(
            tables.over, _work.standing == DONE, _work.kind == kind, _work.changed_at >= since
        )
        async with self._connections.reading() as connection:
            return WorkQueue(
                oldest_due_at=await connection.scalar(oldest), done=await connection.scalar(done) or 0
            )

    @to_the_end
    async def forget_done(self, *, before: datetime, kinds: Sequence[str] | None = None) -> int:
        """See the port."""
        old = delete(tables.work).where(tables.over, _work.standing == DONE, _work.changed_at < before)
        if kinds is not None:
            old = old.where(_work.kind.in_(kinds))
        async with self._connections.writing() as connection:
            return (await connection.execute(old)).rowcount

    @to_the_end
    async def counts(self) -> list[WorkCounts]:
        """See the port."""
        rows: Counter[tuple[str, str]] = Counter()
        async with self._connections.reading() as connection:
            for kind, count, leased in await connection.execute(_COUNT_WAITING):
                rows[kind, WAITING], rows[kind, "leased"] = count - leased, leased
            for kind, standing, count in await connection.execute(_COUNT_OVER):
                rows[kind, standing] = count
        return [
            WorkCounts(
                kind=kind,
                waiting=rows[kind, WAITING],
                leased=rows[kind, "leased"],
                done=rows[kind, DONE],
                dead=rows[kind, DEAD],
            )
            for kind in sorted({kind for kind, _ in rows})
        ]

    async def _answer(self, verdict: Update, work: Work, **values: Any) -> int | None:
        """Carry out what a holder says; return the row's version now, None when the lease is not his."""
        held = {"held_id": work.id, "held_lease": work.lease}
        if verdict is not _EXTEND:
            held["held_version"] = work.version
        async with self._connections.writing_once() as connection:
            answered = await connection.execute(verdict.returning(_work.version), {**held, **values})
            version: int | None = answered.scalar_one_or_none()
        return version


def _release(now: datetime) -> Update:
    return update(tables.work).where(_HELD).values(lease=None, changed_at=now)


def _of_row(row: Row[Any]) -> Work:
    return Work(
        id=row.id,
        kind=row.kind,
        key=row.key,
        version=row.version,
        payload=row.payload,
        attempts=row.attempts,
        lease=row.lease or "",
        leased_until=row.next_at,
        error=row.error,
    )
