import pytest

from cti.quality.wording import inflections, joined, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Hello, World!", ["hello", "world"], id="case and punctuation go"),
        pytest.param("ＧＵＡＲＡＮＴＥＥＤ", ["guaranteed"], id="wide letters are narrow ones"),
        pytest.param("don’t", ["dont"], id="an apostrophe is none"),
        pytest.param("保证收益", ["保", "证", "收", "益"], id="Chinese goes by characters"),
        pytest.param("办VIP卡", ["办", "vip", "卡"], id="letters between characters are one word"),
        pytest.param("보장합니다", list("보장합니다"), id="Korean goes by syllables"),
        pytest.param(" -- ", [], id="nothing that can be said"),
    ],
)
def test_text_becomes_comparable_words(text: str, expected: list[str]) -> None:
    assert list(tokens(text)) == expected


def test_characters_that_the_engine_split_are_joined_and_words_are_not() -> None:
    assert joined(tokens("我们 保证")) == joined(tokens("我们保证")) == "我们保证"
    assert joined(tokens("办 VIP 卡")) == "办 vip 卡"


def test_one_word_of_a_phrase_may_have_another_form() -> None:
    forms = {" ".join(form) for form in inflections(tokens("guarantee the profit"))}
    assert {"guaranteed the profit", "guaranteeing the profit", "guarantee the profits"} <= forms
    assert "guaranteed the profits" not in forms
    assert {"cancelled", "cancelling"} <= {form[0] for form in inflections(("cancel",))}
    assert {"tries", "tried"} <= {form[0] for form in inflections(("try",))}
    assert inflections(tokens("保证")) == [("保", "证")]
