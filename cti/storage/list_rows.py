"""Writes a list's contacts, numbers and entries into an open transaction, in bites that leave the event loop free."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.contacts import EntryState, NewContact, RowRefused
from cti.storage import tables

ROWS_AT_ONCE: Final = 500
"""A bite of this size keeps the loop for some 10 ms."""

_ADD_CONTACTS: Final = insert(tables.contacts)
_ADD_NUMBERS: Final = insert(tables.numbers)
_ADD_ENTRIES: Final = insert(tables.list_entries)
_ADD_REFUSALS: Final = insert(tables.refused_rows)


async def add_contacts(
    connection: AsyncConnection,
    numbered: Sequence[tuple[int, NewContact]],
    *,
    list_id: int,
    campaign_id: int,
    at: datetime,
) -> None:
    """Store the contacts under these ids and put them into the list, in their order."""
    entry = {"list_id": list_id, "campaign_id": campaign_id, "state": EntryState.PENDING.value}
    for start in range(0, len(numbered), ROWS_AT_ONCE):
        bite = numbered[start : start + ROWS_AT_ONCE]
        await connection.execute(_ADD_CONTACTS, [_contact_values(*one, at=at) for one in bite])
        await connection.execute(_ADD_NUMBERS, [row for one in bite for row in _number_values(*one)])
        await connection.execute(
            _ADD_ENTRIES, [{**entry, "contact_id": contact_id} for contact_id, _ in bite]
        )


async def add_refusals(connection: AsyncConnection, refused: Sequence[RowRefused], *, list_id: int) -> None:
    """Store which rows of the file were not taken."""
    for start in range(0, len(refused), ROWS_AT_ONCE):
        bite = refused[start : start + ROWS_AT_ONCE]
        rows = [{"list_id": list_id, "line": row.line, "reason": row.reason} for row in bite]
        await connection.execute(_ADD_REFUSALS, rows)


def _contact_values(contact_id: int, contact: NewContact, *, at: datetime) -> dict[str, Any]:
    return {
        "id": contact_id,
        "name": contact.name,
        "crm_ref": contact.crm_ref,
        "fields": dict(contact.fields),
        "created_at": at,
    }


def _number_values(contact_id: int, contact: NewContact) -> list[dict[str, Any]]:
    return [
        {
            "contact_id": contact_id,
            "position": position,
            "e164": number.e164,
            "raw": number.raw,
            "zone": number.zone,
        }
        for position, number in enumerate(contact.numbers)
    ]
