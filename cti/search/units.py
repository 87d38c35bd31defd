"""Text cut into units: what is counted, compared and indexed of speech. One function for both databases. Pure.

A unit is a word, or a single character of a script that is written without spaces between words (Han, kana, Hangul:
`docs/decisions/0105`). Spaces and punctuation are no units: nobody says them, and engines put them where they like.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

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
_PLAIN: Final = re.compile(
    "[\x00-\x7f\u3001-\u3003\u3008-\u3011\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
    "\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]*"
)
"""Text of these alone needs no normalisation but small letters, and is cut by one expression: nearly all text."""
_CUT: Final = re.compile("[\u3041-\ud7a3]|[a-z0-9]+(?:'+[a-z0-9]+)*")
_DENSE_FROM: Final = "\u3041"
"""In plain text, the first character of those scripts."""


class Unit(NamedTuple):
    """A word or a character, made comparable, and where it stands in the text. (A tuple: millions are made.)"""

    text: str
    start: int
    end: int
    """Exclusive."""
    dense: bool = False
    """A character of a script without spaces."""


def units_of(text: str) -> list[Unit]:
    """Cut text into units: compatible forms made one (NFKC), case folded."""
    if not _PLAIN.fullmatch(text):
        return list(_units(text))
    return [
        Unit(word, found.start(), found.end(), dense=True)
        if (word := found.group()) >= _DENSE_FROM
        else Unit(word.replace("'", ""), found.start(), found.end())
        for found in _CUT.finditer(text.lower())
    ]


def tokens_of(units: Sequence[Unit]) -> list[str]:
    """Return what is indexed, one token for each unit: a word, or a character with the one said after it."""
    return _tokens([unit.text for unit in units], [unit.dense for unit in units])


def tokens(text: str) -> list[str]:
    """Return the tokens of a text; the same as `tokens_of(units_of(text))`, sooner."""
    if not _PLAIN.fullmatch(text):
        return tokens_of(units_of(text))
    words = _CUT.findall(text.lower())
    return _tokens([word.replace("'", "") for word in words], [word >= _DENSE_FROM for word in words])


def _tokens(words: list[str], dense: list[bool]) -> list[str]:
    after = [word if is_dense else "" for word, is_dense in zip(words, dense, strict=True)][1:]
    after.append("")
    return [
        word + following if is_dense else word[:LONGEST_TOKEN]
        # without words there is one follower too many
        for word, is_dense, following in zip(words, dense, after, strict=False)
    ][:MOST_TOKENS]


def query_tokens(units: Sequence[Unit], *, prefix: bool) -> tuple[list[str], bool]:
    """Return the tokens that stand one after the other wherever the units do, and whether the last one may go on.

    A character within a run is the second half of the token before it; alone it is the beginning of a token.
    """
    found, last = tokens_of(units), units[-1]
    if not last.dense:
        return found, prefix and len(last.text) < LONGEST_TOKEN
    if len(units) > 1 and units[-2].dense:
        return found[:-1], False
    return found, True


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
