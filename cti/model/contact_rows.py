"""Contacts as they are found: rows with names, where they stand in lists, and what people changed of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.model.call_record import moment
from cti.model.conditions import EVERYTHING, Condition


class Sort(StrEnum):
    """In which order contacts come; a minus sign: the other way round. Who has no such value comes last."""

    OLDEST = "id"
    NEWEST = "-id"
    NAME = "name"
    NAME_DOWN = "-name"
    CREATED = "created"
    CREATED_DOWN = "-created"
    SCORE = "score"
    SCORE_DOWN = "-score"
    LAST_TALK = "last_talk"
    LAST_TALK_DOWN = "-last_talk"
    NEXT_FOLLOW_UP = "next_follow_up"
    NEXT_FOLLOW_UP_DOWN = "-next_follow_up"


SORTED_BY: Final[Mapping[str, str]] = {
    "name": "name",
    "created": "created_at",
    "score": "score",
    "last_talk": "last_talk_at",
    "next_follow_up": "next_follow_up_at",
}
"""The field of `ContactRow` that an order looks at, by the order's word without its sign; `id` looks at none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The last row of a page: the next page comes after it."""

    id: int
    value: str | float | datetime | None = None
    """What the order looks at; None: the row has no such value."""

    @classmethod
    def of(cls, row: "ContactRow", sort: Sort) -> "After":
        """Return where the page after this row begins."""
        word = sort.removeprefix("-")
        return cls(id=row.id, value=getattr(row, SORTED_BY[word]) if word in SORTED_BY else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactQuery:
    """Which contacts, in which order."""

    condition: Condition = EVERYTHING
    """Settled."""
    sort: Sort = Sort.NEWEST
    limit: int = 100
    after: After | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """One number of a contact."""

    id: int
    position: int
    """Order of preference, from 0."""
    e164: str
    raw: str
    zone: str | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """A contact as people see him."""

    id: int
    name: str
    created_at: datetime
    owner_agent_id: int | None = None
    owner: str | None = None
    """The owner's login."""
    numbers: tuple[NumberRow, ...] = ()
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    stage: str | None = None
    zone: str | None = None
    """His own; his numbers have theirs."""
    score: float | None = None
    crm_ref: str | None = None
    crm_customer: str | None = None
    crm_contact: str | None = None
    crm_deal: str | None = None
    deal: Mapping[str, Any] | None = None
    """Name, stage, amount and currency of it, as the CRM says; None: it was never told."""
    consent: str | None = None
    consent_at: datetime | None = None
    consent_source: str | None = None
    changed_at: datetime | None = None
    import_id: int | None = None
    next_follow_up_at: datetime | None = None
    owner_since: datetime | None = None
    last_talk_at: datetime | None = None
    failures: int = 0
    returned_at: datetime | None = None
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One place of a contact in a list."""

    id: int
    list_id: int
    list: str
    """The list's name."""
    campaign_id: int
    campaign: str
    """The campaign's name."""
    state: str
    tries: int
    priority: int
    due_at: datetime | None = None
    reason: str | None = None
    reason_detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """What somebody changed of a contact, at one time."""

    id: int
    contact_id: int
    at: datetime
    by: str
    """Name of the token, or the agent's login."""
    kind: str
    """`edit`, or the kind of the action on many."""
    bulk_id: int | None
    change: Mapping[str, Any]
    """JSON values: what was before and after; see `cti.contacts.changes`."""


def contact_record(contact: ContactRow) -> dict[str, Any]:
    """Return a contact as everybody outside sees him."""
    times = (
        "created_at",
        "changed_at",
        "consent_at",
        "next_follow_up_at",
        "owner_since",
        "last_talk_at",
        "returned_at",
        "stopped_at",
    )
    return {
        "id": contact.id,
        "name": contact.name,
        "numbers": [
            {"e164": number.e164, "raw": number.raw, "zone": number.zone, "kind": number.kind}
            for number in contact.numbers
        ],
        "owner": contact.owner,
        "stage": contact.stage,
        "tags": list(contact.tags),
        "zone": contact.zone,
        "score": contact.score,
        "crm_ref": contact.crm_ref,
        "crm_customer": contact.crm_customer,
        "crm_contact": contact.crm_contact,
        "crm_deal": contact.crm_deal,
        "deal": dict(contact.deal) if contact.deal else None,
        "consent": contact.consent,
        "consent_source": contact.consent_source,
        "failures": contact.failures,
        "import_id": contact.import_id,
        "fields": dict(contact.fields),
        **{name: moment(getattr(contact, name)) for name in times},
    }
