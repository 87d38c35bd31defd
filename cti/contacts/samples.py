"""How a contact of a dry run is shown. Pure."""

from typing import Final

from cti.model.imports import StagedRow

MOST_SAMPLES: Final = 10


def sample_of(row: StagedRow) -> dict[str, object]:
    """Return what a row was understood as, in JSON values; what is empty is left out."""
    contact = row.contact
    told: dict[str, object] = {
        "line": row.line,
        "name": contact.name,
        "numbers": [
            {"e164": number.e164, "raw": number.raw, "kind": number.kind, "zone": number.zone}
            for number in contact.numbers
        ],
        "fields": dict(contact.fields),
        "consent_at": contact.consent_at.isoformat() if contact.consent_at else None,
    }
    for name in _TOLD:
        told[name] = getattr(contact, name)
    return {name: value for name, value in told.items() if value not in (None, {}, "")}


_TOLD: Final = (
    *("crm_ref", "crm_customer", "crm_contact", "crm_deal", "zone", "score"),
    *("stage", "consent", "consent_source", "priority"),
)
