"""Phrases and speech made comparable, unit by unit, with the same cutting that search uses. Pure.

What is equal to the ear is equal here: case, width, punctuation and the engine's spaces between characters do not
matter. Traditional and simplified characters stay different, and so do digits and spoken numbers.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cti.search.units import units_of

_SHORTEST_INFLECTED: Final = 3
_VOWELS: Final = "aeiou"


@lru_cache(maxsize=65_536)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text, comparable; of Chinese, Japanese and Korean the characters."""
    return tuple(unit.text for unit in units_of(text))


@lru_cache(maxsize=65_536)
def is_joined(token: str) -> bool:
    """Return whether it is written without spaces to its neighbours."""
    units = units_of(token)
    return bool(units) and units[0].dense


def joined(words: Sequence[str]) -> str:
    """Return tokens as one text: a space wherever one of two neighbours is written with spaces."""
    text = ""
    for word in words:
        if text and not (is_joined(text[-1]) and is_joined(word)):
            text += " "
        text += word
    return text


def inflections(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the phrase itself, and the phrase with one of its words in another of its English forms."""
    forms = [tuple(words)]
    for place, word in enumerate(words):
        forms += [(*words[:place], form, *words[place + 1 :]) for form in _forms(word)]
    return forms


def _forms(word: str) -> list[str]:
    if len(word) < _SHORTEST_INFLECTED or not (word.isascii() and word.isalpha()):
        return []
    # `'s` is `s` here: an apostrophe within a word is left out
    forms = [word + ending for ending in ("s", "es", "d", "ed", "ing")]
    if word.endswith("e"):
        forms.append(word[:-1] + "ing")
    elif word.endswith("y") and word[-2] not in _VOWELS:
        forms += [word[:-1] + "ies", word[:-1] + "ied"]
    elif word[-1] not in _VOWELS:
        forms += [word + word[-1] + "ed", word + word[-1] + "ing"]
    return forms
