"""Callbacks as rows, and back, with the lines of their history, in a transaction that is open already."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.callbacks import (
    OPEN_CALLBACKS,
    Callback,
    CallbackFilter,
    CallbackMoveKind,
    CallbackState,
    NewCallback,
)
from cti.storage import tables

_callbacks = tables.callbacks.c
FIELDS: Final = tuple(_callbacks)
_CHANGE: Final = update(tables.callbacks).where(_callbacks.id == bindparam("callback"))
_ADD_MOVE: Final = insert(tables.callback_moves)


def callback_of(row: Any) -> Callback:
    """Return the callback of a row with all columns."""
    return Callback(**dict(row) | {"state": CallbackState(row["state"])})


def when_of(one: Callback) -> str:
    """Return when it is due, in its own zone, in words."""
    return f"{one.due_local:%Y-%m-%d %H:%M} {one.zone}"


def asked(wanted: CallbackFilter) -> Select[Any]:
    """Return the question for callbacks, the soonest first."""
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
    return question.where(_callbacks.state.in_(sorted(state.value for state in wanted.states)))


async def insert_new(connection: AsyncConnection, new: NewCallback, entry_id: int, at: datetime) -> Callback:
    """Write a planned callback. Raises Conflict when one stands open for the entry."""
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
    return callback_of((await connection.execute(row)).mappings().one())


async def one(connection: AsyncConnection, callback_id: int, *, lock: bool = False) -> Callback:
    """Return one callback; `lock`: for a change. Raises NotFound."""
    question = select(*FIELDS).where(_callbacks.id == callback_id)
    row = (
        (await connection.execute(question.with_for_update() if lock else question)).mappings().one_or_none()
    )
    if row is None:
        raise NotFound(f"there is no callback {callback_id}")
    return callback_of(row)


async def some(
    connection: AsyncConnection, wanted: Sequence[Any], limit: int, *, lock: bool = True
) -> list[Callback]:
    """List open callbacks, the soonest first; `lock`: for a change, without those that somebody else changes now."""
    question = select(*FIELDS).where(tables.still_open, *wanted).order_by(_callbacks.due_at, _callbacks.id)
    question = question.limit(limit)
    if lock:
        question = question.with_for_update(skip_locked=True)
    return [callback_of(row) for row in (await connection.execute(question)).mappings()]


async def change(connection: AsyncConnection, after: Callback) -> None:
    """Write a callback as it is now."""
    names = ("agent_id", "due_at", "zone", "note", "state", "reminded_at", "released_at", "changed_at")
    values = {name: _plain(getattr(after, name)) for name in names}
    await connection.execute(_CHANGE.values(values), {"callback": after.id})


async def moved(
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
    changing = _CHANGE.values({name: bindparam(f"new_{name}") for name in columns})
    rows = [
        {"callback": one.id, **{f"new_{name}": _plain(getattr(one, name)) for name in columns}}
        for one in after
    ]
    await connection.execute(changing, rows)
    await note(connection, after, kind, by="clock", detail=detail, at=at)
    return after


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, CallbackState) else value


async def note(
    connection: AsyncConnection,
    callbacks: Sequence[Callback],
    kind: CallbackMoveKind,
    *,
    by: str,
    detail: str,
    at: datetime,
) -> None:
    """Write a line of history for each."""
    rows = [
        {"callback_id": one.id, "at": at, "kind": kind.value, "by": by, "detail": detail} for one in callbacks
    ]
    await connection.execute(_ADD_MOVE, rows)
