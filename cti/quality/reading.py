"""Reads rules and cards from outside. The only reader: API, files and the database share it."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from cti.errors import BadInput
from cti.model.keyword_rules import KeywordRule
from cti.model.score_cards import AutoAnswer, Question, QuestionKind, ScoreCard
from cti.model.talk_figures import FIGURES
from cti.quality.wording import tokens

MAX_PHRASES: Final = 500
MAX_LETTERS: Final = 100
"""Of a phrase."""
MAX_QUESTIONS: Final = 200
_CODE: Final = "abcdefghijklmnopqrstuvwxyz0123456789_-"

_STRICT: Final = with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
_RULE: Final = TypeAdapter(_STRICT(KeywordRule))
_CARD: Final = TypeAdapter(_STRICT(ScoreCard))


def rule_of(given: Mapping[str, Any], *, where: str) -> KeywordRule:
    """Return a rule. Raises BadInput naming each key that is wrong, below `where`."""
    rule: KeywordRule = _read(_RULE, given, where)
    _refuse(_unfit_rule(rule), where)
    return rule


def rule_body(rule: KeywordRule) -> dict[str, Any]:
    """Return a rule as JSON values that `rule_of` reads."""
    return dict(_RULE.dump_python(rule, mode="json"))


def card_of(given: Mapping[str, Any], *, where: str) -> ScoreCard:
    """Return a card. Raises BadInput naming each key that is wrong, below `where`."""
    card: ScoreCard = _read(_CARD, given, where)
    _refuse(_unfit_card(card), where)
    return card


def card_body(card: ScoreCard) -> dict[str, Any]:
    """Return a card as JSON values that `card_of` reads."""
    return dict(_CARD.dump_python(card, mode="json"))


def _read(adapter: TypeAdapter[Any], given: Mapping[str, Any], where: str) -> Any:
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        problems = (
            f"{'.'.join([where, *map(str, one['loc'])])}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise BadInput("; ".join(problems)) from None


def _refuse(problems: Iterable[str], where: str) -> None:
    if found := [f"{where}.{problem}" for problem in problems]:
        raise BadInput("; ".join(found))


def _unfit_code(code: str, key: str) -> Iterator[str]:
    if not 1 <= len(code) <= 64 or set(code) - set(_CODE):
        yield f"{key}: {code!r} must be 1 to 64 of a-z, 0-9, _ and -"


def _unfit_title(text: str, key: str) -> Iterator[str]:
    if len(text) > 200 or not _is_line(text):
        yield f"{key}: must be one line of at most 200 characters"


def _is_line(text: str) -> bool:
    """A NUL, a line's end or half a surrogate pair is nothing that databases and tables agree about."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)


def _unfit_rule(rule: KeywordRule) -> Iterator[str]:
    yield from _unfit_code(rule.code, "code")
    yield from _unfit_title(rule.title, "title")
    if not rule.phrases:
        yield "phrases: must hold one at least"
    for key, phrases in (("phrases", rule.phrases), ("near", rule.near)):
        if len(phrases) > MAX_PHRASES:
            yield f"{key}: holds {len(phrases)}, at most {MAX_PHRASES} are possible"
        for place, phrase in enumerate(phrases):
            if len(phrase) > MAX_LETTERS:
                yield f"{key}.{place}: must have at most {MAX_LETTERS} characters"
            elif not _is_line(phrase):
                yield f"{key}.{place}: must not hold a control character"
            elif not tokens(phrase):
                yield f"{key}.{place}: {phrase!r} holds no word that can be said"
    if rule.first_seconds is not None and rule.last_seconds is not None:
        yield "last_seconds: a rule is about the first seconds or about the last, not both"
    for key, seconds in (("first_seconds", rule.first_seconds), ("last_seconds", rule.last_seconds)):
        if seconds is not None and not 0 < seconds <= 86_400:
            yield f"{key}: must be more than 0 and at most 86400"
    if not 0 <= rule.near_words <= 100:
        yield "near_words: must be 0 to 100"
    if rule.language and not rule.language.replace("-", "").isalnum():
        yield f"language: {rule.language!r} is no language; write en, zh, zh-CN"


def _unfit_card(card: ScoreCard) -> Iterator[str]:
    yield from _unfit_code(card.code, "code")
    yield from _unfit_title(card.title, "title")
    if not 0 <= card.pass_mark <= 100:
        yield "pass_mark: must be 0 to 100"
    counted = Counter(one.code for one in card.questions())
    if not counted:
        yield "sections: must hold one question at least"
    if counted.total() > MAX_QUESTIONS:
        yield f"sections: hold {counted.total()} questions, at most {MAX_QUESTIONS} are possible"
    for code, count in counted.items():
        if count > 1:
            yield f"sections: the question {code!r} stands {count} times"
    for place, section in enumerate(card.sections):
        yield from _unfit_title(section.title, f"sections.{place}.title")
        for number, question in enumerate(section.questions):
            for problem in _unfit_question(question):
                yield f"sections.{place}.questions.{number}.{problem}"


def _unfit_question(question: Question) -> Iterator[str]:
    yield from _unfit_code(question.code, "code")
    yield from _unfit_title(question.text, "text")
    if not 0 < question.weight <= 1000:
        yield "weight: must be more than 0 and at most 1000"
    if not 1 <= question.top <= 100:
        yield "top: must be 1 to 100"
    if (question.kind is QuestionKind.CHOICE) != bool(question.choices):
        yield "choices: must be given with the kind choice, and only with it"
    codes = [choice.code for choice in question.choices]
    if len(set(codes)) < len(codes):
        yield "choices: each code may stand once only"
    for place, choice in enumerate(question.choices):
        yield from _unfit_code(choice.code, f"choices.{place}.code")
        yield from _unfit_title(choice.title, f"choices.{place}.title")
        if choice.code == "na":
            yield f"choices.{place}.code: na is kept for what is not applicable"
        if not 0 <= choice.share <= 1:
            yield f"choices.{place}.share: must be 0 to 1"
    if question.auto is not None:
        if question.kind is not QuestionKind.YES_NO:
            yield "auto: only a yes-or-no question can be answered by the service"
        yield from _unfit_auto(question.auto)


def _unfit_auto(auto: AutoAnswer) -> Iterator[str]:
    if bool(auto.rule) is bool(auto.figure):
        yield "auto: names a rule or a figure, one of them"
    if auto.figure:
        if auto.figure not in FIGURES:
            yield f"auto.figure: there is no figure {auto.figure!r}; there are: {', '.join(FIGURES)}"
        if auto.at_least is None and auto.at_most is None:
            yield "auto: at_least or at_most is missing"
        if auto.at_least is not None and auto.at_most is not None and auto.at_least > auto.at_most:
            yield "auto.at_least: is more than at_most"
    elif auto.at_least is not None or auto.at_most is not None:
        yield "auto: at_least and at_most are for figures"
