"""Settles what a condition leaves to who looks and when: names become ids, words for times become moments. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cti.contacts.fields import Kind, field_of
from cti.contacts.moments import moment_of, span_of
from cti.errors import BadInput
from cti.model.conditions import All, AnyOf, Condition, Not, Op, Scope, Some, Test, Value

NOBODY: Final = -1
"""An agent's id that no agent has: what `me` means to somebody who is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks, when, and the names he may use."""

    now: datetime
    zone: ZoneInfo
    me: int | None = None
    """His id when he is an agent."""
    agents: Mapping[str, int] = field(default_factory=dict)
    """Ids by login."""
    campaigns: Mapping[str, int] = field(default_factory=dict)
    """Ids by name."""


def settled(condition: Condition, viewer: Viewer, *, scope: Scope = Scope.CONTACT) -> Condition:
    """Return the condition with ids and moments only. Raises BadInput naming a name that nobody has."""
    match condition:
        case All(parts=parts):
            return All(tuple(settled(part, viewer, scope=scope) for part in parts))
        case AnyOf(parts=parts):
            return AnyOf(tuple(settled(part, viewer, scope=scope) for part in parts))
        case Not(part=part):
            return Not(settled(part, viewer, scope=scope))
        case Some(scope=inner, part=part):
            return Some(inner, settled(part, viewer, scope=inner))
        case Test(op=Op.EMPTY):
            return condition
        case Test():
            return _settled_test(condition, viewer, field_of(scope, condition.field).kind)


def _settled_test(test: Test, viewer: Viewer, kind: Kind) -> Test:
    match kind:
        case Kind.AGENT:
            return replace(test, values=tuple(_agent(value, viewer, test) for value in test.values))
        case Kind.CAMPAIGN:
            return replace(test, values=tuple(_campaign(value, viewer, test) for value in test.values))
        case Kind.TIME:
            return replace(test, values=_times(test, viewer))
    return test


def _agent(value: Value, viewer: Viewer, test: Test) -> int:
    if value == "me":
        return viewer.me if viewer.me is not None else NOBODY
    try:
        return viewer.agents[str(value)]
    except KeyError:
        raise BadInput(f"{test.path}.{test.op}: there is no agent {value!r}".lstrip(".")) from None


def _campaign(value: Value, viewer: Viewer, test: Test) -> int:
    name = str(value)
    if name in viewer.campaigns:
        return viewer.campaigns[name]
    if name.isascii() and name.isdigit() and int(name) in viewer.campaigns.values():
        return int(name)
    raise BadInput(f"{test.path}.{test.op}: there is no campaign {name!r}".lstrip("."))


def _times(test: Test, viewer: Viewer) -> tuple[Value, ...]:
    if test.op is Op.WITHIN and len(test.values) == 1:
        return span_of(str(test.values[0]), now=viewer.now, zone=viewer.zone)
    return tuple(
        value if isinstance(value, datetime) else moment_of(str(value), now=viewer.now, zone=viewer.zone)
        for value in test.values
    )
