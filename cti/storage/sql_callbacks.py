"""`CallbackStore` on the database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.dialer.callback_ports import CallbackWorks, no_callback_works
from cti.errors import Conflict, NotFound
from cti.model.callbacks import (
    OPEN_CALLBACKS,
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    CallbackMoveKind,
    CallbackState,
    NewCallback,
    Whereabouts,
)
from cti.model.contacts import EntryState
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.callback_rows import CALL, FIELDS, HAVE, LET_GO, REOPENED, WAIT, callback_of
from cti.storage.connections import Connections
from cti.storage.entry_columns import OWNER_KEY, ZONE
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_callbacks, _entries, _contacts = tables.callbacks.c, tables.list_entries.c, tables.contacts.c
_LIST: Final = "callbacks"
"""Name of the list that a campaign gets for contacts that stand in none of its lists."""
_OPEN: Final = sorted(state.value for state in OPEN_CALLBACKS)
_CHANGE: Final = update(tables.callbacks).where(_callbacks.id == bindparam("callback"))
_ADD_MOVE: Final = insert(tables.callback_moves)


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
            await _must_be_callable(connection, new.contact_id)
            entry_id = await self._entry(connection, new, at)
            taken = select(_callbacks.id).where(_callbacks.entry_id == entry_id, tables.still_open)
            if (known := await connection.scalar(taken)) is not None:
                raise Conflict(f"callback {known} stands open for this contact already; move that one")
            values = {
                "contact_id": new.contact_id,
                "campaign_id": new.campaign_id,
                "entry_id": entry_id,
                "agent_id": new.agent_id,
                "due_at": new.due_at,
                "zone": new.zone,
                "note": new.note,
                "state": CallbackState.PLANNED.value,
                "call_id": new.call_id,
                "created_at": at,
                "created_by": new.by,
                "changed_at": at,
            }
            row = insert(tables.callbacks).values(values).returning(*FIELDS)
            made = callback_of((await connection.execute(row)).mappings().one())
            await _note(connection, [made], CallbackMoveKind.MADE, by=new.by, detail=_when(made), at=at)
            await _wait(connection, made, raised=raised, at=at)
            await self._works.write(connection, works(made), now=at)
        return made

    async def _entry(self, connection: AsyncConnection, new: NewCallback, at: datetime) -> int:
        """Return the contact's newest entry in the campaign; make one when he has none."""
        known = (
            select(_entries.id)
            .where(_entries.contact_id == new.contact_id, _entries.campaign_id == new.campaign_id)
            .order_by(_entries.id.desc())
            .limit(1)
        )
        if (found := await connection.scalar(known)) is not None:
            return int(found)
        campaign = select(tables.campaigns.c.id).where(tables.campaigns.c.id == new.campaign_id)
        if await connection.scalar(campaign) is None:
            raise NotFound(f"there is no campaign {new.campaign_id}")
        row = insert(tables.list_entries).values(
            list_id=await _list_of(connection, new.campaign_id, at),
            campaign_id=new.campaign_id,
            contact_id=new.contact_id,
            state=EntryState.DONE.value,
        )
        entry_id = int((await connection.execute(row.returning(_entries.id))).scalar_one())
        fresh = update(tables.list_entries).where(_entries.id == entry_id)
        await connection.execute(fresh.values(rank=entry_id, zone=ZONE, owner_key=OWNER_KEY))
        return entry_id

    @to_the_end
    async def get(self, callback_id: int) -> Callback:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _one(connection, callback_id)

    @to_the_end
    async def find(self, wanted: CallbackFilter) -> list[Callback]:
        """See the port."""
        question = select(*FIELDS).order_by(_callbacks.due_at, _callbacks.id).limit(wanted.limit)
        for column, value in (
            (_callbacks.agent_id, wanted.agent_id),
            (_callbacks.campaign_id, wanted.campaign_id),
            (_callbacks.contact_id, wanted.contact_id),
        ):
            if value is not None:
                question = question.where(column == value)
        if wanted.since is not None:
            question = question.where(_callbacks.due_at >= wanted.since)
        if wanted.until is not None:
            question = question.where(_callbacks.due_at < wanted.until)
        if wanted.states <= OPEN_CALLBACKS:
            question = question.where(tables.still_open)
        question = question.where(_callbacks.state.in_(sorted(state.value for state in wanted.states)))
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question)).mappings().all()
        return [callback_of(row) for row in rows]

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
            rows = (await connection.execute(question)).all()
        return [
            CallbackMove(at=row.at, kind=CallbackMoveKind(row.kind), by=row.by, detail=row.detail)
            for row in rows
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
            before = await _one(connection, callback_id, lock=True)
            if not before.open:
                raise Conflict(f"callback {callback_id} is {before.state.value} already")
            after = change.applied(before, at=at)
            await connection.execute(_CHANGE.values(_moving(after)), {"callback": callback_id})
            await _note(
                connection, [after], change.kind(before), by=by, detail=change.words(before, after), at=at
            )
            if not after.open:
                await _let_go(connection, after, at=at)
            elif after.due_at != before.due_at:
                await _wait(connection, after, raised=raised, at=at)
            elif after.agent_id != before.agent_id:
                await connection.execute(HAVE, {"entry": after.entry_id, "lane": after.agent_id or 0})
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
            found = await _some(connection, wanted, limit)
            moved = await _moved(connection, found, CallbackMoveKind.REMINDED, at=at, reminded_at=at)
            return await self._left_behind(connection, moved, works, at)

    @to_the_end
    async def fall_due(
        self, now: datetime, *, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """See the port."""
        wanted = (_callbacks.state == CallbackState.PLANNED.value, _callbacks.due_at <= now)
        async with self._connections.writing() as connection:
            found = await _some(connection, wanted, limit)
            callable_ = await _callable(connection, [one.entry_id for one in found])
            due = [one for one in found if one.entry_id in callable_]
            lost = [one for one in found if one.entry_id not in callable_]
            if due:
                await connection.execute(CALL_AS_PLANNED, [{"entry": one.entry_id} for one in due])
            missed = await _moved(
                connection,
                lost,
                CallbackMoveKind.MISSED,
                at=now,
                detail="he may not be called any more",
                state=CallbackState.MISSED,
            )
            fallen = await _moved(connection, due, CallbackMoveKind.DUE, at=now, state=CallbackState.DUE)
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
            return await _some(connection, wanted, limit, lock=False)

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
            found = await _some(connection, wanted, len(callback_ids))
            if found:
                await connection.execute(HAVE, [{"entry": one.entry_id, "lane": 0} for one in found])
            moved = await _moved(connection, found, CallbackMoveKind.RELEASED, at=at, released_at=at)
            return await self._left_behind(connection, moved, works, at)

    async def _left_behind(
        self, connection: AsyncConnection, moved: list[Callback], works: CallbackWorks, at: datetime
    ) -> list[Callback]:
        """Write the work that moves leave behind; return what moved."""
        left = [work for one in moved for work in works(one)]
        await self._works.write(connection, left, now=at)
        return moved


CALL_AS_PLANNED: Final = CALL.values(priority=_entries.priority, raised=_entries.raised)
"""It was raised when it was planned."""


async def _must_be_callable(connection: AsyncConnection, contact_id: int) -> None:
    question = select(_contacts.id, _contacts.stopped_at).where(_contacts.id == contact_id)
    row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise NotFound(f"there is no contact {contact_id}")
    if row.stopped_at is not None:
        raise Conflict(f"contact {contact_id} is stopped; reopen him first")


async def _list_of(connection: AsyncConnection, campaign_id: int, at: datetime) -> int:
    known = select(tables.lists.c.id).where(
        tables.lists.c.campaign_id == campaign_id, tables.lists.c.name == _LIST
    )
    if (found := await connection.scalar(known)) is not None:
        return int(found)
    row = insert(tables.lists).values(
        campaign_id=campaign_id, name=_LIST, source="callbacks", taken=0, created_at=at
    )
    return int((await connection.execute(row.returning(tables.lists.c.id))).scalar_one())


async def _one(connection: AsyncConnection, callback_id: int, *, lock: bool = False) -> Callback:
    question = select(*FIELDS).where(_callbacks.id == callback_id)
    row = (
        (await connection.execute(question.with_for_update() if lock else question)).mappings().one_or_none()
    )
    if row is None:
        raise NotFound(f"there is no callback {callback_id}")
    return callback_of(row)


async def _some(
    connection: AsyncConnection, wanted: Sequence[Any], limit: int, *, lock: bool = True
) -> list[Callback]:
    question = select(*FIELDS).where(tables.still_open, *wanted).order_by(_callbacks.due_at, _callbacks.id)
    question = question.limit(limit)
    if lock:
        question = question.with_for_update(skip_locked=True)
    return [callback_of(row) for row in (await connection.execute(question)).mappings()]


async def _moved(
    connection: AsyncConnection,
    found: Sequence[Callback],
    kind: CallbackMoveKind,
    *,
    at: datetime,
    detail: str = "",
    **changes: Any,
) -> list[Callback]:
    """Write the changes, and a line of history each, as made by the clock; return the callbacks as they are then."""
    if not found:
        return []
    after = [replace(one, changed_at=at, **changes) for one in found]
    columns = ("state", "reminded_at", "released_at", "changed_at")
    change = _CHANGE.values({name: bindparam(f"new_{name}") for name in columns})
    rows = [
        {"callback": one.id, **{f"new_{name}": _plain(getattr(one, name)) for name in columns}}
        for one in after
    ]
    await connection.execute(change, rows)
    await _note(connection, after, kind, by="clock", detail=detail, at=at)
    return after


def _moving(one: Callback) -> dict[str, Any]:
    names = ("agent_id", "due_at", "zone", "note", "state", "reminded_at", "released_at", "changed_at")
    return {name: _plain(getattr(one, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, CallbackState) else value


async def _note(
    connection: AsyncConnection,
    callbacks: Sequence[Callback],
    kind: CallbackMoveKind,
    *,
    by: str,
    detail: str,
    at: datetime,
) -> None:
    rows = [
        {"callback_id": one.id, "at": at, "kind": kind.value, "by": by, "detail": detail} for one in callbacks
    ]
    await connection.execute(_ADD_MOVE, rows)


async def _wait(connection: AsyncConnection, one: Callback, *, raised: int, at: datetime) -> None:
    await connection.execute(HAVE, {"entry": one.entry_id, "lane": one.agent_id or 0})
    waiting = {
        "entry": one.entry_id,
        "due": one.due_at,
        "words": f"callback {one.id}: {_when(one)}",
        "moment": at,
        "new_raised": raised,
    }
    await connection.execute(WAIT, waiting)


async def _let_go(connection: AsyncConnection, one: Callback, *, at: datetime) -> None:
    tries = await connection.scalar(select(_entries.tries).where(_entries.id == one.entry_id))
    untried = not tries and one.state is CallbackState.CANCELLED
    gone = {
        "entry": one.entry_id,
        "becomes": (EntryState.PENDING if untried else EntryState.DONE).value,
        "why": None if untried else SkipReason.REACHED.value,
        "words": None if untried else f"callback {one.id} is {one.state.value}",
        "moment": None if untried else at,
    }
    await connection.execute(LET_GO, gone)


async def _callable(connection: AsyncConnection, entry_ids: Sequence[int]) -> set[int]:
    """Return those entries that may be dialed, or are: all but those that somebody or a law has taken out."""
    allowed = (
        (_entries.state != EntryState.DONE.value)
        | _entries.reason.is_(None)
        | _entries.reason.in_(sorted(REOPENED))
    )
    question = select(_entries.id).where(_entries.id.in_(entry_ids), allowed)
    return set((await connection.execute(question)).scalars()) if entry_ids else set()


def _when(one: Callback) -> str:
    return f"{one.due_local:%Y-%m-%d %H:%M} {one.zone}"
