"""Undoes an import, some rows with each commit: first what it changed, then its entries, then its contacts.

What was dialed meanwhile, or what another table speaks of, stays. That is asked of the schema itself, so that a table
that comes later is respected, too.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.ports import UNDO_BITE
from cti.model.contacts import EntryState, NewContact
from cti.model.imports import UndoCounts
from cti.storage import tables
from cti.storage.contact_writes import requeued
from cti.storage.known_contacts import COLUMNS, stored_contacts

_contacts, _numbers, _entries = tables.contacts.c, tables.numbers.c, tables.list_entries.c
_changes = tables.import_changes.c


def before_image(contact: NewContact, number_ids: Mapping[str, int]) -> dict[str, Any]:
    """Return what has to be known to put a contact back: JSON values."""
    values = {name: getattr(contact, name) for name in COLUMNS}
    if contact.consent_at is not None:
        values["consent_at"] = contact.consent_at.isoformat()
    values["fields"] = dict(contact.fields)
    shown = [number_ids[number.e164] for number in contact.numbers]
    return {**values, "numbers": shown, "stored_numbers": sorted(number_ids.values())}


async def put_back(connection: AsyncConnection, import_id: int, done: UndoCounts) -> tuple[UndoCounts, bool]:
    """Put some changed contacts back; returns the counts, and whether there may be more."""
    wanted = select(tables.import_changes).where(_changes.import_id == import_id)
    rows = (await connection.execute(wanted.order_by(_changes.contact_id).limit(UNDO_BITE))).all()
    restored = 0
    for row in rows:
        restored += await _put_back(connection, row.contact_id, row.before, row.changed_at)
    ids = [row.contact_id for row in rows]
    if ids:
        gone = delete(tables.import_changes).where(
            _changes.import_id == import_id, _changes.contact_id.in_(ids)
        )
        await connection.execute(gone)
    counts = replace(done, restored=done.restored + restored, left=done.left + len(rows) - restored)
    return counts, bool(rows)


async def _remove_entries(
    connection: AsyncConnection, undone: Mapping[str, Any], first: int, last: int, done: UndoCounts
) -> UndoCounts:
    """Remove the list's entries with these ids that nobody has dialed."""
    ours = and_(_entries.id.between(first, last), _entries.list_id == undone["list_id"])
    free = and_(
        ours,
        _entries.tries == 0,
        _entries.state != EntryState.DIALING.value,
        *_unspoken(tables.list_entries),
    )
    there = await connection.scalar(select(func.count()).where(ours)) or 0
    removed = (await connection.execute(delete(tables.list_entries).where(free))).rowcount
    return replace(
        done,
        entries_removed=done.entries_removed + removed,
        entries_kept=done.entries_kept + there - removed,
    )


async def _remove_contacts(
    connection: AsyncConnection, undone: Mapping[str, Any], first: int, last: int, done: UndoCounts
) -> UndoCounts:
    """Remove the import's contacts with these ids that nobody has called and nothing speaks of."""
    ours = and_(_contacts.id.between(first, last), _contacts.import_id == undone["id"])
    there = await connection.scalar(select(func.count()).where(ours)) or 0
    wanted = select(_contacts.id).where(
        ours, *_unspoken(tables.contacts, but=tables.numbers), ~_number_spoken_of()
    )
    ids = list((await connection.execute(wanted)).scalars())
    if ids:
        await connection.execute(delete(tables.numbers).where(_numbers.contact_id.in_(ids)))
        await connection.execute(delete(tables.contacts).where(_contacts.id.in_(ids)))
    return replace(
        done,
        contacts_removed=done.contacts_removed + len(ids),
        contacts_kept=done.contacts_kept + there - len(ids),
    )


REMOVALS: Final = (("entries", _remove_entries), ("contacts", _remove_contacts))
"""What an undoing removes, in this order: the name under which an import's `marks` keep the span of ids that it made,
and what removes those of a bite, given the row of the import that is undone, the first and the last id."""


def _unspoken(table: Table, *, but: Table | None = None) -> list[ColumnElement[bool]]:
    """Return conditions: no foreign key of another table refers to the row, but those whose rows go with it."""
    return [
        ~exists().where(key.parent == key.column).correlate(table)
        for other in tables.metadata.sorted_tables
        if other is not but and other is not table
        for key in other.foreign_keys
        if key.column.table is table and key.ondelete != "CASCADE"
    ]


def _number_spoken_of() -> ColumnElement[bool]:
    """Return the condition that another table refers to one of the contact's numbers.

    Calls are left out: they refer to the contact, too.
    """
    keys = [
        key
        for other in tables.metadata.sorted_tables
        if other is not tables.calls
        for key in other.foreign_keys
        if key.column.table is tables.numbers and key.ondelete != "CASCADE"
    ]
    if not keys:
        return _contacts.id.is_(None)
    spoken = or_(*(exists().where(key.parent == _numbers.id).correlate(tables.numbers) for key in keys))
    return exists().where(_numbers.contact_id == _contacts.id, spoken).correlate(tables.contacts)


_CHANGED_AT: Final = select(_contacts.changed_at).with_for_update()
_ROW: Final = select(_contacts.id, _contacts.owner_agent_id, *(_contacts[name] for name in COLUMNS))


async def _put_back(
    connection: AsyncConnection, contact_id: int, before: Mapping[str, Any], changed_at: datetime
) -> bool:
    """Put one contact back; False when somebody else has changed or removed him since."""
    if await connection.scalar(_CHANGED_AT.where(_contacts.id == contact_id)) != changed_at:
        return False
    values = {name: before[name] for name in COLUMNS}
    if values["consent_at"] is not None:
        values["consent_at"] = datetime.fromisoformat(values["consent_at"])
    await connection.execute(update(tables.contacts).where(_contacts.id == contact_id).values(values))
    await _put_numbers_back(connection, contact_id, before["numbers"], before["stored_numbers"])
    row = (await connection.execute(_ROW.where(_contacts.id == contact_id))).mappings().one()
    known = await stored_contacts(connection, [contact_id], rows={contact_id: dict(row)}, standing={})
    await connection.execute(requeued(contact_id, known[contact_id].contact, anew=True))
    return True


async def _put_numbers_back(
    connection: AsyncConnection, contact_id: int, shown: list[int], stored: list[int]
) -> None:
    """Show these numbers in this order. Those that came since go, unless something refers to them: then aside."""
    theirs = _numbers.contact_id == contact_id
    aside = update(tables.numbers).where(theirs).values(position=-_numbers.id)
    await connection.execute(aside)
    for position, number_id in enumerate(shown):
        place = update(tables.numbers).where(_numbers.id == number_id).values(position=position)
        await connection.execute(place)
    since = delete(tables.numbers).where(theirs, _numbers.id.not_in(stored), *_unspoken(tables.numbers))
    await connection.execute(since)
