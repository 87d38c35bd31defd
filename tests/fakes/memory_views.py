"""`ViewStore` in memory."""

from dataclasses import replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.views import View
from tests.fakes.memory_tables import MemoryTables


class MemoryViews:
    """Views in a dictionary."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def views(self) -> list[View]:
        return list(self._tables.views.values())

    async def add_view(self, view: View, *, at: datetime) -> View:
        if any((one.owner, one.name) == (view.owner, view.name) for one in self._tables.views.values()):
            raise Conflict(f"you have a view {view.name} already")
        stored = replace(view, id=str(self._tables.new_id()), created_at=at)
        self._tables.views[stored.id] = stored
        return stored

    async def remove_view(self, view_id: str) -> None:
        if view_id not in self._tables.views:
            raise NotFound(f"there is no view {view_id!r}")
        del self._tables.views[view_id]
