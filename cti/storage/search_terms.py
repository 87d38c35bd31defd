"""Queries in the words of the two databases' full-text searches. Pure.

Everything that comes from outside is a token: letters and digits alone, between quotation marks. So no operator of
either language can come from a user.
"""

from collections.abc import Iterable
from typing import Final

from cti.model.searches import SearchFilter
from cti.search.facets import agent_facet, campaign_facet, list_facet, speaker_facet
from cti.search.query import All, AnyOf, Near, Phrase, Query
from cti.search.units import LONGEST_TOKEN, query_tokens
from cti.storage.segment_index import FACET


def facets_of(narrow: SearchFilter) -> list[str]:
    """Return what of a filter stands in the index."""
    facets = []
    if narrow.speaker is not None:
        facets.append(speaker_facet(narrow.speaker))
    if narrow.agent_id is not None:
        facets.append(agent_facet(narrow.agent_id))
    if narrow.campaign_id is not None:
        facets.append(campaign_facet(narrow.campaign_id))
    if narrow.list_id is not None:
        facets.append(list_facet(narrow.list_id))
    return facets


def fts_query(query: Query, facets: Iterable[str]) -> str:
    """Return an expression of FTS5 (https://www.sqlite.org/fts5.html, 3)."""
    parts = [f"terms : ({_fts(query)})", *(f'facets : "{facet}"' for facet in facets)]
    return " AND ".join(parts)


def ts_query(query: Query, facets: Iterable[str]) -> str:
    """Return a tsquery (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    return " | ".join(f"({one})" for one in ts_queries(query, facets))


def ts_queries(query: Query, facets: Iterable[str]) -> list[str]:
    """Return tsqueries of which one holds where the query does, each without alternatives unless there are very many.

    GIN answers words that are all wanted by the rarest of them; with alternatives it reads nearly all of their lists.
    """
    alternatives = _alternatives(query)
    if len(alternatives) > _MOST_ALTERNATIVES:
        alternatives = [[_ts(query)]]
    marks = [f"'{FACET}{facet}'" for facet in facets]
    return [" & ".join([*(f"({part})" for part in parts), *marks]) for parts in alternatives]


def goes_on(query: Query) -> bool:
    """Say whether a token of the query is the beginning of others: then all of those must be read."""
    match query:
        case Phrase():
            return query_tokens(query.units, prefix=query.prefix)[1]
        case Near(left=left, right=right):
            return goes_on(left) or goes_on(right)
        case All(parts=parts) | AnyOf(parts=parts):
            return any(map(goes_on, parts))


_MOST_ALTERNATIVES: Final = 12


def _alternatives(query: Query) -> list[list[str]]:
    match query:
        case Phrase() | Near():
            return [[_ts(query)]]
        case All(parts=parts, none_of=none_of):
            unwanted = [f"!({_ts(part)})" for part in none_of if _is_exact(part)]
            wanted: list[list[str]] = [[]]
            for part in parts:
                wanted = [one + other for one in wanted for other in _alternatives(part)]
                if len(wanted) > _MOST_ALTERNATIVES:
                    break
            return [one + unwanted for one in wanted]
        case AnyOf(parts=parts):
            return [one for part in parts for one in _alternatives(part)]


def _fts(query: Query) -> str:
    match query:
        case Phrase():
            return _fts_phrase(query)
        case Near(left=left, right=right, within=within):
            # the last character of a phrase is no token of its own: one more may lie between
            return f"NEAR({_fts_phrase(left)} {_fts_phrase(right)}, {within + 1})"
        case All(parts=parts, none_of=none_of):
            wanted = " AND ".join(f"({_fts(part)})" for part in parts)
            unwanted = " OR ".join(f"({_fts(part)})" for part in none_of if _is_exact(part))
            return f"({wanted}) NOT ({unwanted})" if unwanted else wanted
        case AnyOf(parts=parts):
            return " OR ".join(f"({_fts(part)})" for part in parts)


def _fts_phrase(phrase: Phrase) -> str:
    tokens, goes_on = query_tokens(phrase.units, prefix=phrase.prefix)
    return f'"{" ".join(tokens)}"{" *" if goes_on else ""}'


def _ts(query: Query) -> str:
    match query:
        case Phrase():
            tokens, goes_on = query_tokens(query.units, prefix=query.prefix)
            return " <-> ".join(f"'{token}'" for token in tokens) + (":*" if goes_on else "")
        case Near(left=left, right=right):
            # in either order there is nothing: the hit is compared with the text
            return f"({_ts(left)}) & ({_ts(right)})"
        case All(parts=parts, none_of=none_of):
            wanted = [f"({_ts(part)})" for part in parts]
            return " & ".join([*wanted, *(f"!({_ts(part)})" for part in none_of if _is_exact(part))])
        case AnyOf(parts=parts):
            return " | ".join(f"({_ts(part)})" for part in parts)


def _is_exact(query: Query) -> bool:
    """Say whether the index finds it just where it is. What it finds too often must not exclude anything there: such a
    part is left to the comparison with the text.
    """
    match query:
        case Phrase(units=units):
            return all(len(unit.text) < LONGEST_TOKEN for unit in units)
        case Near():
            return False
        case All(parts=parts, none_of=none_of):
            return all(map(_is_exact, (*parts, *none_of)))
        case AnyOf(parts=parts):
            return all(map(_is_exact, parts))
