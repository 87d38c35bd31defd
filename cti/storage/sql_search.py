"""`TranscriptSearch` on the database. The index proposes, newest first; each proposal is compared with its text.

How candidates are found differs: `sqlite_search`, `postgres_search`.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.searches import After, Found, Hit, SearchOrder, SearchScope
from cti.search.hits import RANKED, any_of, judged, rank
from cti.search.ports import Asked
from cti.search.query import Query
from cti.search.segment_ids import LAST_ID, edge, first_id
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.postgres_search import PostgresCandidates
from cti.storage.search_rows import Reach, hit_of
from cti.storage.sqlite_search import SqliteCandidates
from cti.storage.uninterrupted import to_the_end

MOST_LOOKED_AT: Final = 5000
"""Proposals that one page compares at most; then it is handed out as it is, with where to go on."""
_MOST_AT_ONCE: Final = 500

_transcripts = tables.transcripts.c
_KEY_OF_CALL: Final = select(_transcripts.key).where(
    _transcripts.call_id == bindparam("call_id"), tables.current_transcripts
)


class Candidates(Protocol):
    """Proposes utterances, newest first."""

    async def page(
        self, connection: AsyncConnection, asked: Asked, *, whole: Reach, beyond: int, limit: int
    ) -> Sequence[Row[Any]]:
        """Return up to `limit` rows of `search_rows.hits_from` whose ids are in the reach and below `beyond`."""
        ...


class SqlSearch:
    """Finds utterances."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._candidates: Candidates = SqliteCandidates() if connections.is_sqlite else PostgresCandidates()

    @to_the_end
    async def find(self, asked: Asked) -> Found:
        """See the port."""
        shown = any_of(asked.query) if asked.scope is SearchScope.CALL else asked.query
        # SQLite needs no settings for its statements, and a page more or less of what came meanwhile does no harm
        seeing = self._connections.glancing if self._connections.is_sqlite else self._connections.reading
        async with seeing() as connection:
            whole = await _reach(connection, asked)
            if asked.order is SearchOrder.RANK:
                return await self._ranked(connection, asked, whole, shown)
            return await self._newest(connection, asked, whole, shown)

    async def _newest(self, connection: AsyncConnection, asked: Asked, whole: Reach, shown: Query) -> Found:
        beyond = min(whole.beyond, asked.after.segment_id) if asked.after else whole.beyond
        hits: list[Hit] = []
        looked_at, wanted = 0, asked.limit + 1
        while looked_at < MOST_LOOKED_AT:
            rows = await self._candidates.page(connection, asked, whole=whole, beyond=beyond, limit=wanted)
            for row in rows:
                hit = hit_of(row, shown)
                if hit is not None:
                    hits.append(hit)
                if len(hits) > asked.limit:
                    return Found(
                        hits=tuple(hits[: asked.limit]),
                        next=After(segment_id=hits[asked.limit - 1].segment_id),
                    )
            if len(rows) < wanted:
                return Found(hits=tuple(hits), next=None)
            beyond = rows[-1].id
            looked_at += len(rows)
            wanted = min(2 * wanted, _MOST_AT_ONCE)
        return Found(hits=tuple(hits), next=After(segment_id=beyond))

    async def _ranked(self, connection: AsyncConnection, asked: Asked, whole: Reach, shown: Query) -> Found:
        rows = await self._candidates.page(connection, asked, whole=whole, beyond=whole.beyond, limit=RANKED)
        scored = []
        for row in rows:
            if judgement := judged(shown, row.text):
                scored.append((rank(shown, *judgement), row.id, row))
        scored.sort(key=lambda each: each[:2], reverse=True)
        first = asked.after.place if asked.after else 0
        beyond = first + asked.limit
        hits = [hit_of(row, shown) for _, _, row in scored[first:beyond]]
        more = After(place=beyond) if len(scored) > beyond else None
        return Found(hits=tuple(hit for hit in hits if hit is not None), next=more)


async def _reach(connection: AsyncConnection, asked: Asked) -> Reach:
    narrow = asked.narrow
    first = edge(narrow.since) if narrow.since else 0
    beyond = edge(narrow.until) if narrow.until else LAST_ID
    reach = Reach(first, beyond)
    if narrow.call_id is None:
        return reach
    key = await connection.scalar(_KEY_OF_CALL, {"call_id": narrow.call_id})
    if key is None:
        return Reach(0, 0)
    return Reach(max(first, first_id(key)), min(beyond, first_id(key + 1)))
