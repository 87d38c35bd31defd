"""Conditions worked out in Python: what the SQL of `cti.storage.condition_sql` must agree with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from cti.contacts.fields import Kind, field_of
from cti.model.conditions import All, AnyOf, Condition, Not, Op, Scope, Some, Test


class Look(Protocol):
    """One row, to be asked."""

    def values(self, field: str, key: str) -> Sequence[Any]:
        """Return all values of a field; None and empty text are nothing."""
        ...

    def others(self, scope: Scope) -> Sequence["Look"]:
        """Return the rows that belong to it."""
        ...


def holds(condition: Condition, row: Look, scope: Scope) -> bool:
    """Return whether a settled condition is true of a row."""
    match condition:
        case All(parts=parts):
            return all(holds(part, row, scope) for part in parts)
        case AnyOf(parts=parts):
            return any(holds(part, row, scope) for part in parts)
        case Not(part=part):
            return not holds(part, row, scope)
        case Some(scope=inner, part=part):
            return any(holds(part, other, inner) for other in row.others(inner))
        case Test():
            return _asked(condition, row, field_of(scope, condition.field).kind)


def _asked(test: Test, row: Look, kind: Kind) -> bool:
    values = [value for value in row.values(test.field, test.key) if value is not None and value != ""]
    wanted = list(test.values)
    if test.op is Op.EMPTY:
        return (not values) is wanted[0]
    if test.op is Op.IS_NOT:
        return wanted[0] not in values
    compare = _STARTS_WITH[kind] if test.op is Op.STARTS_WITH else _COMPARED[test.op]
    return any(compare(value, wanted) for value in values)


def _small(text: str) -> str:
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


_Comparison = Callable[[Any, list[Any]], bool]
_STARTS_WITH: Final[Mapping[Kind, _Comparison]] = {
    Kind.TEXT: lambda value, wanted: _small(value).startswith(_small(wanted[0])),
    Kind.WORD: lambda value, wanted: value.startswith(wanted[0]),
    Kind.PHONE: lambda value, wanted: value.startswith(wanted[0]),
}
_COMPARED: Final[Mapping[Op, _Comparison]] = {
    Op.IS: lambda value, wanted: value == wanted[0],
    Op.HAS_TAG: lambda value, wanted: value == wanted[0],
    Op.ONE_OF: lambda value, wanted: value in wanted,
    Op.CONTAINS: lambda value, wanted: _small(wanted[0]) in _small(value),
    Op.ENDS_WITH: lambda value, wanted: value.endswith(wanted[0]),
    Op.BEFORE: lambda value, wanted: value < wanted[0],
    Op.AFTER: lambda value, wanted: value >= wanted[0],
    Op.WITHIN: lambda value, wanted: wanted[0] <= value < wanted[1],
    Op.AT_LEAST: lambda value, wanted: value >= wanted[0],
    Op.AT_MOST: lambda value, wanted: value <= wanted[0],
}
