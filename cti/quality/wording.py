"""Text made comparable: width, case and punctuation gone, Chinese split into characters, the rest into words. Pure.

The same is done to a rule's phrases and to what was said, so that what is equal to the ear is equal here.
Traditional and simplified characters stay different, and so do digits and spoken numbers.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

JOINED: Final = (
    "\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
"""Chinese, Japanese and Korean: where a word ends depends on the engine, so that each character stands for itself."""
_TOKEN: Final = re.compile(rf"[{JOINED}]|(?:(?![{JOINED}])[^\W_])+(?:'(?:(?![{JOINED}])[^\W_])+)*")
_JOINED: Final = re.compile(rf"[{JOINED}]")
_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u02bc": "'", "`": "'"})

_SHORTEST_INFLECTED: Final = 3
_VOWELS: Final = "aeiou"


@lru_cache(maxsize=65_536)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text, comparable; of Chinese, Japanese and Korean the characters."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    return tuple(_TOKEN.findall(plain))


def is_joined(token: str) -> bool:
    """Return whether it is written without spaces to its neighbours."""
    return bool(_JOINED.match(token))


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
    forms = [word + ending for ending in ("s", "es", "d", "ed", "ing", "'s")]
    if word.endswith("e"):
        forms.append(word[:-1] + "ing")
    elif word.endswith("y") and word[-2] not in _VOWELS:
        forms += [word[:-1] + "ies", word[:-1] + "ied"]
    elif word[-1] not in _VOWELS:
        forms += [word + word[-1] + "ed", word + word[-1] + "ing"]
    return forms
