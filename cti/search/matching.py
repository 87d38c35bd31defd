"""Does a query hold for what was said, and where. The judge of every hit: an index only proposes. Pure."""

from collections.abc import Iterator, Sequence

from cti.search.query import All, AnyOf, Near, Phrase, Query, phrases_of
from cti.search.units import Unit

Stretch = tuple[int, int]
"""From one unit to another, the second exclusive."""


def holds(query: Query, units: Sequence[Unit]) -> bool:
    """Say whether the query holds for one utterance."""
    match query:
        case Phrase() | Near():
            return next(stretches(query, units), None) is not None
        case All(parts=parts, none_of=none_of):
            return all(holds(part, units) for part in parts) and not any(
                holds(part, units) for part in none_of
            )
        case AnyOf(parts=parts):
            return any(holds(part, units) for part in parts)


def call_holds(query: Query, utterances: Sequence[Sequence[Unit]]) -> bool:
    """Say whether the query holds for a call: each phrase is in any utterance, or in none."""
    match query:
        case Phrase() | Near():
            return any(holds(query, units) for units in utterances)
        case All(parts=parts, none_of=none_of):
            return all(call_holds(part, utterances) for part in parts) and not any(
                call_holds(part, utterances) for part in none_of
            )
        case AnyOf(parts=parts):
            return any(call_holds(part, utterances) for part in parts)


def found(query: Query, units: Sequence[Unit]) -> list[Stretch]:
    """Return where the phrases of a query are, in order, each stretch of speech once."""
    every = sorted({each for phrase in phrases_of(query) for each in stretches(phrase, units)})
    merged: list[Stretch] = []
    for start, end in every:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def distinct(query: Query, units: Sequence[Unit]) -> int:
    """Count the phrases of a query that are there."""
    return sum(next(stretches(phrase, units), None) is not None for phrase in phrases_of(query))


def stretches(phrase: Phrase | Near, units: Sequence[Unit]) -> Iterator[Stretch]:
    """Give where a phrase is; of NEAR, both sides of each pair."""
    if isinstance(phrase, Near):
        yield from _near(phrase, units)
        return
    wanted, width = phrase.units, len(phrase.units)
    first = wanted[0].text
    for start in range(len(units) - width + 1):
        # the first unit decides almost always
        if width > 1 and units[start].text != first:
            continue
        if _is(phrase, units[start : start + width]):
            yield start, start + width


def _is(phrase: Phrase, units: Sequence[Unit]) -> bool:
    *before, last = phrase.units
    if phrase.prefix:
        if units[-1].dense or not units[-1].text.startswith(last.text):
            return False
    elif units[-1].text != last.text:
        return False
    return all(one.text == other.text for one, other in zip(before, units, strict=False))


def _near(near: Near, units: Sequence[Unit]) -> Iterator[Stretch]:
    lefts, rights = list(stretches(near.left, units)), list(stretches(near.right, units))
    for left in lefts:
        for right in rights:
            first, second = sorted((left, right))
            if 0 <= second[0] - first[1] <= near.within:
                yield left
                yield right
