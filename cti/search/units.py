"""Text cut into units: what is counted, compared and indexed of speech. One function for both databases. Pure.

A unit is a word, or a single character of a script that is written without spaces between words (Han, kana, Hangul:
`docs/decisions/0105`). Spaces and punctuation are no units: nobody says them, and engines put them where they like.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_TOKEN: Final = 60
"""Letters of a word that the index keeps; the rest is compared when a hit is looked at."""
MOST_TOKENS: Final = 16_000
"""Tokens of one segment that the index keeps; PostgreSQL's positions end at 16,383."""

_DENSE: Final = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
"""Characters of scripts that are searched character by character: Han, kana, bopomofo, Hangul."""
_APOSTROPHES: Final = "'\u2019\u02bc\uff07"
"""Within a word they are left out: engines and people differ in `don't` and `dont`."""
_WORD: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Mn", "Mc", "Me"})
_PLAIN: Final = re.compile("[a-z0-9]+(?:'[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or a character, made comparable, and where it stands in the text."""

    text: str
    start: int
    end: int
    """Exclusive."""
    dense: bool = False
    """A character of a script without spaces."""


def units_of(text: str) -> list[Unit]:
    """Cut text into units: compatible forms made one (NFKC), case folded."""
    if text.isascii():  # the same, faster
        small = text.lower()
        return [
            Unit(found.group().replace("'", ""), found.start(), found.end())
            for found in _PLAIN.finditer(small)
        ]
    return list(_units(text))


def tokens_of(units: Sequence[Unit]) -> list[str]:
    """Return what is indexed, one token for each unit: a word, or a character with the one said after it."""
    tokens = []
    last = len(units) - 1
    for place, unit in enumerate(units[:MOST_TOKENS]):
        if unit.dense and place < last and units[place + 1].dense:
            tokens.append(unit.text + units[place + 1].text)
        else:
            tokens.append(unit.text[:LONGEST_TOKEN])
    return tokens


def _units(text: str) -> Iterator[Unit]:
    word, began, ended, reach = "", 0, 0, 0
    for start, end in _clusters(text):
        cluster = text[start:end]
        if word and reach == start and cluster in _APOSTROPHES:
            reach = end
            continue
        for character in _comparable(cluster):
            dense = bool(_DENSE.match(character))
            letter = not dense and unicodedata.category(character) in _WORD
            if word and not (letter and reach in (start, end)):
                yield Unit(word, began, ended)
                word = ""
            if dense:
                yield Unit(character, start, end, dense=True)
            elif letter:
                began = began if word else start
                word, ended, reach = word + character, end, end
    if word:
        yield Unit(word, began, ended)


def _comparable(cluster: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cluster).casefold())


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Give the stretches that normalisation must see together: a character with the marks that follow it."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not _goes_on(text[place]):
            if place > start:
                yield start, place
            start = place


def _goes_on(character: str) -> bool:
    if character < "\u0300":
        return False
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or "\u1160" <= character <= "\u11ff"  # vowels and finals of Hangul that is written in parts
        or character in "\uff9e\uff9f"  # voicing marks of half-width kana
    )
