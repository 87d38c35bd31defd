"""`CallbackStore` on the database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.dialer.callback_ports import CallbackWorks, no_callback_works
from cti.errors import Conflict, NotFound
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    CallbackMoveKind,
    CallbackState,
    NewCallback,
    Whereabouts,
)
from cti.storage import callback_entries as entries
from cti.storage import callback_rows as rows
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_callbacks, _contacts = tables.callbacks.c, tables.contacts.c


class SqlCallbacks:
    """Callbacks, their history, and the entries as far as callbacks move them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)

    @to_the_end
    async def whereabouts(self, contact_id: int) -> Whereabouts:
        """See the port."""
        number = (
            select(tables.numbers.c.zone)
            .where(tables.numbers.c.contact_id == contact_id, tables.numbers.c.zone.is_not(None))
            .order_by(tables.numbers.c.position)
            .limit(1)
            .scalar_subquery()
        )
        question: Any = select(
            _contacts.owner_agent_id, func.coalesce(_contacts.zone, number, "").label("zone")
        ).where(_contacts.id == contact_id)
        async with self._connections.reading() as connection:
            row = (await connection.execute(question)).one_or_none()
        if row is None:
            raise NotFound(f"there is no contact {contact_id}")
        return Whereabouts(owner_agent_id=row.owner_agent_id, zone=row.zone)

    @to_the_end
    async def add(
        self, new: NewCallback, *, raised: int, at: datetime, works: CallbackWorks = no_callback_works
    ) -> Callback:
        """See the port."""
        async with self._connections.writing() as connection:
            await entries.must_be_callable(connection, new.contact_id)
            entry_id = await entries.entry_of(connection, new, at)
            made = await rows.insert_new(connection, new, entry_id, at)
            await rows.note(
                connection, [made], CallbackMoveKind.MADE, by=new.by, detail=rows.when_of(made), at=at
            )
            await entries.wait(connection, made, raised=raised, at=at)
            await self._works.write(connection, works(made), now=at)
        return made

    @to_the_end
    async def get(self, callback_id: int) -> Callback:
        """See the port."""
        async with self._connections.reading() as connection:
            return await rows.one(connection, callback_id)

    @to_the_end
    async def find(self, wanted: CallbackFilter) -> list[Callback]:
        """See the port."""
        async with self._connections.reading() as connection:
            found = (await connection.execute(rows.asked(wanted))).mappings().all()
        return [rows.callback_of(row) for row in found]

    @to_the_end
    async def history(self, callback_id: int) -> list[CallbackMove]:
        """See the port."""
        moves = tables.callback_moves.c
        question = (
            select(moves.at, moves.kind, moves.by, moves.detail)
            .where(moves.callback_id == callback_id)
            .order_by(moves.id)
        )
        async with self._connections.reading() as connection:
            lines = (await connection.execute(question)).all()
        return [
            CallbackMove(at=row.at, kind=CallbackMoveKind(row.kind), by=row.by, detail=row.detail)
            for row in lines
        ]

    @to_the_end
    async def change(
        self,
        callback_id: int,
        change: CallbackChange,
        *,
        by: str,
        raised: int,
        at: datetime,
        works: CallbackWorks = no_callback_works,
    ) -> Callback:
        """See the port."""
        async with self._connections.writing() as connection:
            before = await rows.one(connection, callback_id, lock=True)
            if not before.open:
                raise Conflict(f"callback {callback_id} is {before.state.value} already")
            after = change.applied(before, at=at)
            await rows.change(connection, after)
            await rows.note(
                connection, [after], change.kind(before), by=by, detail=change.words(before, after), at=at
            )
            if not after.open:
                await entries.let_go(connection, after, at=at)
            elif after.due_at != before.due_at:
                await entries.wait(connection, after, raised=raised, at=at)
            elif after.agent_id != before.agent_id:
                await entries.into_lane(connection, [after.entry_id], after.agent_id)
            await self._works.write(connection, works(after), now=at)
        return after

    @to_the_end
    async def remind(
        self, until: datetime, *, at: datetime, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """See the port."""
        wanted = (
            _callbacks.state == CallbackState.PLANNED.value,
            _callbacks.reminded_at.is_(None),
            _callbacks.due_at <= until,
        )
        async with self._connections.writing() as connection:
            found = await rows.some(connection, wanted, limit)
            moved = await rows.moved(connection, found, CallbackMoveKind.REMINDED, at=at, reminded_at=at)
            return await self._left_behind(connection, moved, works, at)

    @to_the_end
    async def fall_due(
        self, now: datetime, *, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """See the port."""
        wanted = (_callbacks.state == CallbackState.PLANNED.value, _callbacks.due_at <= now)
        async with self._connections.writing() as connection:
            found = await rows.some(connection, wanted, limit)
            callable_ = await entries.callable_among(connection, [one.entry_id for one in found])
            due = [one for one in found if one.entry_id in callable_]
            lost = [one for one in found if one.entry_id not in callable_]
            await entries.call(connection, due)
            missed = await rows.moved(
                connection,
                lost,
                CallbackMoveKind.MISSED,
                at=now,
                detail="he may not be called any more",
                state=CallbackState.MISSED,
            )
            fallen = await rows.moved(connection, due, CallbackMoveKind.DUE, at=now, state=CallbackState.DUE)
            return await self._left_behind(connection, missed + fallen, works, now)

    @to_the_end
    async def unreleased(self, due_before: datetime, *, limit: int) -> list[Callback]:
        """See the port."""
        wanted = (
            _callbacks.state == CallbackState.DUE.value,
            _callbacks.agent_id.is_not(None),
            _callbacks.released_at.is_(None),
            _callbacks.due_at <= due_before,
        )
        async with self._connections.reading() as connection:
            return await rows.some(connection, wanted, limit, lock=False)

    @to_the_end
    async def release(
        self, callback_ids: Collection[int], *, at: datetime, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """See the port."""
        wanted = (
            _callbacks.id.in_(sorted(callback_ids)),
            _callbacks.state == CallbackState.DUE.value,
            _callbacks.released_at.is_(None),
        )
        async with self._connections.writing() as connection:
            found = await rows.some(connection, wanted, len(callback_ids))
            await entries.into_lane(connection, [one.entry_id for one in found], None)
            moved = await rows.moved(connection, found, CallbackMoveKind.RELEASED, at=at, released_at=at)
            return await self._left_behind(connection, moved, works, at)

    async def _left_behind(
        self, connection: AsyncConnection, moved: list[Callback], works: CallbackWorks, at: datetime
    ) -> list[Callback]:
        """Write the work that moves leave behind; return what moved."""
        left = [work for one in moved for work in works(one)]
        await self._works.write(connection, left, now=at)
        return moved
