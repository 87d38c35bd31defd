"""`RecordingStore` on the database: facts, outlines, retention, holds. Pauses: see `sql_pauses`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.queries import RecordingFacts
from cti.model.recordings import HoldStep, Peaks, RecordedCall
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.recording_rows import (
    FACT_COLUMNS,
    MOVING,
    SAVED,
    facts_of,
    recording_values,
    saved_values,
)
from cti.storage.sql_pauses import SqlPauses, end_pauses
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_recordings, _calls, _peaks = tables.recordings.c, tables.calls.c, tables.recording_peaks.c
_holds = tables.recording_holds.c
_RECORDED_CALL: Final = (
    select(
        _calls.id.label("call_id"),
        _calls.placed_at,
        _calls.node,
        _calls.number,
        _calls.campaign_id,
        func.coalesce(tables.campaigns.c.name, "").label("campaign"),
        func.coalesce(tables.agents.c.login, "").label("agent"),
        _calls.list_id,
        _calls.contact_id,
        _calls.ended_at,
    )
    .select_from(tables.calls)
    .outerjoin(tables.campaigns, tables.campaigns.c.id == _calls.campaign_id)
    .outerjoin(tables.agents, tables.agents.c.id == _calls.agent_id)
)
_FACTS: Final = select(_recordings.call_id, *FACT_COLUMNS)
_FREE: Final = and_(_recordings.deleting_at.is_(None), _recordings.deleted_at.is_(None))


class SqlRecordings(SqlPauses):
    """Facts of recordings and all that hangs on them."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._works = WorkWriter(connections)
        new = connections.insert(tables.recordings)
        self._save = new.on_conflict_do_update(
            index_elements=[_recordings.call_id],
            set_={name: new.excluded[name] for name in (*SAVED, "checked_at")},
            where=_FREE,
        )
        outline = connections.insert(tables.recording_peaks)
        self._save_peaks = outline.on_conflict_do_update(
            index_elements=[_peaks.call_id],
            set_={name: outline.excluded[name] for name in ("bucket_ms", "channels", "levels")},
        )

    @to_the_end
    async def recorded_call(self, call_id: str) -> RecordedCall | None:
        """See the port."""
        async with self._connections.reading() as connection:
            row = (await connection.execute(_RECORDED_CALL.where(_calls.id == call_id))).one_or_none()
        return None if row is None else RecordedCall(**row._mapping)

    @to_the_end
    async def recording(self, call_id: str) -> RecordingFacts | None:
        """See the port."""
        async with self._connections.reading() as connection:
            row = (await connection.execute(_FACTS.where(_recordings.call_id == call_id))).one_or_none()
        return None if row is None else facts_of(row)

    @to_the_end
    async def save_recording(
        self,
        call_id: str,
        facts: RecordingFacts,
        *,
        at: datetime,
        peaks: Peaks | None = None,
        works: Sequence[NewWork] = (),
        ended_at: datetime | None = None,
    ) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            if await connection.scalar(select(_calls.id).where(_calls.id == call_id)) is None:
                raise NotFound(f"there is no call {call_id}")
            await connection.execute(self._save, saved_values(call_id, facts, at=at))
            if peaks is not None:
                await connection.execute(self._save_peaks, _peak_values(call_id, peaks))
            if ended_at is not None:
                await end_pauses(connection, call_id, at=ended_at)
            await self._works.write(connection, works, now=at)

    @to_the_end
    async def move_recording(
        self,
        call_id: str,
        *,
        before: RecordingFacts,
        after: RecordingFacts,
        now: datetime,
        works: Sequence[NewWork] = (),
    ) -> bool:
        """See the port."""
        same = [_recordings[name].is_not_distinct_from(value) for name, value in _moving(before).items()]
        move = (
            update(tables.recordings)
            .where(_recordings.call_id == call_id, _FREE, *same)
            .values(**_moving(after))
        )
        async with self._connections.writing() as connection:
            moved = (await connection.execute(move)).rowcount == 1
            if moved:
                await self._works.write(connection, works, now=now)
        return moved

    @to_the_end
    async def recordings_after(
        self, call_id: str, *, limit: int, key_id_is_not: str | None = None
    ) -> list[tuple[str, RecordingFacts]]:
        """See the port."""
        wanted = _FACTS.where(_recordings.call_id > call_id, *_with_file(key_id_is_not))
        return await self._listed(wanted.order_by(_recordings.call_id).limit(limit))

    @to_the_end
    async def count_recordings(self, *, key_id_is_not: str | None = None) -> int:
        """See the port."""
        counted = select(func.count()).select_from(tables.recordings).where(*_with_file(key_id_is_not))
        async with self._connections.reading() as connection:
            return int(await connection.scalar(counted) or 0)

    @to_the_end
    async def add_works(self, works: Sequence[NewWork], *, now: datetime) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await self._works.write(connection, works, now=now)

    @to_the_end
    async def begin_deleting(
        self, before: Mapping[str, datetime], *, limit: int, at: datetime
    ) -> list[tuple[str, RecordingFacts]]:
        """See the port."""
        async with self._connections.writing() as connection:
            begun = await _call_ids(connection, tables.being_deleted, limit=limit)
            for name, moment in sorted(before.items()):
                over = and_(
                    tables.with_file,
                    _recordings.retention == name,
                    _recordings.recorded_at < moment,
                    _recordings.held.is_(False),
                    _recordings.deleting_at.is_(None),
                )
                begun += await _call_ids(connection, over, limit=limit - len(begun))
            claim = update(tables.recordings).where(
                _recordings.call_id.in_(begun), _recordings.deleting_at.is_(None)
            )
            await connection.execute(claim.values(deleting_at=at))
            rows = await connection.execute(_FACTS.where(_recordings.call_id.in_(begun)))
            return [(row.call_id, facts_of(row)) for row in rows]

    @to_the_end
    async def finish_deleting(self, call_id: str, *, at: datetime) -> None:
        """See the port."""
        gone = update(tables.recordings).where(
            _recordings.call_id == call_id, _recordings.deleting_at.is_not(None)
        )
        async with self._connections.writing() as connection:
            if (await connection.execute(gone.values(path=None, deleted_at=at))).rowcount:
                await connection.execute(delete(tables.recording_peaks).where(_peaks.call_id == call_id))

    @to_the_end
    async def set_hold(self, call_id: str, *, held: bool, by: str, reason: str, at: datetime) -> bool:
        """See the port."""
        row = select(_recordings.held, _recordings.deleting_at).where(_recordings.call_id == call_id)
        async with self._connections.writing() as connection:
            found = (await connection.execute(row.with_for_update())).one_or_none()
            if found is None:
                raise NotFound(f"call {call_id} has no recording (yet)")
            if found.deleting_at is not None:
                raise Conflict(f"the recording of call {call_id} is being deleted, or was")
            if found.held == held:
                return False
            change = update(tables.recordings).where(_recordings.call_id == call_id).values(held=held)
            await connection.execute(change)
            step = {"call_id": call_id, "held": held, "asked_by": by, "reason": reason, "at": at}
            await connection.execute(insert(tables.recording_holds), step)
        return True

    @to_the_end
    async def hold_steps(self, call_id: str) -> list[HoldStep]:
        """See the port."""
        steps = select(tables.recording_holds).where(_holds.call_id == call_id).order_by(_holds.id)
        async with self._connections.reading() as connection:
            return [
                HoldStep(held=row.held, by=row.asked_by, reason=row.reason, at=row.at)
                for row in await connection.execute(steps)
            ]

    @to_the_end
    async def retention_counts(self) -> list[tuple[str, bool, int]]:
        """See the port."""
        counted = (
            select(_recordings.retention, _recordings.held, func.count())
            .where(tables.with_file)
            .group_by(_recordings.retention, _recordings.held)
            .order_by(_recordings.retention, _recordings.held)
        )
        async with self._connections.reading() as connection:
            return [(name, held, count) for name, held, count in await connection.execute(counted)]

    @to_the_end
    async def peaks(self, call_id: str) -> Peaks | None:
        """See the port."""
        outline = select(tables.recording_peaks).where(_peaks.call_id == call_id)
        async with self._connections.reading() as connection:
            row = (await connection.execute(outline)).one_or_none()
        if row is None:
            return None
        return Peaks(bucket_ms=row.bucket_ms, channels=row.channels, levels=bytes(row.levels))

    async def _listed(self, question: Any) -> list[tuple[str, RecordingFacts]]:
        async with self._connections.reading() as connection:
            return [(row.call_id, facts_of(row)) for row in await connection.execute(question)]


async def _call_ids(
    connection: AsyncConnection, condition: ColumnElement[bool] | Any, *, limit: int
) -> list[str]:
    """Return the oldest recordings that meet the condition, locked against a hold that comes at this moment."""
    if limit <= 0:
        return []
    found = select(_recordings.call_id).where(condition).order_by(_recordings.recorded_at).limit(limit)
    return list((await connection.execute(found.with_for_update())).scalars())


def _with_file(key_id_is_not: str | None) -> list[Any]:
    conditions: list[Any] = [tables.with_file, _recordings.deleting_at.is_(None)]
    if key_id_is_not is not None:
        conditions.append(or_(_recordings.key_id.is_(None), _recordings.key_id != key_id_is_not))
    return conditions


def _moving(facts: RecordingFacts) -> dict[str, Any]:
    return recording_values(facts, *MOVING)


def _peak_values(call_id: str, peaks: Peaks) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "bucket_ms": peaks.bucket_ms,
        "channels": peaks.channels,
        "levels": peaks.levels,
    }
