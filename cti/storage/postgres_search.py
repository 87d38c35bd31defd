"""Candidates from tsvectors. GIN finds without order, so how the newest are found depends on how many there are.

First so many are looked for in any order. Are there fewer, they are all, and are sorted here. Else they are common: the
newest are found soonest by going back from the newest segment, up to a limit; when that does not find enough (all of
them are old), the database sorts all. The planner is not asked: it takes a rare word for a common one and goes back
through all segments.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, TextClause, bindparam, column, func, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.searches import SearchFilter, SearchScope
from cti.search.hits import any_of
from cti.search.ports import Asked
from cti.search.segment_ids import behind_call
from cti.storage import tables
from cti.storage.search_calls import CallSets
from cti.storage.search_rows import Reach, hits_from, is_narrowed, narrowed
from cti.storage.search_terms import facets_of, ts_query

FEW: Final = 2000
"""So many are found in any order and sorted here; reading them costs about what going back for the first 20 does."""
FARTHEST_BACK: Final = 20_000
"""Segments that are gone through for the newest of common words."""

_INDEX: Final = table("segment_index", column("id", BigInteger), column("terms"))
_MATCHES: Final = text("segment_index.terms @@ CAST(CAST(:match AS TEXT) AS TSQUERY)")
_BEYOND: Final = bindparam("beyond", type_=BigInteger)
_FIRST: Final = bindparam("first", type_=BigInteger)
# the addition keeps the planner from reading the ids' own index, segment after segment
_REACHED: Final = (_INDEX.c.id + 0 >= _FIRST, _INDEX.c.id + 0 < _BEYOND)
_ANY: Final = select(_INDEX.c.id).where(_MATCHES, *_REACHED).limit(FEW)
_GIVEN: Final = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)))
    .table_valued(column("id", BigInteger))
    .render_derived(name="given")
)
_THESE: Final = hits_from(_GIVEN, _GIVEN.c.id)
_NEWEST: Final = (
    select(_INDEX.c.id, _INDEX.c.terms)
    .where(_INDEX.c.id >= _FIRST, _INDEX.c.id < _BEYOND)
    .order_by(_INDEX.c.id.desc())
    .limit(FARTHEST_BACK)
    .subquery("segment_index")
)
_GONE_BACK: Final = hits_from(_NEWEST, _NEWEST.c.id).where(_MATCHES)
_CALLS: Final = (
    "SELECT id >> 14 AS k FROM segment_index"
    " WHERE terms @@ CAST(CAST({match} AS TEXT) AS TSQUERY) AND id + 0 >= :first AND id + 0 < :calls_beyond"
)
_PLANS: Final = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)"
)
"""For this transaction: every step by an index, one row after the other, so that a limit ends it early."""


class PostgresCandidates:
    """Reads GIN, or goes back from the newest segment."""

    async def page(
        self, connection: AsyncConnection, asked: Asked, *, whole: Reach, beyond: int, limit: int
    ) -> Sequence[Row[Any]]:
        """Return up to `limit` rows."""
        await connection.execute(_PLANS)
        facets, narrow = facets_of(asked.narrow), asked.narrow
        given: dict[str, Any] = {"first": whole.first, "beyond": beyond}
        if asked.scope is SearchScope.CALL:
            calls = CallSets(_CALLS, lambda query: ts_query(query, facets))
            of_calls = text(f"segment_index.id >> 14 IN ({calls.keys(asked.query)})")
            # whole calls: a page may begin within one
            given |= calls.matches | {"calls_beyond": behind_call(beyond)}
            given["match"] = ts_query(any_of(asked.query), facets)
            return await _rows(connection, _sorted(of_calls), narrow, given, limit)
        given["match"] = ts_query(asked.query, facets)
        ids = (await connection.execute(_ANY, given)).scalars().all()
        if not ids:
            return []
        if len(ids) < FEW:
            newest = sorted(ids, reverse=True)
            some = newest if is_narrowed(narrow) else newest[:limit]
            return await _rows(connection, _THESE, narrow, {"ids": some}, limit)
        rows = await _rows(connection, _GONE_BACK, narrow, given, limit)
        return rows if len(rows) == limit else await _rows(connection, _sorted(), narrow, given, limit)


async def _rows(
    connection: AsyncConnection,
    question: Select[Any],
    narrow: SearchFilter,
    given: dict[str, Any],
    limit: int,
) -> Sequence[Row[Any]]:
    newest_first = narrowed(question, narrow).order_by(tables.segments.c.id.desc()).limit(limit)
    rows: Sequence[Row[Any]] = (await connection.execute(newest_first, given)).all()
    return rows


def _sorted(*more: TextClause) -> Select[Any]:
    found = select(_INDEX.c.id).where(_MATCHES, *_REACHED, *more).cte("found").prefix_with("MATERIALIZED")
    return hits_from(found, found.c.id)
