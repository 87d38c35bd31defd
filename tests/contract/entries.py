"""Sets and looks at list entries past the stores: what other parts of the product write."""

from typing import Any

from sqlalchemy import select, update

from cti.model.contacts import EntryState
from cti.storage import tables
from cti.storage.database import Database
from tests.contract.conftest import Store

SHOWN = (
    "state",
    "number_position",
    "tries",
    "owner_key",
    "zone",
    "priority",
    "due_at",
    "reason",
    "reason_detail",
    "reason_at",
    "last_outcome",
    "failures",
    "raised",
    "fresh_since",
    "call_id",
)


async def arrange(store: Store, entry_id: int, **columns: Any) -> None:
    """Write columns of an entry."""
    if isinstance(store, Database):
        change = update(tables.list_entries).where(tables.list_entries.c.id == entry_id).values(**columns)
        async with store.queue._connections.writing() as connection:
            await connection.execute(change)
        return
    for name, value in columns.items():
        setattr(store.tables.entries[entry_id], name, EntryState(value) if name == "state" else value)


async def entry(store: Store, entry_id: int) -> dict[str, Any]:
    """Read an entry."""
    if isinstance(store, Database):
        question = select(*(tables.list_entries.c[name] for name in SHOWN)).where(
            tables.list_entries.c.id == entry_id
        )
        async with store.queue._connections.reading() as connection:
            return dict((await connection.execute(question)).mappings().one())
    found = store.tables.entries[entry_id]
    return {name: getattr(found, name) for name in SHOWN}


async def told_reasons(store: Store) -> list[dict[str, Any]]:
    """Read the whole history of reasons, oldest first."""
    if isinstance(store, Database):
        async with store.queue._connections.reading() as connection:
            rows = await connection.execute(select(tables.entry_reasons).order_by(tables.entry_reasons.c.id))
            return [{key: value for key, value in row.items() if key != "id"} for row in rows.mappings()]
    names = [column.name for column in tables.entry_reasons.c if column.name != "id"]
    return [{name: getattr(one, name) for name in names} for one in store.tables.reasons]
