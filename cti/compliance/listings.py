"""Do-not-call entries and registers, as values; and the keys under which a number may be listed. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cti.errors import BadInput

STAR: Final = "*"
EVERY_CAMPAIGN: Final = 0

After = tuple[str, int]
"""Where a page of entries ends: key and campaign of its last one."""
START: Final[After] = ("", 0)

_KEY: Final = re.compile(r"\+[1-9]\d{6,14}|\+[1-9]\d{0,13}\*")


def key_of(text: str) -> str:
    """Return the key of an entry: an E.164 number, or the beginning of numbers and a star. Raises BadInput."""
    key = re.sub(r"[\s().-]", "", text)
    if not _KEY.fullmatch(key):
        raise BadInput(f"{text[:40]!r}: neither a number like +4930901820 nor a beginning like +4930*")
    return key


def keys_of(number: str) -> Iterator[str]:
    """Give every key under which an E.164 number may stand: itself, then its beginnings."""
    yield number
    for length in range(2, len(number) + 1):
        yield number[:length] + STAR


class ListingChange(StrEnum):
    """What was done to an entry. Stored."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewListing:
    """An entry about to be stored."""

    key: str
    """As `key_of` returns it."""
    campaign_id: int = EVERY_CAMPAIGN
    reason: str = ""
    until: datetime | None = None
    """None: for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An entry of the own list."""

    id: int
    key: str
    campaign_id: int
    """0: of every campaign."""
    reason: str
    until: datetime | None
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingStep:
    """One line of an entry's history."""

    key: str
    campaign_id: int
    change: ListingChange
    reason: str
    until: datetime | None
    by: str
    at: datetime


class RegisterState(StrEnum):
    """Whether a register counts. Stored."""

    LOADING = "loading"
    CURRENT = "current"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A register that was imported as a file."""

    id: int
    name: str
    source: str
    """The file's name, told only."""
    as_of: str
    """The date that the file is of, `2026-11-01`."""
    numbers: int
    refused: int
    """Lines that were not taken."""
    imported_by: str
    imported_at: datetime
