"""What answers come to on a card. Pure.

Points of a card: the weights of what is answered, each times its answer's share, over the weights of what is answered;
`na` counts neither above nor below the line. A fatal question answered without any points makes the whole 0.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from cti.errors import BadInput
from cti.model.reviews import NO, NOT_APPLICABLE, YES, Score, ScoreAnswer
from cti.model.score_cards import Question, QuestionKind, ScoreCard

FULL: Final = 100.0
_DIGITS: Final = 2


def share_of(question: Question, value: str) -> float | None:
    """Return how much of the question's weight an answer has, 0 to 1; None: not applicable. Raises BadInput."""
    where = f"answers.{question.code}"
    if value == NOT_APPLICABLE:
        if not question.may_be_na:
            raise BadInput(f"{where}: this question cannot be answered na")
        return None
    match question.kind:
        case QuestionKind.YES_NO:
            if value not in (YES, NO):
                raise BadInput(f"{where}: {value!r} is no answer; yes or no")
            return 1.0 if value == YES else 0.0
        case QuestionKind.SCALE:
            if not (value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= question.top):
                raise BadInput(f"{where}: {value!r} is no answer; a whole number from 0 to {question.top}")
            return int(value) / question.top
        case QuestionKind.CHOICE:
            for choice in question.choices:
                if choice.code == value:
                    return choice.share
            known = ", ".join(choice.code for choice in question.choices)
            raise BadInput(f"{where}: {value!r} is no answer; one of {known}")


def score(card: ScoreCard, answers: Mapping[str, ScoreAnswer]) -> Score:
    """Return what the answers come to. Answers carry their shares already."""
    questions = list(card.questions())
    fatal = tuple(
        one.code for one in questions if one.fatal and one.code in answers and answers[one.code].share == 0
    )
    points = _points(questions, answers)
    return Score(
        points=0.0 if fatal else points,
        fatal=fatal,
        open=tuple(one.code for one in questions if one.code not in answers),
        sections=tuple((section.title, _points(section.questions, answers)) for section in card.sections),
    )


def _points(questions: Iterable[Question], answers: Mapping[str, ScoreAnswer]) -> float | None:
    counted = [
        (one.weight, answer.share)
        for one in questions
        if (answer := answers.get(one.code)) is not None and answer.share is not None
    ]
    whole = sum(weight for weight, _ in counted)
    if whole <= 0:
        return None
    return round(min(FULL, FULL * sum(weight * share for weight, share in counted) / whole), _DIGITS)
