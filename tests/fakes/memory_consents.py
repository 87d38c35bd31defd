"""`ConsentStore` in memory."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from cti.compliance.consents import Consent, NewConsent, brought_in
from cti.errors import NotFound
from tests.fakes.memory_tables import MemoryTables

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class MemoryConsents:
    """The history in a list; the present standing is worked out from it."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def record(self, said: Sequence[NewConsent], *, by: str, at: datetime) -> list[Consent]:
        for one in said:
            if one.contact_id not in self._tables.contacts:
                raise NotFound(f"there is no contact {one.contact_id}")
        made = [
            Consent(**asdict(one), id=self._tables.new_id(), recorded_by=by, recorded_at=at) for one in said
        ]
        self._tables.consents.extend(made)
        return made

    async def history(self, contact_id: int) -> list[Consent]:
        return lines_of(self._tables, contact_id)

    async def contacts_of(self, number: str) -> list[int]:
        return sorted(
            contact_id
            for contact_id, contact in self._tables.contacts.items()
            if any(one.e164 == number for one in contact.numbers)
        )


def lines_of(tables: MemoryTables, contact_id: int) -> list[Consent]:
    """Return what a contact said, oldest first."""
    lines = [one for one in tables.consents if one.contact_id == contact_id]
    contact = tables.contacts.get(contact_id)
    imported = contact and brought_in(
        lines,
        contact_id=contact_id,
        standing=contact.consent,
        at=contact.consent_at,
        source=contact.consent_source,
        since=tables.created_at.get(contact_id, EARLIEST),
    )
    lines += [imported] if imported else []
    return sorted(lines, key=lambda one: (one.at, one.id))


def standing_of(tables: MemoryTables, contact_id: int) -> str | None:
    """Return what holds now."""
    lines = lines_of(tables, contact_id)
    return lines[-1].standing.value if lines else None
