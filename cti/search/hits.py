"""From an utterance that the index proposes to a hit, and how hits are ranked. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from cti.search.matching import Stretch, distinct, found, holds
from cti.search.query import AnyOf, Query, phrases_of
from cti.search.units import Unit, units_of

RANKED: Final = 1000
"""Hits that are ranked: the newest ones. More would not be looked at by anybody."""

Timed = tuple[str, float, float]
"""A word with its start and end."""

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


def moment_of(shown: str, words: Sequence[Timed], units: Sequence[Unit], place: int) -> float:
    """Return when a unit of the shown text was said, in the words' own measure of time.

    Almost always the text is the words, with or without spaces. Where it was written otherwise (numbers, redaction) and
    has other units, the moment is taken in proportion.
    """
    at = _by_letters(shown, words, units[place].start)
    return at if at is not None else _by_units(words, units, place)


def _by_letters(shown: str, words: Sequence[Timed], letter: int) -> float | None:
    reached = 0
    for word, start, end in words:
        found_at = shown.find(word, reached)
        if found_at < 0 or shown[reached:found_at].strip():
            return None
        reached = found_at + len(word)
        if letter < reached:
            return start + (end - start) * (letter - found_at) / len(word)
    return None


def _by_units(words: Sequence[Timed], units: Sequence[Unit], place: int) -> float:
    ends: list[int] = []
    heard: list[Unit] = []
    for word, *_ in words:
        heard += units_of(word)
        ends.append(len(heard))
    if not heard:
        return words[0][1]
    if [unit.text for unit in heard] != [unit.text for unit in units]:
        place = min(len(heard) - 1, place * len(heard) // len(units))
    at = bisect_right(ends, place)
    _, start, end = words[at]
    first = ends[at - 1] if at else 0
    # within a word that is many characters, as far in as the character is
    return start + (end - start) * (place - first) / (ends[at] - first)
