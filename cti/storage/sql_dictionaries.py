"""`DictionaryStore` on the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, tuple_, update

from cti.errors import Conflict, NotFound
from cti.model.dictionaries import INSTALLATION, DictionaryEntry, DictionaryKind, Meaning
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_entries = tables.dictionary_entries.c
_ALL: Final = select(tables.dictionary_entries).order_by(_entries.id)


class SqlDictionaries:
    """Codes, labels, meanings."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def dictionary_entries(self) -> list[DictionaryEntry]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_entry(row) for row in await connection.execute(_ALL)]

    @to_the_end
    async def add_entries(self, entries: Sequence[DictionaryEntry], *, at: datetime) -> None:
        """See the port."""
        keys = [(one.kind.value, one.campaign_id, one.code) for one in entries]
        there = select(_entries.code).where(
            tuple_(_entries.kind, _entries.campaign_id, _entries.code).in_(keys)
        )
        campaigns = {one.campaign_id for one in entries} - {INSTALLATION}
        async with self._connections.writing() as connection:
            for campaign_id in sorted(campaigns):
                known = select(tables.campaigns.c.id).where(tables.campaigns.c.id == campaign_id)
                if await connection.scalar(known) is None:
                    raise NotFound(f"there is no campaign {campaign_id}")
            taken = await connection.scalar(there.limit(1))
            if taken is not None:
                raise Conflict(f"the code {taken} is there already")
            rows = [
                _values(one)
                | {"kind": one.kind.value, "campaign_id": one.campaign_id, "code": one.code, "created_at": at}
                for one in entries
            ]
            if rows:
                await connection.execute(insert(tables.dictionary_entries), rows)

    @to_the_end
    async def save_entry(self, entry: DictionaryEntry) -> None:
        """See the port."""
        change = (
            update(tables.dictionary_entries)
            .where(
                _entries.kind == entry.kind.value,
                _entries.campaign_id == entry.campaign_id,
                _entries.code == entry.code,
            )
            .values(_values(entry))
        )
        async with self._connections.writing() as connection:
            if (await connection.execute(change)).rowcount == 0:
                raise NotFound(f"there is no {entry.code!r} among the {entry.kind}")


def _values(entry: DictionaryEntry) -> dict[str, Any]:
    return {
        "labels": dict(entry.labels),
        "meanings": sorted(entry.meanings),
        "position": entry.position,
        "retired_at": entry.retired_at,
    }


def _entry(row: Any) -> DictionaryEntry:
    return DictionaryEntry(
        kind=DictionaryKind(row.kind),
        campaign_id=row.campaign_id,
        code=row.code,
        labels=row.labels,
        meanings=frozenset(Meaning(word) for word in row.meanings),
        position=row.position,
        retired_at=row.retired_at,
    )
