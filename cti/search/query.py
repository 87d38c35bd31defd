"""The language of searches: words, "phrases", prefix*, AND, OR, NOT, NEAR/n, parentheses. Text in, values out. Pure.

    or     := all ("OR" all)*
    all    := part (["AND"] part)*
    part   := ["NOT"] near
    near   := atom (("NEAR" | "NEAR/n") atom)*
    atom   := word | word* | "phrase" | "(" or ")"

Operators are capital letters; everything else is what was said. No part of the text is handed to a database as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cti.errors import BadInput
from cti.search.units import Unit, units_of

LONGEST: Final = 1000
"""Letters of a query."""
MOST_PHRASES: Final = 64
DEEPEST: Final = 32
"""Parentheses within parentheses."""
FARTHEST: Final = 100
"""Units between the two sides of NEAR."""
_NEAR: Final = 10
"""Units, where NEAR says no number."""
_SHORTEST_PREFIX: Final = 2
"""Letters before a star: one letter begins a tenth of all words."""


class BadQuery(BadInput):
    """A query that cannot be read; says where (letters are counted from 1)."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(f"q: at letter {at + 1}: {message}")
        self.at = at


@dataclass(frozen=True, slots=True)
class Phrase:
    """Units one after the other; a word alone is a phrase of one."""

    units: tuple[Unit, ...]
    prefix: bool = False
    """The last word may go on."""


@dataclass(frozen=True, slots=True)
class Near:
    """Two phrases in either order with at most `within` units between them."""

    left: Phrase
    right: Phrase
    within: int


