"""The search index over segments, written in the transaction of the segments: FTS5 on SQLite, tsvector on PostgreSQL.

Both are given our own tokens. SQLite's table keeps no text: to take a segment out, it must be told again what was put
in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.search.facets import time_facets
from cti.search.units import tokens

FACET: Final = "~"
"""On PostgreSQL facets stand among the words; no word begins with this."""

_SQLITE_ADD: Final = text("INSERT INTO segment_index (rowid, terms, facets) VALUES (:id, :terms, :facets)")
_SQLITE_REMOVE: Final = text(
    "INSERT INTO segment_index (segment_index, rowid, terms, facets) VALUES ('delete', :id, :terms, :facets)"
)
_POSTGRES_ADD: Final = text(
    "INSERT INTO segment_index (id, terms) VALUES (:id, CAST(CAST(:terms AS TEXT) AS TSVECTOR))"
)
_POSTGRES_REMOVE: Final = text("DELETE FROM segment_index WHERE id = ANY(:ids)").bindparams(bindparam("ids"))


@dataclass(frozen=True, slots=True)
class Indexed:
    """A segment as the index sees it."""

    id: int
    text: str
    facets: tuple[str, ...]


class SegmentIndex(Protocol):
    """Writes the index; segments come in the order of their ids."""

    async def add(self, connection: AsyncConnection, rows: Sequence[Indexed]) -> None: ...

    async def remove(self, connection: AsyncConnection, rows: Sequence[Indexed]) -> None: ...


class SqliteIndex:
    """FTS5 without content."""

    async def add(self, connection: AsyncConnection, rows: Sequence[Indexed]) -> None:
        """Put segments in."""
        if rows:
            await connection.execute(_SQLITE_ADD, [_fts_row(row) for row in rows])

    async def remove(self, connection: AsyncConnection, rows: Sequence[Indexed]) -> None:
        """Take segments out that were put in with the very same text and facets."""
        if rows:
            await connection.execute(_SQLITE_REMOVE, [_fts_row(row) for row in rows])


class PostgresIndex:
    """A table of tsvectors."""

    async def add(self, connection: AsyncConnection, rows: Sequence[Indexed]) -> None:
        """Put segments in."""
        if rows:
            given = [{"id": row.id, "terms": _vector(row)} for row in rows]
            await connection.execute(_POSTGRES_ADD, given)

    async def remove(self, connection: AsyncConnection, rows: Sequence[Indexed]) -> None:
        """Take segments out."""
        if rows:
            await connection.execute(_POSTGRES_REMOVE, {"ids": [row.id for row in rows]})


def _vector(row: Indexed) -> str:
    return vector_of(tokens(row.text), (*row.facets, *time_facets(row.id)))


def vector_of(terms: Iterable[str], facets: Iterable[str]) -> str:
    """Return a tsvector as PostgreSQL reads it. Tokens are letters and digits: there is no quotation mark to escape."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for place, term in enumerate(terms, 1):
        places[term].append(str(place))
    words = [f"'{term}':{','.join(at[:_MOST_PLACES])}" for term, at in places.items()]
    return " ".join([*words, *(f"'{FACET}{facet}'" for facet in facets)])


_MOST_PLACES: Final = 255
"""PostgreSQL keeps no more positions of one word
(https://www.postgresql.org/docs/current/textsearch-limitations.html)."""


def _fts_row(row: Indexed) -> dict[str, object]:
    return {"id": row.id, "terms": " ".join(tokens(row.text)), "facets": " ".join(row.facets)}
