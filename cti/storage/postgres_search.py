"""Candidates from tsvectors. GIN finds without order; how the newest are found depends on what is asked.

- The day of a call is a word of the index too: the last days are asked one after the other until there are enough.
  Each is answered by the rarest of its words.
- Not enough, or several words at once, which are rare together: all days are asked, up to a limit. What is found below
  that is all there is, and is sorted here.
- Common words that were not said lately: periods of 32 days are asked in turn.
- The beginning of a word is many words, which would be read anew for each day: there it is sooner to go back from the
  newest segment.

The planner is not asked: it takes a rare word for a common one, and goes back through all segments.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, TextClause, bindparam, column, func, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.searches import SearchFilter, SearchScope
from cti.search.facets import DAY, PERIOD, PERIOD_DAYS, speaker_facet
from cti.search.hits import any_of
from cti.search.ports import Asked
from cti.search.query import All
from cti.search.segment_ids import behind_call, day_of
from cti.storage import tables
from cti.storage.search_calls import CallSets
from cti.storage.search_rows import Reach, hits_from, is_narrowed, narrowed
from cti.storage.search_terms import facets_of, goes_on, ts_queries, ts_query
from cti.storage.segment_index import FACET

FEW: Final = 2000
"""So many are found in any order and sorted here."""
LAST_DAYS: Final = 8
"""Are asked one after the other."""
SHORT_WAY: Final = 2000
LONG_WAY: Final = 20_000
"""Segments that are gone through from the newest back."""
_NARROWED: Final = 8
"""So many times as many are looked up when other tables decide which of them count."""

# The addition keeps the planner from reading the ids' own index, segment after segment. Whose voice it is, is seen when
# the segment has been found (`IS TRUE` keeps it from the index): half of all have it, and GIN would read that list.
_REACH: Final = (
    "id + 0 >= :first AND id + 0 < :beyond"
    " AND (CAST(:voice AS TEXT) = '' OR (terms @@ CAST(CAST(:voice AS TEXT) AS TSQUERY)) IS TRUE)"
)
_ANY: Final = text(
    "SELECT found.id FROM unnest(CAST(:matches AS TEXT[])) AS given(match), LATERAL"  # noqa: S608 (our own words)
    f" (SELECT id FROM segment_index WHERE terms @@ CAST(given.match AS TSQUERY) AND {_REACH}) AS found"
    " LIMIT :at_most"
)
# No ORDER BY outside: the stretches of time come newest first, and the limit ends the reading of further ones.
_BY_TIME: Final = text(
    "SELECT found.id FROM generate_series(CAST(:newest AS BIGINT), CAST(:oldest AS BIGINT), -1) AS time(number),"  # noqa: S608
    " LATERAL (SELECT DISTINCT each.id FROM unnest(CAST(:matches AS TEXT[])) AS given(match), LATERAL"
    " (SELECT id FROM segment_index WHERE terms @@ CAST(given.match || :time || time.number || '''' AS TSQUERY)"
    f" AND {_REACH}) AS each ORDER BY each.id DESC) AS found LIMIT :at_most"
)
_BACK: Final = text(
    "SELECT newest.id FROM (SELECT id, terms FROM segment_index WHERE id >= :first AND id < :beyond"
    " ORDER BY id DESC LIMIT :way) AS newest WHERE newest.terms @@ CAST(CAST(:match AS TEXT) AS TSQUERY)"
    " LIMIT :at_most"
)
_INDEX: Final = table("segment_index", column("id", BigInteger))
_SORTED: Final = (
    select(_INDEX.c.id)
    .where(text(f"terms @@ CAST(CAST(:match AS TEXT) AS TSQUERY) AND {_REACH}"))
    .order_by(_INDEX.c.id.desc())
    .limit(bindparam("at_most"))
)
_GIVEN: Final = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)))
    .table_valued(column("id", BigInteger))
    .render_derived(name="given")
)
_THESE: Final = hits_from(_GIVEN, _GIVEN.c.id)
_CALLS: Final = (
    "SELECT id >> 14 AS k FROM segment_index"
    " WHERE terms @@ CAST(CAST({match} AS TEXT) AS TSQUERY) AND id + 0 >= :first AND id + 0 < :calls_beyond"
)
_BEGIN: Final = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),"
    " set_config('join_collapse_limit', '1', true),"  # tables are joined as they are written
    " (SELECT min(id) FROM segment_index WHERE id >= :first AND id < :beyond) AS oldest,"
    " (SELECT max(id) FROM segment_index WHERE id >= :first AND id < :beyond) AS newest"
)
"""For this transaction: every step by an index, one row after the other, so that a limit ends it early."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked for, in PostgreSQL's words."""

    matches: list[str]
    """Of which one holds."""
    voice: str
    has_beginnings: bool
    is_rare: bool
    """Several words at once, or the words of one agent: the last days would seldom be enough."""
    first: int
    oldest: int

    def given(self, beyond: int, at_most: int) -> dict[str, Any]:
        """Return the parameters of a question."""
        return {
            "matches": self.matches,
            "voice": self.voice,
            "first": self.first,
            "beyond": beyond,
            "at_most": at_most,
        }

    @property
    def match(self) -> str:
        """All of it in one."""
        either = " | ".join(f"({one})" for one in self.matches)
        return f"({either}) & {self.voice}" if self.voice else either


