from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import BadInput, Conflict
from cti.model.keyword_rules import RuleKind, RuleVerdict, Severity
from cti.model.reviews import AnsweredBy, ReviewMove, ReviewState, ScoreAnswer
from cti.model.score_cards import AutoAnswer, Choice, Question, QuestionKind
from cti.quality.auto_answers import auto_answers
from cti.quality.moves import NEXT, moved
from cti.quality.scoring import score, share_of
from cti.quality.talk import talk_figures
from tests.said import a_card, a_judgement, a_transcript

GREETING = Question(code="greeting", text="Greeted?", weight=1, may_be_na=True)
CARE = Question(code="care", text="Cared?", kind=QuestionKind.SCALE, weight=3, top=5)
LAW = Question(code="law", text="Lawful?", weight=1, fatal=True, may_be_na=True)
CARD = a_card(GREETING, CARE, LAW)
BY_CODE = {one.code: one for one in CARD.questions()}


def answers(**values: str) -> dict[str, ScoreAnswer]:
    return {
        code: ScoreAnswer(value=value, share=share_of(BY_CODE[code], value)) for code, value in values.items()
    }


@pytest.mark.parametrize(
    ("given_answers", "points", "fatal"),
    [
        pytest.param({"greeting": "yes", "care": "5", "law": "yes"}, 100.0, (), id="all"),
        pytest.param({"greeting": "no", "care": "5", "law": "yes"}, 80.0, (), id="weights"),
        pytest.param({"greeting": "yes", "care": "3", "law": "yes"}, 76.0, (), id="a scale"),
        pytest.param({"greeting": "na", "care": "5", "law": "na"}, 100.0, (), id="na counts for nothing"),
        pytest.param({"greeting": "yes", "care": "5", "law": "no"}, 0.0, ("law",), id="fatal"),
        pytest.param({"greeting": "na", "law": "na"}, None, (), id="nothing that counts"),
        pytest.param({}, None, (), id="nothing"),
    ],
)
def test_answers_come_to_points(
    given_answers: dict[str, str], points: float | None, fatal: tuple[str, ...]
) -> None:
    found = score(CARD, answers(**given_answers))
    assert (found.points, found.fatal) == (points, fatal)
    assert set(found.open) == set(BY_CODE) - set(given_answers)


def test_a_fatal_answer_leaves_the_points_of_sections() -> None:
    found = score(CARD, answers(greeting="yes", care="5", law="no"))
    assert found.sections == (("All", 80.0),)


@given(
    st.dictionaries(st.sampled_from(["greeting", "law"]), st.sampled_from(["yes", "no", "na"])),
    st.none() | st.integers(0, 5).map(str),
)
def test_points_lie_between_0_and_100_and_a_better_answer_never_lowers_them(
    some: dict[str, str], care: str | None
) -> None:
    given_answers = some | ({"care": care} if care else {})
    found = score(CARD, answers(**given_answers)).points
    assert found is None or 0 <= found <= 100
    for code, value in given_answers.items():
        better = {"no": "yes"}.get(value) or (str(min(5, int(value) + 1)) if value.isdigit() else value)
        raised = score(CARD, answers(**given_answers | {code: better})).points
        assert found is None or (raised is not None and raised >= found)


@pytest.mark.parametrize(
    ("question", "value", "problem"),
    [
        (GREETING, "maybe", "answers.greeting: 'maybe' is no answer; yes or no"),
        (CARE, "6", "a whole number from 0 to 5"),
        (CARE, "-1", "a whole number from 0 to 5"),
        (CARE, "³", "a whole number from 0 to 5"),
        (CARE, "na", "cannot be answered na"),
        (
            Question(code="q", text="", kind=QuestionKind.CHOICE, choices=(Choice(code="half", share=0.5),)),
            "x",
            "one of half",
        ),
    ],
)
def test_an_answer_that_the_question_does_not_have_is_refused(
    question: Question, value: str, problem: str
) -> None:
    with pytest.raises(BadInput, match=problem):
        share_of(question, value)


def verdict(broken: bool) -> RuleVerdict:
    return RuleVerdict(code="hello", version=3, kind=RuleKind.MUST_SAY, severity=Severity.FLAG, broken=broken)


@pytest.mark.parametrize(("broken", "value", "share"), [(False, "yes", 1.0), (True, "no", 0.0)])
def test_a_rule_answers_with_its_version_as_evidence(broken: bool, value: str, share: float) -> None:
    card = a_card(replace(GREETING, auto=AutoAnswer(rule="hello")))
    found = auto_answers(card, a_judgement(verdicts=(verdict(broken),)))["greeting"]
    assert (found.value, found.share, found.answered_by) == (value, share, AnsweredBy.SERVICE)
    assert found.evidence == {"rule": "hello", "version": 3, "hits": []}


@pytest.mark.parametrize(
    ("least", "most", "value"), [(0.4, 0.6, "yes"), (0.6, None, "no"), (None, 0.4, "no")]
)
def test_a_figure_answers_by_its_range(least: float | None, most: float | None, value: str) -> None:
    said = a_transcript(("agent", 0, "one two"), ("customer", 5, "one two"))
    card = a_card(replace(GREETING, auto=AutoAnswer(figure="talk_ratio", at_least=least, at_most=most)))
    assert auto_answers(card, a_judgement(figures=talk_figures(said)))["greeting"].value == value


def test_what_is_not_known_is_left_to_the_reviewer() -> None:
    card = a_card(
        replace(GREETING, auto=AutoAnswer(rule="other")),
        replace(LAW, auto=AutoAnswer(figure="talk_ratio", at_most=1)),
        CARE,
    )
    assert auto_answers(card, a_judgement()) == {}
    assert auto_answers(card, None) == {}


def test_a_review_goes_only_ways_of_the_table() -> None:
    assert moved(ReviewState.DRAFT, ReviewMove.SUBMITTED) is ReviewState.SUBMITTED
    with pytest.raises(Conflict, match="the review is submitted"):
        moved(ReviewState.SUBMITTED, ReviewMove.ANSWERED)
    assert set(NEXT) == set(ReviewState)
    assert all(ReviewMove.ANSWERED not in NEXT[one] for one in ReviewState if one is not ReviewState.DRAFT)
