"""Writes what ended calls say of the work on their contacts, in the transaction that ends the calls."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.calls import Call
from cti.ownership.effort import Effort, effort
from cti.storage import tables

_contacts, _attempts = tables.contacts.c, tables.attempts.c
_talked: Final = bindparam("talked") == 1
_at: Final = bindparam("at", type_=_contacts.last_talk_at.type)
_NOTE: Final = (
    update(tables.contacts)
    .where(
        # only while the end is not written: the same end told again counts once
        _contacts.id
        == select(_attempts.contact_id)
        .where(_attempts.call_id == bindparam("call"), _attempts.outcome.is_(None))
        .scalar_subquery()
    )
    .values(
        failures=case((_talked, 0), else_=_contacts.failures + 1),
        last_talk_at=case(
            (and_(_talked, or_(_contacts.last_talk_at.is_(None), _contacts.last_talk_at < _at)), _at),
            else_=_contacts.last_talk_at,
        ),
    )
)


async def note_efforts(connection: AsyncConnection, ended: Iterable[Call]) -> None:
    """Count failures in a row and note the last conversation; before the ends are written to `attempts`.

    Contacts are locked before the entries of lists are, in the order of their ids, as changes of owners do.
    """
    rows = [(call, effort(call)) for call in sorted(ended, key=lambda call: call.contact_id or 0)]
    notes = [_note(call, made) for call, made in rows if made is not None and call.contact_id is not None]
    if notes:
        await connection.execute(_NOTE, notes)


def _note(call: Call, made: Effort) -> dict[str, Any]:
    return {"call": call.id, "talked": int(made is Effort.TALK), "at": call.ended_at or call.placed_at}