class PostgresCandidates:
    """Reads GIN in the way that suits the words."""

    async def page(
        self, connection: AsyncConnection, asked: Asked, *, whole: Reach, beyond: int, limit: int
    ) -> Sequence[Row[Any]]:
        """Return up to `limit` rows."""
        given: dict[str, Any] = {"first": whole.first, "beyond": beyond}
        ends = (await connection.execute(_BEGIN, given)).one()
        if ends.newest is None:
            return []
        if asked.scope is SearchScope.CALL:
            return await _of_calls(connection, asked, given, limit)
        narrow = asked.narrow
        voice = f"'{FACET}{speaker_facet(narrow.speaker)}'" if narrow.speaker else ""
        matches = ts_queries(asked.query, facets_of(replace(narrow, speaker=None)))
        is_rare = isinstance(asked.query, All) or narrow.agent_id is not None
        look = _Look(matches, voice, goes_on(asked.query), is_rare, whole.first, ends.oldest)
        rows: list[Row[Any]] = []
        at_most = limit * _NARROWED if is_narrowed(narrow) else limit
        beyond = ends.newest + 1
        while len(rows) < limit:
            ids, are_all = await _newest(connection, look, beyond, at_most)
            rows += await _rows(connection, ids, narrow, limit - len(rows))
            if are_all:
                break
            beyond = ids[-1]
        return rows


async def _newest(
    connection: AsyncConnection, look: _Look, beyond: int, at_most: int
) -> tuple[list[int], bool]:
    """Return at least `at_most` of the newest ids, or all that there are; and whether they are all."""
    ids: list[int] = []
    are_all = False
    if look.has_beginnings:
        ids, are_all = await _back(connection, look, beyond, at_most, SHORT_WAY)
    elif not look.is_rare:
        ids, are_all = await _by_time(connection, look, beyond, at_most, days=LAST_DAYS)
    if are_all or len(ids) >= at_most:
        return ids, are_all
    ids = await _ids(connection, _ANY, look.given(beyond, FEW))
    if len(ids) < FEW:
        return sorted(set(ids), reverse=True), True
    if not look.has_beginnings:
        return await _by_time(connection, look, beyond, at_most)
    ids, _ = await _back(connection, look, beyond, at_most, LONG_WAY)
    if len(ids) < at_most:
        ids = await _ids(connection, _SORTED, look.given(beyond, at_most) | {"match": look.match})
    return ids, len(ids) < at_most


async def _by_time(
    connection: AsyncConnection, look: _Look, beyond: int, at_most: int, *, days: int | None = None
) -> tuple[list[int], bool]:
    """Ask day by day, so many days; or period by period, all."""
    newest, oldest, kind = day_of(beyond - 1), day_of(look.oldest), DAY
    if days is None:
        newest, oldest, kind = newest // PERIOD_DAYS, oldest // PERIOD_DAYS, PERIOD
    last = oldest if days is None else max(oldest, newest - days + 1)
    time = {"newest": newest, "oldest": last, "time": f" & '{FACET}{kind}"}
    ids = await _ids(connection, _BY_TIME, look.given(beyond, at_most) | time)
    return ids, last == oldest and len(ids) < at_most


async def _back(
    connection: AsyncConnection, look: _Look, beyond: int, at_most: int, way: int
) -> tuple[list[int], bool]:
    given = {"match": look.match, "first": look.first, "beyond": beyond, "at_most": at_most, "way": way}
    return await _ids(connection, _BACK, given), False


async def _ids(
    connection: AsyncConnection, question: TextClause | Select[Any], given: dict[str, Any]
) -> list[int]:
    return list((await connection.execute(question, given)).scalars())


async def _rows(
    connection: AsyncConnection, ids: Sequence[int], narrow: SearchFilter, limit: int
) -> list[Row[Any]]:
    """Return the newest of these that other tables let through; looks no more of them up than it must."""
    question = narrowed(_THESE, narrow).order_by(tables.segments.c.id.desc()).limit(limit)
    rows: list[Row[Any]] = []
    bite = limit * _NARROWED if is_narrowed(narrow) else limit
    for start in range(0, len(ids), bite):
        rows += (await connection.execute(question, {"ids": list(ids[start : start + bite])})).all()
        if len(rows) >= limit:
            break
    return rows[:limit]


async def _of_calls(
    connection: AsyncConnection, asked: Asked, given: dict[str, Any], limit: int
) -> Sequence[Row[Any]]:
    facets = facets_of(asked.narrow)
    calls = CallSets(_CALLS, lambda query: ts_query(query, facets))
    of_calls = text(f"id >> 14 IN ({calls.keys(asked.query)})")
    # whole calls: a page may begin within one
    given |= calls.matches | {"calls_beyond": behind_call(given["beyond"])}
    given |= {"match": ts_query(any_of(asked.query), facets), "at_most": limit, "voice": ""}
    found = _SORTED.where(of_calls)
    ids = await _ids(connection, found.limit(None) if is_narrowed(asked.narrow) else found, given)
    return await _rows(connection, ids, asked.narrow, limit)
