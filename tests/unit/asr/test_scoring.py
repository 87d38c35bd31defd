"""Error rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asr.scoring import Score, edit_distance, normalised, score, total


@pytest.mark.parametrize(
    ("said", "written", "language", "errors", "of"),
    [
        pytest.param("Hello, World!", "hello world", "en", 0, 2, id="case and punctuation do not count"),
        pytest.param("You’ll find it.", "you'll find it", "en", 0, 3, id="apostrophes of either kind"),
        pytest.param("side-by-side", "side by side", "en", 0, 3, id="hyphens"),
        pytest.param("a b c d", "a x c", "en", 2, 4, id="one wrong, one missing"),
        pytest.param("a", "a b c", "en", 2, 1, id="more than said"),
        pytest.param("您好，我是小王。", "您 好 我是 小黄", "zh-CN", 1, 6, id="Chinese by characters"),
        pytest.param("세부 정보", "세 부정 보", "ko", 0, 4, id="Korean without spaces"),
        pytest.param("ＷＥＲ", "wer", "en", 0, 1, id="full width"),
        pytest.param("", "", "en", 0, 0, id="nothing"),
    ],
)
def test_scores(said: str, written: str, language: str, errors: int, of: int) -> None:
    assert score(said, written, language) == Score(errors, of)


def test_rates() -> None:
    assert total([Score(1, 4), Score(2, 2)]).rate == 0.5
    assert Score(0, 0).rate == 0.0
    assert Score(3, 0).rate == 1.0


def test_quotes_are_not_apostrophes() -> None:
    assert normalised("'tis the 'Test Name' page") == "tis the test name page"


TEXT = st.text(alphabet="abc", max_size=12)


@given(one=TEXT, other=TEXT, third=TEXT)
def test_the_distance_is_one(one: str, other: str, third: str) -> None:
    assert edit_distance(one, one) == 0
    assert edit_distance(one, other) == edit_distance(other, one)
    assert abs(len(one) - len(other)) <= edit_distance(one, other) <= max(len(one), len(other))
    assert edit_distance(one, third) <= edit_distance(one, other) + edit_distance(other, third)
