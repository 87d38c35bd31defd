"""The calls for which a query holds as a whole, as SQL: sets of transcripts' keys, combined as the query is. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cti.search.query import All, AnyOf, Near, Phrase, Query


@dataclass(slots=True)
class CallSets:
    """Builds the SQL; `matches` are the values of its parameters."""

    look: str
    """Selects the keys `k` of one phrase, `{match}` in place of its parameter."""
    expression: Callable[[Query], str]
    """Of one phrase, in the words of the database."""
    matches: dict[str, str] = field(default_factory=dict)

    def keys(self, query: Query) -> str:
        """Return SQL that selects the keys `k` of all such calls."""
        match query:
            case Phrase() | Near():
                name = f"match_{len(self.matches)}"
                self.matches[name] = self.expression(query)
                return self.look.format(match=f":{name}")
            case All(parts=parts, none_of=none_of):
                wanted = " INTERSECT ".join(map(self._part, parts))
                return " EXCEPT ".join([wanted, *map(self._part, none_of)])
            case AnyOf(parts=parts):
                return " UNION ".join(map(self._part, parts))

    def _part(self, query: Query) -> str:
        # each in its own parentheses: the two databases differ in which operator binds closer
        return f"SELECT k FROM ({self.keys(query)}) AS part"  # noqa: S608 (our own SQL; values are bound)
