"""`NodeStore` in memory."""

from datetime import datetime

from tests.fakes.memory_tables import MemoryTables


class MemoryNodes:
    """The nodes' last sights in a dictionary."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def node_seen(self, node: str, started: str, at: datetime) -> None:
        self._tables.nodes[node] = (started, at)

    async def node_started(self, node: str) -> str | None:
        seen = self._tables.nodes.get(node)
        return seen[0] if seen else None
