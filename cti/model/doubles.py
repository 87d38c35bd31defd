"""What becomes of a contact that comes in and is known already."""

from dataclasses import dataclass
from enum import StrEnum


class DoubleRule(StrEnum):
    """What becomes of a row whose contact is known already."""

    SKIP = "skip"
    """The row is not taken."""
    MERGE = "merge"
    """The row fills what is empty and adds its numbers; the contact joins the new list."""
    REPLACE = "replace"
    """What the row says goes before what was known, its numbers take the place of the old ones; he joins the list."""


class DoubleScope(StrEnum):
    """Where a known contact is looked for. The file itself always counts."""

    FILE = "file"
    CAMPAIGN = "campaign"
    EVERYWHERE = "everywhere"


class DoubleKey(StrEnum):
    """By what a contact is known."""

    NUMBER = "number"
    """Any of the row's numbers."""
    CRM_REF = "crm_ref"
    """The CRM's reference; a row without one is known by its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubles:
    """How a row is dealt with whose contact is known already."""

    rule: DoubleRule = DoubleRule.SKIP
    scope: DoubleScope = DoubleScope.CAMPAIGN
    key: DoubleKey = DoubleKey.NUMBER
