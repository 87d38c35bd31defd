"""Score cards: the questions a call is scored by. A card is kept in versions; a score belongs to one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cti.model.call_record import moment


class QuestionKind(StrEnum):
    """How a question is answered. Stored; renamed never."""

    YES_NO = "yes_no"
    """`yes` has all points, `no` none."""
    SCALE = "scale"
    """A whole number from 0 to `top`."""
    CHOICE = "choice"
    """One of `choices`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer of a question with choices."""

    code: str
    title: str = ""
    share: float
    """Of the question's weight, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoAnswer:
    """How the service answers a yes-or-no question by itself: by a keyword rule, or by a figure."""

    rule: str = ""
    """Yes when this rule applied and was kept, no when it was broken; no answer when it did not apply."""
    figure: str = ""
    """Yes when this figure lies in the range, both ends included."""
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question."""

    code: str
    text: str
    kind: QuestionKind = QuestionKind.YES_NO
    weight: float = 1.0
    top: int = 5
    """Of a scale."""
    choices: tuple[Choice, ...] = ()
    may_be_na: bool = False
    """It may be answered `na`: not applicable, counts for nothing."""
    fatal: bool = False
    """An answer without any points makes the whole score 0."""
    auto: AutoAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Questions under one head."""

    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """A template of scores."""

    code: str
    """Its name for ever."""
    title: str = ""
    sections: tuple[Section, ...]
    pass_mark: float = 80.0
    """A score from here on is a pass; 0 to 100."""
    campaigns: tuple[int, ...] = ()
    """For calls of these; empty: of all."""
    active: bool = True

    def questions(self) -> Iterator[Question]:
        """Give all questions in order."""
        for section in self.sections:
            yield from section.questions


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVersion:
    """A card as it was made or changed; never changed itself."""

    id: int
    """What scores refer to."""
    version: int
    """Counts up for each card."""
    card: ScoreCard
    by: str
    at: datetime


def card_head(one: CardVersion) -> dict[str, object]:
    """Return a card in a list: without its questions."""
    return {
        "code": one.card.code,
        "title": one.card.title,
        "version": one.version,
        "questions": sum(1 for _ in one.card.questions()),
        "pass_mark": one.card.pass_mark,
        "campaigns": list(one.card.campaigns),
        "active": one.card.active,
        "by": one.by,
        "at": moment(one.at),
    }
