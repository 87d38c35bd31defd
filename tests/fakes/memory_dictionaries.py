"""`DictionaryStore` in memory."""

from collections.abc import Sequence
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.dictionaries import INSTALLATION, DictionaryEntry
from tests.fakes.memory_tables import MemoryTables


class MemoryDictionaries:
    """Entries in a dictionary by kind, campaign and code."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def dictionary_entries(self) -> list[DictionaryEntry]:
        return list(self._tables.dictionary_entries.values())

    async def add_entries(self, entries: Sequence[DictionaryEntry], *, at: datetime) -> None:
        for entry in entries:
            if entry.campaign_id != INSTALLATION and entry.campaign_id not in self._tables.campaigns:
                raise NotFound(f"there is no campaign {entry.campaign_id}")
            if _key(entry) in self._tables.dictionary_entries:
                raise Conflict(f"the code {entry.code} is there already")
        self._tables.dictionary_entries |= {_key(entry): entry for entry in entries}

    async def save_entry(self, entry: DictionaryEntry) -> None:
        if _key(entry) not in self._tables.dictionary_entries:
            raise NotFound(f"there is no {entry.code!r} among the {entry.kind}")
        self._tables.dictionary_entries[_key(entry)] = entry


def _key(entry: DictionaryEntry) -> tuple[str, int, str]:
    return (entry.kind, entry.campaign_id, entry.code)
