"""Records as they are pulled from a CRM into a campaign's list, and what is remembered of that. Values.

References are written `TARGET/KIND:ID`, as everywhere on our side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

OPTED_OUT = "opted_out"
"""Beside what a CRM says of a record that is over (`won`, `lost`, `merged`, `archived`, `deleted`)."""
DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRules:
    """One pull: records of one source of a CRM, into the list of one campaign."""

    name: str
    target: str
    source: str
    campaign: str
    """Its name."""
    every: timedelta = timedelta(seconds=60)
    page: int = 100
    """Records of one request."""
    region: str = ""
    """Country of numbers that are written without one, where the record does not say it."""
    priority: int = 0
    owners: bool = True
    """Whether the CRM's owner becomes the contact's."""
    callbacks: bool = True
    """Whether the CRM's next follow-up becomes a callback."""
    dry_run: bool = False
    recheck: timedelta | None = None
    """Records that were read longer ago are read again before they are dialed; None: they are not."""
    hold: bool = False
    """While that cannot be done, they are not dialed."""
    check_deleted: timedelta | None = timedelta(hours=24)
    """How often it is looked whether records are still there; None: never."""
    gone_share: float = 0.2
    """More than this share of what is asked for at one time is not taken for deleted; 1: all is."""

    @property
    def standing_name(self) -> str:
        """By which name it is remembered how far it has come: of a dry run by its own, so that the real one begins
        at the beginning."""
        return self.name + ".dry" if self.dry_run else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmDeal:
    """An opportunity, as the CRM says it."""

    ref: str
    name: str
    stage: str = ""
    amount: float | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmRecord:
    """A lead or contact as a CRM has it; text as people wrote it there."""

    ref: str
    name: str
    numbers: tuple[str, ...] = ()
    """As written there, best first."""
    owner: str | None = None
    """An agent's login where the mapping names him, else what the CRM calls its user."""
    zone: str | None = None
    region: str | None = None
    customer: str | None = None
    deal: CrmDeal | None = None
    stage: str | None = None
    do_not_call: bool = False
    consent: bool | None = None
    """None: the CRM does not know."""
    over: str | None = None
    """Why it is not to be dialed any more; None: it may be."""
    next_follow_up_at: datetime | None = None
    next_follow_up_on: date | None = None
    """Its day, where the CRM keeps no time of it."""
    changed_at: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Our custom fields."""
    tags: tuple[str, ...] = ()


class PullStep(StrEnum):
    """What is to be asked of a CRM next."""

    PAGE = "page"
    """Records that changed since the cursor."""
    RECORDS = "records"
    """Records that will be dialed soon, as they are now."""
    DELETED = "deleted"
    """Whether records are still there."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOrder:
    """What is to be done for a pull now."""

    step: PullStep
    cursor: str = ""
    """With PAGE: to be asked with. With DELETED: to be handed back; where the next ones are."""
    limit: int = 100
    refs: tuple[str, ...] = ()
    """With RECORDS and DELETED."""
    wait_seconds: float = 0.0
    """With NOTHING: ask again then."""
    state: str = "ok"
    """How the target stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullAnswer:
    """What a CRM answered to an order."""

    step: PullStep
    records: tuple[CrmRecord, ...] = ()
    gone: tuple[str, ...] = ()
    """References that were asked for and are not there any more."""
    before: str = ""
    """With PAGE: the cursor that it was asked with."""
    cursor: str = ""
    """And the one to go on with; with DELETED that of the order."""
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PullStanding:
    """How far a pull has come."""

    pull: str
    cursor: str = ""
    page_at: datetime | None = None
    """The last page came then."""
    more: bool = False
    """There is more to be read at once."""
    asked_at: datetime | None = None
    """Somebody asked for it out of turn, and it has not been read to the end since."""
    recheck_at: datetime | None = None
    swept_at: datetime | None = None
    """It was looked through for deleted records, or the pull began."""
    sweep_after: str = ""
    """As far as that has come; empty: none is under way."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What became of records since the pull began, by word."""
    error: str = ""
    """Why the last request came to nothing; empty when it did not."""
    error_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProblem:
    """A record of which something, or all, was not taken."""

    ref: str
    name: str
    reason: str
    refused: bool
    """All of it: it stands in no list."""
    contact_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A follow-up that the CRM names and that is not a callback here yet (or no longer)."""

    ref: str
    contact_id: int
    at: datetime | None
    """None: the CRM took it back."""
    day: date | None = None
    """Of one that has only a day there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStanding:
    """What the gate must know of an entry that a pull brought."""

    entry_id: int
    over: str | None
    seen_at: datetime
    """The record was read then."""
