"""`NodeStore` on the database: when each node was last seen."""

from datetime import datetime

from sqlalchemy import select

from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end


class SqlNodes:
    """One row for each node ever seen."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        insert = connections.insert(tables.nodes)
        self._see = insert.on_conflict_do_update(
            index_elements=[tables.nodes.c.name],
            set_={"started": insert.excluded.started, "last_seen_at": insert.excluded.last_seen_at},
        )

    @to_the_end
    async def node_seen(self, node: str, started: str, at: datetime) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await connection.execute(self._see, {"name": node, "started": started, "last_seen_at": at})

    @to_the_end
    async def node_started(self, node: str) -> str | None:
        """See the port."""
        question = select(tables.nodes.c.started).where(tables.nodes.c.name == node)
        async with self._connections.reading() as connection:
            started: str | None = await connection.scalar(question)
        return started
