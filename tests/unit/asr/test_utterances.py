"""Words to utterances."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asr.utterances import LONG_SECONDS, joined_text, utterances
from cti.model.transcripts import Speaker, Word

TIMES = st.floats(0, 100, allow_nan=False)


def word(text: str, start: float, end: float) -> Word:
    return Word(text=text, start=start, end=end)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["good", "morning"], "good morning", id="English"),
        pytest.param(["您好", "我", "是"], "您好我是", id="Chinese"),
        pytest.param(["안녕", "하세요"], "안녕 하세요", id="Korean has spaces"),
        pytest.param(["我", "用", "email", "联系", "您"], "我用 email 联系您", id="English in Chinese"),
        pytest.param(
            ["完成后,", "将", "状态。", "单击"], "完成后,将状态。单击", id="punctuation of either script"
        ),
        pytest.param(["ok,", "then"], "ok, then", id="English punctuation"),
        pytest.param(["こんにちは", "世界"], "こんにちは世界", id="Japanese"),
        pytest.param([",", "然后"], ", 然后", id="punctuation alone"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_words_are_joined_as_one_writes_them(words: list[str], text: str) -> None:
    assert joined_text(words) == text


def test_a_pause_ends_an_utterance() -> None:
    found = utterances([word("a", 0, 1), word("b", 1.6, 2), word("c", 2.7, 3)], Speaker.AGENT, 10)
    assert [(one.text, one.start, one.end, one.speaker) for one in found] == [
        ("a b", 0, 2, Speaker.AGENT),
        ("c", 2.7, 3, Speaker.AGENT),
    ]


def test_a_long_utterance_ends_at_the_next_breath() -> None:
    words = [word(str(n), n, n + 1.0) for n in range(16)] + [word("x", 16.3, 17), word("y", 17, 18)]
    found = utterances(words, Speaker.CUSTOMER, 20)
    assert [one.words[-1].text for one in found] == ["15", "y"]
    assert found[0].end >= LONG_SECONDS


def test_times_out_of_order_or_beyond_the_end_are_put_right() -> None:
    (found,) = utterances(
        [word("a", -0.1, 0.2), word("b", 0.1, 0.05), word("c", 0.5, 1.2)], Speaker.AGENT, 1.0
    )
    assert [(one.start, one.end) for one in found.words] == [(0.0, 0.2), (0.1, 0.1), (0.5, 1.0)]


@given(words=st.lists(st.tuples(st.sampled_from(["a", "您", ""]), TIMES, TIMES), max_size=20))
def test_no_word_is_lost_and_starts_rise(words: list[tuple[str, float, float]]) -> None:
    found = utterances([word(*one) for one in words], Speaker.AGENT, 100.0)
    flat = [one for segment in found for one in segment.words]
    assert [one.text for one in flat] == [text for text, _, _ in words if text]
    assert all(a.start <= b.start for a, b in pairwise(flat))
    assert all(0 <= one.start <= one.end <= 100 for one in flat)