@dataclass(frozen=True, slots=True)
class All:
    """Every part, and none of those that must not be."""

    parts: "tuple[Query, ...]"
    """At least one."""
    none_of: "tuple[Query, ...]" = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part."""

    parts: "tuple[Query, ...]"


Query = Phrase | Near | All | AnyOf


def parse(text: str, *, per_call: bool = False) -> Query:
    """Read a query; `per_call` refuses NEAR, which asks for one utterance. Raises BadQuery."""
    if len(text) > LONGEST:
        raise BadQuery(LONGEST, f"a query has at most {LONGEST} letters, this one has {len(text)}")
    words = list(_lexed(text))
    if sum(word.kind is _Kind.PHRASE for word in words) > MOST_PHRASES:
        raise BadQuery(0, f"a query has at most {MOST_PHRASES} words and phrases")
    if per_call and (near := next((word for word in words if word.kind is _Kind.NEAR), None)):
        raise BadQuery(near.at, "NEAR asks for one utterance; it cannot be asked of a whole call")
    reader = _Reader(words, len(text))
    query = reader.either(depth=0)
    reader.at_end()
    return query


def phrases_of(query: Query) -> Iterator[Phrase | Near]:
    """Give what must or may have been said; what must not is left out."""
    match query:
        case Phrase() | Near():
            yield query
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from phrases_of(part)


class _Kind(StrEnum):
    PHRASE = "a word"
    OPEN = '"("'
    CLOSE = '")"'
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    NEAR = "NEAR"


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: _Kind
    at: int
    phrase: Phrase = Phrase(())
    within: int = 0


_QUOTES: Final = '"\u201c\u201d\uff02'
_LEXEME: Final = re.compile(
    rf"(?P<open>[(\uff08])|(?P<close>[)\uff09])|[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)(?P<end>[{_QUOTES}]?)"
    rf"|(?P<word>[^\s(){_QUOTES}\uff08\uff09]+)"
)
_OPERATOR: Final = re.compile(r"(?P<name>AND|OR|NOT|NEAR)(?:/(?P<within>[^*]*))?")
_STARS: Final = "*\uff0a"


def _lexed(text: str) -> Iterator[_Lexeme]:
    for found in _LEXEME.finditer(text):
        at = found.start()
        if found["open"] or found["close"]:
            yield _Lexeme(_Kind.OPEN if found["open"] else _Kind.CLOSE, at)
        elif found["quoted"] is not None:
            if not found["end"]:
                raise BadQuery(at, "the quotation mark is not closed")
            yield _quoted(found["quoted"], at)
        elif operator := _OPERATOR.fullmatch(found["word"]):
            yield _operator(operator, at)
        else:
            yield from _word(found["word"], at)


def _operator(found: re.Match[str], at: int) -> _Lexeme:
    kind, within = _Kind(found["name"]), found["within"]
    if kind is not _Kind.NEAR:
        if within is not None:
            raise BadQuery(at, f"{kind.value} takes no number; NEAR/5 does")
        return _Lexeme(kind, at)
    if within is None:
        return _Lexeme(kind, at, within=_NEAR)
    if not re.fullmatch("[0-9]{1,3}", within) or not 1 <= int(within) <= FARTHEST:
        raise BadQuery(at, f"NEAR/n: n is 1 to {FARTHEST}, for example NEAR/5")
    return _Lexeme(kind, at, within=int(within))


def _quoted(quoted: str, at: int) -> _Lexeme:
    bare = quoted.rstrip()
    prefix = bare.endswith(tuple(_STARS))
    units = units_of(bare)
    if not units:
        raise BadQuery(at, "there is no word between the quotation marks")
    return _Lexeme(_Kind.PHRASE, at, _phrase(units, prefix=prefix, at=at))


def _word(word: str, at: int) -> Iterator[_Lexeme]:
    bare = word.rstrip(_STARS)
    if any(star in bare for star in _STARS):
        raise BadQuery(at + _first_star(word), "a star stands for the end of a word, for example refund*")
    units = units_of(bare)
    if not units and bare != word:
        raise BadQuery(at + _first_star(word), "a star needs the beginning of a word before it")
    if units:
        yield _Lexeme(_Kind.PHRASE, at, _phrase(units, prefix=bare != word, at=at))


def _first_star(word: str) -> int:
    return next(place for place, letter in enumerate(word) if letter in _STARS)


def _phrase(units: Sequence[Unit], *, prefix: bool, at: int) -> Phrase:
    last = units[-1]
    if prefix and not last.dense and len(last.text) < _SHORTEST_PREFIX:
        raise BadQuery(at, f"a star needs at least {_SHORTEST_PREFIX} letters before it")
    # where they stand in the query says nothing of what is meant
    bare = tuple(unit._replace(start=0, end=0) for unit in units)
    return Phrase(bare, prefix=prefix and not last.dense)


class _Reader:
    """Reads lexemes from left to right."""

    def __init__(self, lexemes: Sequence[_Lexeme], length: int) -> None:
        self._lexemes = lexemes
        self._next = 0
        self._length = length

    def either(self, *, depth: int) -> Query:
        """Read alternatives."""
        parts = [self._all(depth)]
        while self._took(_Kind.OR):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def at_end(self) -> None:
        """Raises BadQuery when something is left over."""
        if self._next < len(self._lexemes):
            left = self._lexemes[self._next]
            raise BadQuery(left.at, f"{left.kind.value} without what belongs before it")

    def _all(self, depth: int) -> Query:
        at = self._place()
        wanted: list[Query] = []
        unwanted: list[Query] = []
        while True:
            (unwanted if self._took(_Kind.NOT) else wanted).append(self._near(depth))
            if not self._took(_Kind.AND) and self._seen() not in (_Kind.PHRASE, _Kind.OPEN, _Kind.NOT):
                break
        if not wanted:
            raise BadQuery(at, "NOT needs a word beside it that was said, for example: refund NOT agreed")
        if len(wanted) == 1 and not unwanted:
            return wanted[0]
        return All(tuple(wanted), tuple(unwanted))

    def _near(self, depth: int) -> Query:
        at = self._place()
        one = self._atom(depth)
        pairs: list[Query] = []
        while self._seen() is _Kind.NEAR:
            near = self._lexemes[self._next]
            self._next += 1
            other = self._atom(depth)
            if not isinstance(one, Phrase) or not isinstance(other, Phrase):
                raise BadQuery(at, "NEAR stands between words or phrases, not between parentheses")
            pairs.append(Near(one, other, near.within))
            one = other
        if not pairs:
            return one
        return pairs[0] if len(pairs) == 1 else All(tuple(pairs))

    def _atom(self, depth: int) -> Query:
        at = self._place()
        match self._seen():
            case _Kind.PHRASE:
                self._next += 1
                return self._lexemes[self._next - 1].phrase
            case _Kind.OPEN:
                if depth >= DEEPEST:
                    raise BadQuery(at, f"more than {DEEPEST} parentheses within each other")
                self._next += 1
                inner = self.either(depth=depth + 1)
                if not self._took(_Kind.CLOSE):
                    raise BadQuery(at, "the parenthesis is not closed")
                return inner
            case None:
                missing = "a word is missing at the end" if self._lexemes else "there is no word in the query"
                raise BadQuery(at, missing)
            case kind:
                raise BadQuery(at, f"{kind.value} stands where a word should")

    def _seen(self) -> _Kind | None:
        return self._lexemes[self._next].kind if self._next < len(self._lexemes) else None

    def _took(self, kind: _Kind) -> bool:
        if self._seen() is not kind:
            return False
        self._next += 1
        return True

    def _place(self) -> int:
        return self._lexemes[self._next].at if self._next < len(self._lexemes) else self._length
