"""From an utterance that the index proposes to a hit, and how hits are ranked. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from cti.model.transcripts import Segment, Word
from cti.search.matching import Stretch, distinct, found, holds
from cti.search.query import AnyOf, Query, phrases_of
from cti.search.units import Unit, units_of

RANKED: Final = 1000
"""Hits that are ranked: the newest ones. More would not be looked at by anybody."""

Marks = tuple[tuple[int, int], ...]


def any_of(query: Query) -> Query:
    """Return what shows a call that was found by its whole: any of the phrases."""
    phrases = tuple(phrases_of(query))
    return phrases[0] if len(phrases) == 1 else AnyOf(phrases)


def judged(query: Query, shown: str) -> tuple[list[Unit], list[Stretch]] | None:
    """Return the units of a text and where the query holds in it; None when it does not."""
    units = units_of(shown)
    return (units, found(query, units)) if holds(query, units) else None


def marks_of(units: Sequence[Unit], places: Sequence[Stretch]) -> Marks:
    """Return what was found as letters of the text; the second of each pair is exclusive."""
    return tuple((units[start].start, units[end - 1].end) for start, end in places)


def rank(query: Query, units: Sequence[Unit], places: Sequence[Stretch]) -> tuple[int, float]:
    """Return how much an utterance is about a query; more is more.

    First how many of the phrases are there, then the share of the utterance that they make up.
    """
    covered = sum(end - start for start, end in places)
    return distinct(query, units), covered / len(units)


def moment_of(segment: Segment, units: Sequence[Unit], place: int) -> float:
    """Return when a unit of the shown text was said, in seconds.

    Words and text have the same units but where the text was written otherwise (numbers, redaction): then the moment is
    taken in proportion.
    """
    ends, by_word = _units_by_word(segment.words)
    total = ends[-1] if ends else 0
    if total == 0:
        return segment.start
    if [unit.text for unit in by_word] != [unit.text for unit in units]:
        place = min(total - 1, place * total // len(units))
    at = bisect_right(ends, place)
    word, first = segment.words[at], ends[at - 1] if at else 0
    # within a word that is many characters, as far in as the character is
    return word.start + (word.end - word.start) * (place - first) / (ends[at] - first)


def _units_by_word(words: Sequence[Word]) -> tuple[list[int], list[Unit]]:
    ends: list[int] = []
    units: list[Unit] = []
    for word in words:
        units += units_of(word.text)
        ends.append(len(units))
    return ends, units
