"""`WorkStore` in memory."""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cti.model.work import NewWork, Work
from cti.work.ports import WorkCounts, WorkQueue
from tests.fakes.memory_tables import MemoryTables, WorkRow


class MemoryWork:
    """The work table in a dictionary."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def add(self, works: Sequence[NewWork], *, now: datetime) -> None:
        self._tables.write_works(works, now)

    async def lease(
        self, *, kinds: Sequence[str], limit: int, now: datetime, lease_for: timedelta
    ) -> list[Work]:
        rows = [row for row in self._tables.works.values() if row.wish.kind in kinds and _is_due(row, now)]
        rows.sort(key=lambda row: (-row.wish.priority, _handed_out_at(row), row.id))
        token = secrets.token_hex(16)
        for row in rows[:limit]:
            row.lease, row.leased_until = token, now + lease_for
            row.attempts += 1
        return [_work(row) for row in rows[:limit]]

    async def extend(self, work: Work, *, now: datetime, lease_for: timedelta) -> bool:
        row = self._held(work)
        if row is not None:
            row.leased_until = now + lease_for
        return row is not None

    async def extend_all(self, works: Sequence[Work], *, now: datetime, lease_for: timedelta) -> set[int]:
        return {work.id for work in works if await self.extend(work, now=now, lease_for=lease_for)}

    async def finish_all(self, works: Sequence[Work], *, now: datetime) -> set[int]:
        return {work.id for work in works if await self.finish(work, now=now)}

    async def finish(self, work: Work, *, now: datetime) -> bool:
        row = self._release(work, now)
        if row is None or row.version != work.version:
            return False
        row.standing, row.error = "done", None
        return True

    async def retry(self, work: Work, *, error: str, due_at: datetime, now: datetime) -> bool:
        row = self._release(work, now)
        if row is None:
            return False
        row.error = error
        if row.version == work.version:
            row.due_at = due_at
        return True

    async def give_back(self, work: Work, *, due_at: datetime, now: datetime) -> bool:
        row = self._release(work, now)
        if row is None:
            return False
        if row.version == work.version:
            row.due_at = due_at
            row.attempts -= 1
        return True

    async def bury(self, work: Work, *, error: str, now: datetime) -> bool:
        row = self._release(work, now)
        if row is None:
            return False
        row.error = error
        if row.version != work.version:
            return False
        row.standing = "dead"
        return True

    async def revive(self, work_id: int, *, now: datetime) -> bool:
        row = self._tables.works.get(work_id)
        if row is None or row.standing != "dead":
            return False
        row.standing, row.attempts, row.due_at, row.changed_at = "waiting", 0, now, now
        return True

    async def discard(self, work_id: int, *, now: datetime) -> bool:
        row = self._tables.works.get(work_id)
        if row is None or row.standing != "dead":
            return False
        row.standing, row.changed_at = "done", now
        return True

    async def dead(self, *, kind: str | None = None, limit: int = 100) -> list[Work]:
        rows = [
            row
            for row in self._tables.works.values()
            if row.standing == "dead" and kind in (None, row.wish.kind)
        ]
        rows.sort(key=lambda row: (row.changed_at, row.id), reverse=True)
        return [_work(row) for row in rows[:limit]]

    async def queue(self, *, kind: str, now: datetime, since: datetime) -> WorkQueue:
        rows = [row for row in self._tables.works.values() if row.wish.kind == kind]
        due = [row.due_at for row in rows if row.lease is None and _is_due(row, now)]
        done = [row for row in rows if row.standing == "done" and row.changed_at >= since]
        return WorkQueue(oldest_due_at=min(due, default=None), done=len(done))

    async def forget_done(self, *, before: datetime, kinds: Sequence[str] | None = None) -> int:
        old = [
            row.id
            for row in self._tables.works.values()
            if row.standing == "done"
            and row.changed_at < before
            and (kinds is None or row.wish.kind in kinds)
        ]
        for work_id in old:
            del self._tables.works[work_id]
        return len(old)

    async def counts(self) -> list[WorkCounts]:
        rows = self._tables.works.values()
        standing = Counter((row.wish.kind, "leased" if row.lease else row.standing) for row in rows)
        return [
            WorkCounts(
                kind=kind,
                waiting=standing[kind, "waiting"],
                leased=standing[kind, "leased"],
                done=standing[kind, "done"],
                dead=standing[kind, "dead"],
            )
            for kind in sorted({kind for kind, _ in standing})
        ]

    def _held(self, work: Work) -> WorkRow | None:
        row = self._tables.works.get(work.id)
        return row if row is not None and row.lease == work.lease else None

    def _release(self, work: Work, now: datetime) -> WorkRow | None:
        row = self._held(work)
        if row is not None:
            row.lease, row.leased_until, row.changed_at = None, None, now
        return row


def _is_due(row: WorkRow, now: datetime) -> bool:
    return row.standing == "waiting" and _handed_out_at(row) <= now


def _handed_out_at(row: WorkRow) -> datetime:
    return row.leased_until if row.leased_until is not None else row.due_at


def _work(row: WorkRow) -> Work:
    return Work(
        id=row.id,
        kind=row.wish.kind,
        key=row.wish.key,
        version=row.version,
        payload=row.wish.payload,
        attempts=row.attempts,
        lease=row.lease or "",
        leased_until=row.leased_until or datetime.min.replace(tzinfo=UTC),
        error=row.error,
    )
