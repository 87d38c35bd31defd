from hypothesis import given
from hypothesis import strategies as st

from cti.quality.phrases import BARRIER, Found, PhraseFinder
from cti.quality.wording import is_joined, joined

WORDS = st.sampled_from(["a", "ab", "abc", "b", "保", "证", "xy", "1"])


def plainly(phrases: set[str], text: str) -> set[Found]:
    """Find phrases the slow way: each at each place."""

    def is_edge(at: int) -> bool:
        if at in (0, len(text)):
            return True
        left, right = text[at - 1], text[at]
        return left in (" ", BARRIER) or right in (" ", BARRIER)

    return {
        Found(phrase, at, at + len(phrase))
        for phrase in phrases
        for at in range(len(text))
        if text.startswith(phrase, at)
        and (is_joined(phrase[0]) or is_edge(at))
        and (is_joined(phrase[-1]) or is_edge(at + len(phrase)))
    }


@given(
    st.sets(st.lists(WORDS, min_size=1, max_size=4).map(joined), max_size=12),
    st.lists(st.lists(WORDS, max_size=12).map(joined), max_size=3).map(BARRIER.join),
)
def test_the_one_expression_finds_what_looking_for_each_phrase_finds(phrases: set[str], text: str) -> None:
    found = list(PhraseFinder(phrases).find(text))
    assert len(found) == len(set(found))
    assert set(found) == plainly(phrases, text)


def test_no_phrases_find_nothing() -> None:
    assert list(PhraseFinder([]).find("anything")) == []
