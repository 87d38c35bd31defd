from typing import Any

import pytest

from cti.errors import BadInput
from cti.quality.reading import card_body, card_of, rule_body, rule_of

RULE = {"code": "greeting", "kind": "must_say", "phrases": ["good morning"]}
QUESTION = {"code": "q", "text": "Well?"}


def test_a_rule_comes_back_as_it_was_written() -> None:
    rule = rule_of(
        RULE | {"near": ["sir"], "first_seconds": 15, "campaigns": [3], "language": "zh-CN"}, where="rule"
    )
    assert rule_of(rule_body(rule), where="rule") == rule


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"code": "Bad code"}, "rule.code: 'Bad code' must be"),
        ({"kind": "maybe"}, "rule.kind: "),
        ({"phrases": []}, "rule.phrases: must hold one"),
        ({"phrases": ["ok", "!!!"]}, "rule.phrases.1: '!!!' holds no word"),
        ({"phrases": ["a\x00b"]}, "rule.phrases.0: must not hold a control character"),
        ({"phrases": ["x" * 101]}, "rule.phrases.0: must have at most 100"),
        ({"near": ["…"]}, "rule.near.0"),
        ({"first_seconds": 5, "last_seconds": 5}, "not both"),
        ({"first_seconds": -1}, "rule.first_seconds: must be more than 0"),
        ({"first_seconds": float("nan")}, "rule.first_seconds"),
        ({"near_words": 1000}, "rule.near_words"),
        ({"language": "zh; drop"}, "rule.language"),
        ({"severity": "worst"}, "rule.severity"),
        ({"speaker": "dog"}, "rule.speaker"),
        ({"wrong": 1}, "rule.wrong"),
        ({"title": "two\nlines"}, "rule.title: must be one line"),
    ],
)
def test_a_wrong_rule_is_refused_by_the_name_of_the_key(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem.replace("(", "\\(")):
        rule_of(RULE | given, where="rule")


def card(**question: Any) -> dict[str, Any]:
    return {"code": "sales", "sections": [{"title": "All", "questions": [QUESTION | question]}]}


def test_a_card_comes_back_as_it_was_written() -> None:
    read = card_of(
        card(kind="choice", choices=[{"code": "half", "share": 0.5}], may_be_na=True, fatal=True),
        where="card",
    )
    assert card_of(card_body(read), where="card") == read


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"weight": 0}, "card.sections.0.questions.0.weight"),
        ({"weight": float("inf")}, "card.sections.0.questions.0.weight"),
        ({"kind": "choice"}, "questions.0.choices: must be given"),
        ({"choices": [{"code": "a", "share": 1}]}, "questions.0.choices: must be given"),
        ({"kind": "choice", "choices": [{"code": "a", "share": 2}]}, "choices.0.share"),
        ({"kind": "choice", "choices": [{"code": "na", "share": 1}]}, "na is kept"),
        ({"kind": "scale", "top": 0}, "questions.0.top"),
        ({"kind": "scale", "auto": {"rule": "x"}}, "only a yes-or-no question"),
        ({"auto": {}}, "names a rule or a figure"),
        ({"auto": {"rule": "x", "figure": "talk_ratio"}}, "names a rule or a figure"),
        ({"auto": {"figure": "beauty", "at_least": 1}}, "there is no figure 'beauty'"),
        ({"auto": {"figure": "talk_ratio"}}, "at_least or at_most is missing"),
        ({"auto": {"figure": "talk_ratio", "at_least": 2, "at_most": 1}}, "more than at_most"),
        ({"auto": {"rule": "x", "at_least": 1}}, "for figures"),
    ],
)
def test_a_wrong_question_is_refused_by_its_place(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        card_of(card(**given), where="card")


def test_a_card_has_questions_and_each_once() -> None:
    with pytest.raises(BadInput, match="one question at least"):
        card_of({"code": "x", "sections": []}, where="card")
    twice = {"code": "x", "sections": [{"title": "a", "questions": [QUESTION]}] * 2}
    with pytest.raises(BadInput, match="'q' stands 2 times"):
        card_of(twice, where="card")
