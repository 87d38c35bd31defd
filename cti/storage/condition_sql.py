"""A settled condition as SQL. Values are always bound; the only names are those of our own columns.

`not` is carried down to the single tests (De Morgan), which are all either true or false, NULL or not. A positive test
of other rows is `id IN (SELECT ...)`, which lets SQLite begin with those rows and their index; a negative one is
`NOT EXISTS`, which both databases answer row by row from an index, where a long `NOT IN` would be read again and again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, false, func, literal, not_, or_, select, true

from cti.contacts.fields import CUSTOM, Kind, field_of
from cti.model.conditions import All, AnyOf, Condition, Not, Op, Scope, Some, Test, Value
from cti.storage import tables
from cti.storage.condition_places import LINKS, PLACES, TABLES, Among, Own, Place
from cti.storage.portable import ascii_lower, json_text

Criterion = ColumnElement[bool]

_SMALL: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def small(text: str) -> str:
    """Return text with A to Z made small, as `ascii_lower` does."""
    return text.translate(_SMALL)


def criterion(condition: Condition, scope: Scope, *, positive: bool = True) -> Criterion:
    """Return the condition, or its opposite, as SQL about the table of `scope`."""
    match condition:
        case All(parts=parts) | AnyOf(parts=parts):
            inner = [criterion(part, scope, positive=positive) for part in parts]
            conjunction = isinstance(condition, All) is positive
            return and_(true(), *inner) if conjunction else or_(false(), *inner)
        case Not(part=part):
            return criterion(part, scope, positive=not positive)
        case Some(scope=other, part=part):
            return _some(scope, other, criterion(part, other), positive=positive)
        case Test():
            return _test(condition, scope, positive=positive)


def _some(scope: Scope, other: Scope, inner: Criterion, *, positive: bool) -> Criterion:
    link = LINKS[scope, other]
    if not positive:
        there = exists().where(link.theirs == link.mine, inner).select_from(TABLES[other])
        return not_(there.correlate(TABLES[scope]))
    found = select(link.theirs).where(link.theirs.is_not(None), inner).correlate(None)
    among = link.mine.in_(found)
    return and_(link.mine.is_not(None), among) if link.nullable else among


def _test(test: Test, scope: Scope, *, positive: bool) -> Criterion:
    kind = field_of(scope, test.field).kind
    place = _place(test, scope)
    if test.op is Op.EMPTY:
        return _empty(place, kind, scope, wanted=bool(test.values[0]) is positive)
    if test.op is Op.IS_NOT:
        positive = not positive
    if isinstance(place, Among):
        return _among(place, _compared(test, kind, Own(value=place.value)), scope, positive=positive)
    compared = _compared(test, kind, place)
    if positive:
        return and_(place.value.is_not(None), compared) if place.nullable else compared
    return or_(place.value.is_(None), not_(compared)) if place.nullable else not_(compared)


def _place(test: Test, scope: Scope) -> Place:
    if test.field == CUSTOM:
        return Own(value=json_text(tables.contacts.c.fields, literal(test.key)))
    return PLACES[scope][test.field]


def _empty(place: Place, kind: Kind, scope: Scope, *, wanted: bool) -> Criterion:
    textual = kind in (Kind.TEXT, Kind.WORD)
    match place:
        case Among(value=value):
            there = and_(value.is_not(None), value != "") if textual else value.is_not(None)
            return _among(place, there, scope, positive=not wanted)
        case Own(value=value):
            nothing = or_(value.is_(None), value == "") if textual else value.is_(None)
            something = and_(value.is_not(None), value != "") if textual else value.is_not(None)
            return nothing if wanted else something


def _among(place: Among, inner: Criterion, scope: Scope, *, positive: bool) -> Criterion:
    mine = TABLES[scope].c.id
    if positive:
        return mine.in_(select(place.link).where(inner).correlate(None))
    there = exists().where(place.link == mine, inner).select_from(place.table)
    return not_(there.correlate(TABLES[scope]))


def _compared(test: Test, kind: Kind, own: Own) -> Criterion:
    value = own.value
    wanted: list[Any] = [_scaled(one, own.scale) for one in test.values]
    if own.turned is not None and test.op in _FROM_THE_END:
        return _FROM_THE_END[test.op](own.turned, [str(one)[::-1] for one in wanted])
    match test.op, kind:
        case Op.STARTS_WITH, Kind.TEXT:
            begin = func.substr(ascii_lower(value), 1, len(wanted[0]))
            return begin == small(wanted[0])
        case Op.STARTS_WITH, Kind.PHONE if own.turned is None:
            return and_(value >= wanted[0], value < wanted[0] + "~")
        case Op.STARTS_WITH, _:
            same: Criterion = func.substr(value, 1, len(wanted[0])) == wanted[0]
            return same
    return _COMPARED[test.op](value, wanted)


def _scaled(value: Value, scale: int | None) -> Value:
    if scale is None or isinstance(value, str | bool | datetime):
        return value
    return round(value * scale)


_Comparison = Callable[[ColumnElement[Any], list[Any]], Criterion]

_COMPARED: Final[Mapping[Op, _Comparison]] = {
    Op.IS: lambda value, wanted: value == wanted[0],
    Op.IS_NOT: lambda value, wanted: value == wanted[0],  # its polarity is turned before
    Op.HAS_TAG: lambda value, wanted: value == wanted[0],
    Op.ONE_OF: lambda value, wanted: value.in_(wanted),
    Op.CONTAINS: lambda value, wanted: ascii_lower(value).contains(small(wanted[0]), autoescape=True),
    Op.ENDS_WITH: lambda value, wanted: value.endswith(wanted[0], autoescape=True),
    Op.BEFORE: lambda value, wanted: value < wanted[0],
    Op.AFTER: lambda value, wanted: value >= wanted[0],
    Op.WITHIN: lambda value, wanted: and_(value >= wanted[0], value < wanted[1]),
    Op.AT_LEAST: lambda value, wanted: value >= wanted[0],
    Op.AT_MOST: lambda value, wanted: value <= wanted[0],
}
_FROM_THE_END: Final[Mapping[Op, _Comparison]] = {
    Op.IS: lambda turned, wanted: turned == wanted[0],
    Op.IS_NOT: lambda turned, wanted: turned == wanted[0],
    Op.ONE_OF: lambda turned, wanted: turned.in_(wanted),
    Op.ENDS_WITH: lambda turned, wanted: and_(turned >= wanted[0], turned < wanted[0] + "~"),
}
