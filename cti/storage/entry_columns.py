"""What columns of a list entry follow from its contact."""

from typing import Final

from sqlalchemy import func, select

from cti.storage import tables

_entries, _contacts, _numbers = tables.list_entries.c, tables.contacts.c, tables.numbers.c

OWNER_KEY: Final = func.coalesce(
    select(_contacts.owner_agent_id).where(_contacts.id == _entries.contact_id).scalar_subquery(), 0
)
ZONE: Final = func.coalesce(
    select(_contacts.zone).where(_contacts.id == _entries.contact_id).scalar_subquery(),
    select(_numbers.zone)
    .where(_numbers.contact_id == _entries.contact_id, _numbers.position == _entries.number_position)
    .scalar_subquery(),
    "",
)
"""The contact's own zone goes before that of the number he is called at."""
