"""How wrong a transcript is: words or characters to change, over those there are. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

BY_CHARACTER: Final = frozenset({"zh", "ja", "ko", "th"})
"""Languages scored by characters without spaces: their engines cut words as they like."""
_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'"})
_NO_LETTER: Final = re.compile(r"[^\w']+|_")
_LOOSE_APOSTROPHE: Final = re.compile(r"(?<!\w)'|'(?!\w)")


@dataclass(frozen=True, slots=True)
class Score:
    """Errors against what was really said."""

    errors: int
    """Fewest insertions, deletions and substitutions."""
    units: int
    """Words or characters really said."""

    def __add__(self, other: "Score") -> "Score":
        return Score(self.errors + other.errors, self.units + other.units)

    @property
    def rate(self) -> float:
        """0 to 1, and above when more was written than said."""
        return self.errors / self.units if self.units else float(bool(self.errors))


def score(said: str, written: str, language: str) -> Score:
    """Compare two texts as the language is scored: by characters (CER) or words (WER)."""
    truth, found = units(said, language), units(written, language)
    return Score(edit_distance(truth, found), len(truth))


def total(scores: Iterable[Score]) -> Score:
    """Add up."""
    return sum(scores, Score(0, 0))


def units(text: str, language: str) -> Sequence[str]:
    """Return what is counted: normalised words, or characters."""
    normal = normalised(text)
    return list(normal.replace(" ", "")) if by_character(language) else normal.split()


def by_character(language: str) -> bool:
    """Whether a language (BCP 47) is scored by characters."""
    return language.split("-")[0].lower() in BY_CHARACTER


def normalised(text: str) -> str:
    """Return the text without case, punctuation and width; apostrophes within words stay."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower()
    return " ".join(_LOOSE_APOSTROPHE.sub(" ", _NO_LETTER.sub(" ", plain)).split())


def edit_distance(truth: Sequence[str], found: Sequence[str]) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(found) + 1))
    for number, one in enumerate(truth, start=1):
        before, row[0] = row[0], number
        for place, other in enumerate(found, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (one != other))
    return row[-1]
