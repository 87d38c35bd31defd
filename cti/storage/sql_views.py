"""`ViewStore` on the database."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select

from cti.errors import Conflict, NotFound
from cti.model.conditions import Scope
from cti.model.contact_rows import Sort
from cti.model.views import View
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_views = tables.saved_views.c
_ALL: Final = select(tables.saved_views).order_by(_views.id)


class SqlViews:
    """Views that people keep."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def views(self) -> list[View]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_view(row) for row in await connection.execute(_ALL)]

    @to_the_end
    async def add_view(self, view: View, *, at: datetime) -> View:
        """See the port."""
        facts = {"owner": view.owner, "name": view.name}
        async with self._connections.writing() as connection:
            if await connection.scalar(select(_views.id).filter_by(**facts)):
                raise Conflict(f"you have a view {view.name} already")
            row = {
                **facts,
                "about": view.about.value,
                "condition": dict(view.condition),
                "sort": view.sort.value,
                "shared": view.shared,
                "created_at": at,
            }
            new = insert(tables.saved_views).values(row).returning(*tables.saved_views.c)
            return _view((await connection.execute(new)).one())

    @to_the_end
    async def remove_view(self, view_id: str) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            gone = await connection.execute(delete(tables.saved_views).where(_views.id == int(view_id)))
            if gone.rowcount == 0:
                raise NotFound(f"there is no view {view_id!r}")


def _view(row: Any) -> View:
    return View(
        id=str(row.id),
        name=row.name,
        about=Scope(row.about),
        condition=row.condition,
        sort=Sort(row.sort),
        owner=row.owner,
        shared=row.shared,
        created_at=row.created_at,
    )
