"""Carries changes of contacts out on an open connection, a statement for each sort of row, and writes their history."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, exists, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.bulk_plans import placed
from cti.contacts.changes import Change, change_record
from cti.model.contacts import EntryState
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.connections import Connections

Changed = tuple[int, Change]
"""A contact's id, and what changes of him."""

_ADD_TAGS: Final = insert(tables.contact_tags)
_REMOVE_TAG: Final = delete(tables.contact_tags).where(
    tables.contact_tags.c.contact_id == bindparam("of_contact"),
    tables.contact_tags.c.tag == bindparam("of_tag"),
)
_ADD_HISTORY: Final = insert(tables.contact_changes)
_ADD_ENTRIES: Final = insert(tables.list_entries)
_END_ENTRY: Final = (
    update(tables.list_entries)
    .where(tables.list_entries.c.id == bindparam("of_entry"))
    .values(state=EntryState.DONE.value, due_at=None, reason=SkipReason.LIST_ENDED.value)
)
_REMOVE_ENTRY: Final = delete(tables.list_entries).where(
    tables.list_entries.c.id == bindparam("of_entry"),
    # an attempt that never left the service points at it still: then it stays, as one that has ended
    ~exists().where(tables.attempts.c.entry_id == tables.list_entries.c.id),
)


async def carry_out(
    connections: Connections,
    connection: AsyncConnection,
    changed: Sequence[Changed],
    *,
    kind: str,
    by: str,
    at: datetime,
    bulk_id: int | None = None,
) -> list[Changed]:
    """Write the changes, of which none is empty, and a row of history for each. Returns them with new entries' ids."""
    if not changed:
        return []
    changed = await _with_entry_ids(connections, connection, changed)
    contact_rows = [
        (contact_id, {name: after for name, (_, after) in change.contact.items()} | {"changed_at": at})
        for contact_id, change in changed
    ]
    await _update(connection, tables.contacts, contact_rows)
    entry_rows = [
        (entry_id, {name: after for name, (_, after) in part.items()})
        for _, change in changed
        for entry_id, part in change.entries.items()
    ]
    await _update(connection, tables.list_entries, entry_rows)
    await _tags_and_entries(connection, changed)
    facts = {"at": at, "by": by, "kind": kind, "bulk_id": bulk_id}
    await connection.execute(
        _ADD_HISTORY,
        [
            {**facts, "contact_id": contact_id, "change": change_record(change)}
            for contact_id, change in changed
        ],
    )
    return list(changed)


async def _with_entry_ids(
    connections: Connections, connection: AsyncConnection, changed: Sequence[Changed]
) -> list[Changed]:
    new = [change for _, change in changed if change.entry_added is not None]
    ids = iter(await connections.new_ids(connection, tables.list_entries, len(new)) if new else ())
    return [
        (contact_id, placed(change, next(ids)) if change.entry_added is not None else change)
        for contact_id, change in changed
    ]


async def _update(
    connection: AsyncConnection, table: Any, rows: Iterable[tuple[int, dict[str, Any]]]
) -> None:
    """Update rows by id; those that change the same columns go in one statement."""
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row_id, values in sorted(rows, key=lambda row: row[0]):
        alike[tuple(values)].append({"of_id": row_id, **{f"new_{name}": v for name, v in values.items()}})
    for names, sets in alike.items():
        statement = update(table).where(table.c.id == bindparam("of_id"))
        await connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), sets)


async def _tags_and_entries(connection: AsyncConnection, changed: Sequence[Changed]) -> None:
    added = [{"contact_id": one, "tag": tag} for one, change in changed for tag in change.tags_added]
    removed = [{"of_contact": one, "of_tag": tag} for one, change in changed for tag in change.tags_removed]
    entries = [
        {"contact_id": one, **change.entry_added} for one, change in changed if change.entry_added is not None
    ]
    gone = [{"of_entry": change.entry_removed["id"]} for _, change in changed if change.entry_removed]
    for statement, rows in (
        (_ADD_TAGS, added),
        (_REMOVE_TAG, removed),
        (_ADD_ENTRIES, entries),
        (_END_ENTRY, gone),
        (_REMOVE_ENTRY, gone),
    ):
        if rows:
            await connection.execute(statement, rows)
