"""Writes what judging a call leaves on it into a transaction that is open already; searches can be narrowed by it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.searches import MarkKind
from cti.storage import tables

_marks = tables.call_marks.c
_FORGET: Final = delete(tables.call_marks).where(
    _marks.call_id == bindparam("of_call"), _marks.kind == bindparam("of_kind")
)
_ADD: Final = insert(tables.call_marks)


async def replace_marks(
    connection: AsyncConnection, call_id: str, kind: MarkKind, marks: Mapping[str, float | None]
) -> None:
    """Make these the call's marks of this kind, by name; a score has a value."""
    await connection.execute(_FORGET, {"of_call": call_id, "of_kind": kind.value})
    if marks:
        rows = [
            {"call_id": call_id, "kind": kind.value, "name": name, "value": value}
            for name, value in sorted(marks.items())
        ]
        await connection.execute(_ADD, rows)
