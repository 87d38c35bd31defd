"""Digits as they are spoken and written in English and Chinese: `four double five`, `四一幺`, `三个八`, `4111`. Pure.

Words go in one by one; out come runs of digits, each with the place it came from. Whatever is no number ends a run, but
for what people say while they read one out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

PAUSE_SECONDS: Final = 15.0
"""A longer pause between two digits ends a run."""

_ENGLISH: Final = (
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    (
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ),
    ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
)
_UNITS: Final = {word: str(digit) for digit, word in enumerate(_ENGLISH[0])} | {"oh": "0", "o": "0"}
_TEENS: Final = {word: str(number) for number, word in enumerate(_ENGLISH[1], 10)}
_TENS: Final = {word: str(digit) for digit, word in enumerate(_ENGLISH[2], 2)}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3, "两": 2, "二": 2, "三": 3, "四": 4}
_CHINESE: Final = {
    character: str(digit)
    for digit, characters in enumerate(
        ("零〇洞", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七拐柒", "八捌", "九勾玖")
    )
    for character in characters
}
_LETTER_X: Final = frozenset({"x", "ex", "叉"})
_PASSED_OVER: Final = frozenset(
    {"uh", "um", "er", "ah", "hmm", "and", "then", "dash", "hyphen", "space", "嗯", "啊", "呃", "额", "杠"}
)
_PIECE: Final = re.compile(
    rf"(?P<times>[两二三四])个(?=[{''.join(_CHINESE)}\d])|(?P<letters>[A-Za-z]+)|(?P<phrase>然后|空格)"
    r"|(?P<gap>[\s\-\u2010-\u2015.,\u3001\uff0c\u00b7/]+)|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word with its place and time."""

    text: str
    segment: int
    word: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits (or an X) that one piece of a word stands for."""

    text: str
    segment: int
    word: int
    first: int
    """Letters of the word."""
    beyond: int


Run = list[Digits]


def runs_of(words: Iterable[Spoken]) -> Iterator[Run]:
    """Give the runs of digits in the words of one speaker, which come in the order of time."""
    run: Run = []
    times, tens, ended = 1, False, float("-inf")
    for word in words:
        if word.start - ended > PAUSE_SECONDS:
            yield from _closed(run)
            run, times, tens = [], 1, False
        for piece in _PIECE.finditer(word.text):
            value, repeated = _value(piece)
            if repeated:
                times, tens = repeated, False
                continue
            if value is None:
                yield from _closed(run)
                run, times, tens = [], 1, False
                continue
            if not value:
                continue
            letters = (piece["letters"] or "").lower()
            if tens and letters in _UNITS and value != "0":
                # forty one: the nought that stood for the missing unit goes
                run[-1] = Digits(
                    run[-1].text[:1], run[-1].segment, run[-1].word, run[-1].first, run[-1].beyond
                )
            run.append(Digits(value * times, word.segment, word.word, piece.start(), piece.end()))
            times, tens, ended = 1, letters in _TENS, word.end
    yield from _closed(run)


def _closed(run: Run) -> Iterator[Run]:
    if run:
        yield run


def _value(piece: re.Match[str]) -> tuple[str | None, int]:
    """Return the digits, None for what ends a run, empty for what is passed over; and how often the next is meant."""
    if piece["times"]:
        return "", _TIMES[piece["times"]]
    if piece["gap"] or piece["phrase"]:
        return "", 0
    if piece["letters"]:
        return _of_letters(piece["letters"].lower())
    character = piece["other"]
    decimal = unicodedata.decimal(character, None)
    if decimal is not None:
        return str(decimal), 0
    if character in _LETTER_X:
        return "X", 0
    return ("" if character in _PASSED_OVER else _CHINESE.get(character)), 0


def _of_letters(word: str) -> tuple[str | None, int]:
    if word in _TIMES:
        return "", _TIMES[word]
    if word in _TENS:
        return _TENS[word] + "0", 0
    if word in _LETTER_X:
        return "X", 0
    if word in _PASSED_OVER:
        return "", 0
    return _UNITS.get(word) or _TEENS.get(word), 0
