"""Candidates from FTS5: it reads its lists in the order of rowids, so that the newest come without sorting."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, bindparam, column, literal_column, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.searches import SearchScope
from cti.search.hits import any_of
from cti.search.ports import Asked
from cti.search.segment_ids import behind_call
from cti.storage.search_calls import CallSets
from cti.storage.search_rows import Reach, hits_from, narrowed
from cti.storage.search_terms import facets_of, fts_query

_ROWID: Final[ColumnElement[int]] = literal_column("segment_index.rowid")
_QUESTION: Final = (
    # the plus sign keeps SQLite from beginning with another table, and asking FTS5 once for each of its rows
    hits_from(table("segment_index", column("rowid")), literal_column("+segment_index.rowid"))
    .where(text("segment_index MATCH :match"), bindparam("first") <= _ROWID, bindparam("beyond") > _ROWID)
    .order_by(_ROWID.desc())
    .limit(bindparam("at_most"))
)
_CALLS: Final = (
    "SELECT rowid >> 14 AS k FROM segment_index"
    " WHERE segment_index MATCH {match} AND rowid >= :first AND rowid < :calls_beyond"
)


class SqliteCandidates:
    """Reads FTS5 from the newest segment back."""

    async def page(
        self, connection: AsyncConnection, asked: Asked, *, whole: Reach, beyond: int, limit: int
    ) -> Sequence[Row[Any]]:
        """Return up to `limit` rows."""
        facets = facets_of(asked.narrow)
        question = narrowed(_QUESTION, asked.narrow)
        given: dict[str, Any] = {"first": whole.first, "beyond": beyond, "at_most": limit}
        if asked.scope is SearchScope.CALL:
            calls = CallSets(_CALLS, lambda query: fts_query(query, facets))
            keys = calls.keys(asked.query)
            question = question.where(text(f"(segment_index.rowid >> 14) IN ({keys})"))
            # whole calls: a page may begin within one
            given |= calls.matches | {"calls_beyond": behind_call(beyond)}
            given["match"] = fts_query(any_of(asked.query), facets)
        else:
            given["match"] = fts_query(asked.query, facets)
        rows: Sequence[Row[Any]] = (await connection.execute(question, given)).all()
        return rows
