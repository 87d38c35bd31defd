"""What must be known of a contact and his number before he may be dialed. Read by storage, judged by `checks`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentStanding(StrEnum):
    """What a person said to being called. Stored."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry of a do-not-call list or register that a number falls under."""

    key: str
    """The number itself, or the beginning of numbers with a star behind it: `+4930*`."""
    where: str
    """For people: `do-not-call list`, `do-not-call list of this campaign`, `register tps of 2026-11-01`."""
    is_register: bool = False
    reason: str = ""
    until: datetime | None = None
    """None: for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the checks look at beside the candidate, as the database has it at one moment.

    Attempts whose order never left count nowhere.
    """

    zone: str = ""
    """The contact's own zone, when his record names one."""
    consent: str | None = None
    """A `ConsentStanding`; None: never asked."""
    stopped_at: datetime | None = None
    listed: tuple[Listed, ...] = ()
    number_attempts: tuple[datetime, ...] = ()
    """When this number was tried, newest first, by any campaign; as far back as the law looks."""
    last_drop_at: datetime | None = None
    """When a call to this number was dropped last, as far back as the law looks."""
    contact_attempts: tuple[datetime, ...] = ()
    """When this contact was tried, newest first, by any campaign; two days back."""
    attempts_total: int = 0
    """How often this campaign tried this contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which facts are asked for: what no rule looks at is not read."""

    campaign_id: int
    now: datetime
    numbers_since: datetime | None = None
    """Attempts at the number since then; None: none."""
    contacts_since: datetime | None = None
    """Attempts at the contact since then; None: none."""
    totals: bool = False
    """Whether to count the campaign's attempts at the contact."""


NOTHING_KNOWN = Facts()
