"""Screen pop: what a rep is shown of the person he is about to talk to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

STALE_AFTER: Final = timedelta(seconds=10)
"""A pop that is later than this shows somebody the rep is no longer talking to, or has found himself."""
MOST_MATCHES: Final = 10
"""Contacts that are offered for one number; of more it is only said that there are more."""


class PopMoment(StrEnum):
    """When a pop is told."""

    RING = "ring"
    CONNECT = "connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard:
    """A contact in short, with the CRM's references of his row."""

    contact_id: int
    name: str
    owner_agent_id: int | None = None
    stage: str | None = None
    crm_ref: str | None = None
    crm_customer: str | None = None
    crm_contact: str | None = None
    crm_deal: str | None = None
    deal: Mapping[str, Any] | None = None
    """What the CRM says of it: `ref`, `name`, `stage`, `amount`, `currency`."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of his row."""


def card_record(card: ContactCard) -> dict[str, Any]:
    """Return a card as everybody outside sees it."""
    return {
        "contact_id": card.contact_id,
        "name": card.name,
        "owner_agent_id": card.owner_agent_id,
        "stage": card.stage,
        "crm_ref": card.crm_ref,
        "crm_customer": card.crm_customer,
        "crm_contact": card.crm_contact,
        "crm_deal": card.crm_deal,
        "deal": dict(card.deal) if card.deal else None,
        "fields": dict(card.fields),
    }
