"""Queries in a database's words: never an error of its grammar, and never a hit lost."""

import sqlite3

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cti.model.searches import SearchFilter
from cti.model.transcripts import Speaker
from cti.search.matching import holds
from cti.search.query import BadQuery, parse
from cti.search.units import tokens, units_of
from cti.storage.search_terms import facets_of, fts_query, ts_queries, ts_query

PIECES = st.sampled_from(
    [
        *(
            "AND",
            "OR",
            "NOT",
            "NEAR/2",
            "(",
            ")",
            '"',
            "re*",
            "退款",
            "款",
            "refund",
            "don't",
            "ok退",
            "a b",
            "'",
        ),
        *("\\", ":", "^", "~", "&", "|", "!", "<->", "{", "}", "-", "+", "\x00", "🙂", "é", "x" * 70),
    ]
)
SAID = st.text("退款的 refundokax好", max_size=25) | st.sampled_from(
    ["re refund 退 款", "ok 退款 a", "x" * 71]
)


def queries() -> st.SearchStrategy[str]:
    word = st.sampled_from(["退款", "款", "refund", "re*", '"a b"', "ok", "好的", '"ok 退"', "x" * 70])
    near = st.tuples(word, word).map(lambda pair: f"{pair[0]} NEAR/2 {pair[1]}")
    return st.recursive(
        word | near,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} AND {pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} NOT {pair[1]})"),
        ),
        max_leaves=6,
    )


@pytest.fixture(scope="module")
def fts() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE one USING fts5(terms, facets, content='', columnsize=0, tokenize='ascii')"
    )
    return connection


def proposed(fts: sqlite3.Connection, query: str, text: str) -> bool:
    """Say whether FTS5 finds a text that is its only one."""
    row = (" ".join(tokens(text)), "scustomer a7")
    fts.execute("INSERT INTO one (rowid, terms, facets) VALUES (1, ?, ?)", row)
    facets = facets_of(SearchFilter(speaker=Speaker.CUSTOMER, agent_id=7))
    found = fts.execute(
        "SELECT rowid FROM one WHERE one MATCH ?", [fts_query(parse(query), facets)]
    ).fetchall()
    fts.execute("INSERT INTO one (one, rowid, terms, facets) VALUES ('delete', 1, ?, ?)", row)
    return bool(found)


@given(
    pieces=st.lists(PIECES | st.text(max_size=4), min_size=1, max_size=14), between=st.sampled_from(["", " "])
)
def test_whatever_is_typed_never_breaks_the_grammar(
    fts: sqlite3.Connection, pieces: list[str], between: str
) -> None:
    typed = between.join(pieces)
    try:
        parse(typed)
    except BadQuery:
        assume(False)
    proposed(fts, typed, "refund 退款")


@given(query=queries(), text=SAID)
def test_what_holds_is_proposed(fts: sqlite3.Connection, query: str, text: str) -> None:
    if holds(parse(query), units_of(text)):
        assert proposed(fts, query, text)


@given(queries())
def test_alternatives_are_asked_one_by_one(query: str) -> None:
    matches = ts_queries(parse(query), ["scustomer"])
    assert 1 <= len(matches) <= 12
    assert all(match.endswith("& '~scustomer'") for match in matches)
    if len(matches) > 1:
        assert all("!" in match for match in matches if " | " in match)


def test_the_words_of_postgresql() -> None:
    query = parse('(退款 OR "my mon*") refund NOT (yes OR 好)')
    assert ts_query(query, ["a7"]) == (
        "(('退款') & ('refund') & (!(('yes') | ('好':*))) & '~a7')"
        " | (('my' <-> 'mon':*) & ('refund') & (!(('yes') | ('好':*))) & '~a7')"
    )
