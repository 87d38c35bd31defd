"""A contact as text of one line, and back: how he lies in a staged file. Pure."""

import json
from datetime import datetime
from typing import Any, Final

from cti.model.contacts import NewContact, NewNumber

_MORE: Final = (
    *("crm_ref", "crm_customer", "crm_contact", "crm_deal", "zone", "score"),
    *("stage", "consent", "consent_source", "priority"),
)
_encode: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def encoded(contact: NewContact) -> str:
    """Return the contact as JSON: a list, what is empty left out."""
    numbers = [(number.e164, number.raw, number.zone, number.kind) for number in contact.numbers]
    more = {name: value for name in _MORE if (value := getattr(contact, name)) is not None}
    if contact.consent_at is not None:
        more["consent_at"] = contact.consent_at.isoformat()
    return _encode((contact.name, numbers, contact.fields, more))


def decoded(record: list[Any]) -> NewContact:
    """Return the contact of a list that came from JSON."""
    name, numbers, fields, more = record
    if "consent_at" in more:
        more["consent_at"] = datetime.fromisoformat(more["consent_at"])
    return NewContact(
        name=name,
        numbers=tuple(
            NewNumber(e164=e164, raw=raw, zone=zone, kind=kind) for e164, raw, zone, kind in numbers
        ),
        fields=fields,
        **more,
    )
