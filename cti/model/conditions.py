"""Combined conditions over contacts and over calls, as values. Read from outside by `cti.contacts.conditions`.

A condition is true or false of a row, never "unknown": a test of a fact that is not there is false, whatever it
asks, except `empty`. So `not` means the opposite, everywhere.
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a condition is about."""

    CONTACT = "contact"
    ENTRY = "entry"
    """One place of a contact in a list."""
    CALL = "call"


class Op(StrEnum):
    """What is asked of a field. The words of the language."""

    IS = "is"
    IS_NOT = "is_not"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    BEFORE = "before"
    AFTER = "after"
    WITHIN = "within"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EMPTY = "empty"
    HAS_TAG = "has_tag"


Value = str | int | float | bool | datetime
"""What a test compares with. Before `settled` a time is still its words, and agents and campaigns are names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One question to one field. Of a field with several values (numbers, tags) it asks whether any does."""

    __test__ = False  # pytest takes the name for a test case

    field: str
    op: Op
    values: tuple[Value, ...]
    """One for most; several for `one_of`; from (inclusive) and until (exclusive) for `within`."""
    key: str = ""
    """Which custom field, when `field` is `field`."""
    path: str = dataclasses.field(default="", compare=False)
    """Where it stood, for errors: `all.1`."""


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true; none: always true."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true; none: never true."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Some:
    """There is one entry, call or contact that belongs to the row and of which the whole part is true."""

    scope: Scope
    part: "Condition"


Condition = Test | All | AnyOf | Not | Some

EVERYTHING: Condition = All()
