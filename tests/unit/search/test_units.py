"""Text cut into units, and tokens of the index."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.search.matching import holds
from cti.search.query import LONGEST, BadQuery, Phrase, parse
from cti.search.units import _units, query_tokens, tokens, tokens_of, units_of

SPEECH = st.text("我你他身份证退款的了，。！ 　ab19'’é학교에ｶﾞ々ー𠀀-", max_size=30)
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        pytest.param("I don't know.", ["i", "dont", "know"], id="English"),
        pytest.param("身 份证，好", ["身", "份", "证", "好"], id="Chinese that the engine split"),
        pytest.param("3点半 APP付款", ["3", "点", "半", "app", "付", "款"], id="mixed"),
        pytest.param("ＡＢＣ１２３ ﬁve", ["abc123", "five"], id="compatible forms"),
        pytest.param("학교에 가", ["학", "교", "에", "가"], id="Korean"),
        pytest.param("ｶﾞ ハ", ["ガ", "ハ"], id="half-width kana"),
        pytest.param("Straße CAFE\u0301", ["strasse", "café"], id="folded and composed"),
        pytest.param("…?!", [], id="nothing"),
    ],
)
def test_units(text: str, units: list[str]) -> None:
    assert [unit.text for unit in units_of(text)] == units


def test_tokens_are_words_and_pairs_of_characters() -> None:
    assert tokens("退款 OK 好") == ["退款", "款", "ok", "好"]


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        pytest.param("退款", False, (["退款"], False), id="the last character is in the pair"),
        pytest.param("款", False, (["款"], True), id="one character begins a pair"),
        pytest.param("款ok", False, (["款", "ok"], False), id="before a word it stands alone"),
        pytest.param("ok款", False, (["ok", "款"], True), id="after a word"),
        pytest.param("re", True, (["re"], True), id="a prefix"),
    ],
)
def test_tokens_of_a_query(text: str, prefix: bool, expected: tuple[list[str], bool]) -> None:
    assert query_tokens(units_of(text), prefix=prefix) == expected


@given(SPEECH)
def test_the_quick_way_is_the_same_as_the_long_one(text: str) -> None:
    assert units_of(text) == list(_units(text))
    assert tokens(text) == tokens_of(units_of(text))


@given(st.text(max_size=40))
def test_any_text_is_cut_and_units_are_where_they_say(text: str) -> None:
    units = units_of(text)
    assert units == list(_units(text))
    assert tokens(text) == tokens_of(units)
    for unit in units:
        assert unit.text
        assert 0 <= unit.start < unit.end <= len(text)
    assert not [token for token in tokens(text) if set(token) & set(" '\"\\:*&|!<>()")]


@given(HAN, st.data())
def test_every_piece_of_chinese_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    gap = data.draw(st.integers(0, len(text)))
    split = text[:gap] + " " + text[gap:]
    for said in (text, split):
        assert holds(parse(text[start:end]), units_of(said))
        assert _proposed(text[start:end], said)


@given(SPEECH, SPEECH, SPEECH)
def test_the_index_proposes_whatever_holds(before: str, part: str, after: str) -> None:
    units = units_of(part)
    if not units:
        return
    phrase = Phrase(tuple(units))
    for said in (before + part + after, before + " " + part + " " + after):
        if holds(phrase, units_of(said)):
            assert _proposed(part, said)


def _proposed(asked: str, said: str) -> bool:
    """Do what a database does: look for the query's tokens one after the other."""
    wanted, goes_on = query_tokens(units_of(asked), prefix=False)
    there = tokens(said)
    for start in range(len(there) - len(wanted) + 1):
        *head, last = there[start : start + len(wanted)]
        if head == wanted[:-1] and (last.startswith(wanted[-1]) if goes_on else last == wanted[-1]):
            return True
    return False


@pytest.mark.parametrize(
    ("query", "letter", "words"),
    [
        pytest.param("", 1, "no word", id="nothing"),
        pytest.param("?!", 3, "no word", id="no letters"),
        pytest.param("(refund", 1, "not closed", id="open parenthesis"),
        pytest.param("refund)", 7, '")"', id="closed parenthesis"),
        pytest.param('a "refund', 3, "not closed", id="open quotation"),
        pytest.param('a ""', 3, "no word", id="empty quotation"),
        pytest.param("NOT refund", 1, "NOT needs", id="NOT alone"),
        pytest.param("a OR NOT b", 6, "NOT needs", id="NOT as an alternative"),
        pytest.param("a AND", 6, "missing at the end", id="AND at the end"),
        pytest.param("a OR OR b", 6, "OR stands", id="OR twice"),
        pytest.param("re*fund", 3, "end of a word", id="a star within"),
        pytest.param("a *", 3, "beginning of a word", id="a star alone"),
        pytest.param("a b*", 3, "at least 2", id="a star after one letter"),
        pytest.param("a NEAR/0 b", 3, "1 to 100", id="NEAR/0"),
        pytest.param("a NEAR/x b", 3, "1 to 100", id="NEAR/x"),
        pytest.param("a AND/3 b", 3, "takes no number", id="AND/3"),
        pytest.param("a NEAR (b c)", 1, "not between parentheses", id="NEAR of parentheses"),
        pytest.param("(" * 33 + "a" + ")" * 33, 33, "more than 32", id="too deep"),
        pytest.param("a" * 10_000, LONGEST + 1, "at most 1000", id="10,000 letters"),
        pytest.param(" ".join("abcdefghijklm" * 6), 1, "at most 64", id="too many words"),
    ],
)
def test_a_query_that_cannot_be_read_says_where(query: str, letter: int, words: str) -> None:
    with pytest.raises(BadQuery, match=rf"at letter {letter}: .*{words.replace('(', '.').replace(')', '.')}"):
        parse(query)


def test_near_is_refused_of_a_whole_call() -> None:
    with pytest.raises(BadQuery, match="letter 3: NEAR asks for one utterance"):
        parse("a NEAR b", per_call=True)


OPERATORS = st.lists(
    st.sampled_from(
        [
            "AND",
            "OR",
            "NOT",
            "NEAR",
            "NEAR/3",
            "(",
            ")",
            '"',
            "*",
            "re*",
            "退款",
            "a",
            " ",
            "'",
            "\\",
            "\x00",
            "~a1",
        ]
    )
    | st.text(max_size=5),
    max_size=25,
)


@given(OPERATORS, st.sampled_from(["", " "]))
def test_whatever_is_typed_is_read_or_refused(parts: list[str], between: str) -> None:
    with suppress(BadQuery):
        query = parse(between.join(parts))
        assert holds(query, units_of("a refund 退款 of re")) in (True, False)
