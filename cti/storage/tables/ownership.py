"""Who owned whom when, and whose turn it is."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table, text

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.contacts import contacts
from cti.storage.tables.schema import metadata

owner_moves: Final = Table(
    "owner_moves",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("contact_id", RowId, ForeignKey("contacts.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("before_agent_id", RowId, ForeignKey("agents.id")),
    Column("after_agent_id", RowId, ForeignKey("agents.id")),
    Column("kind", Key, nullable=False),
    Column("reason", String, nullable=False),
    Column("by", String, nullable=False),
    Index(None, "contact_id", "id"),  # a contact's history; who gave him back
)

rotas: Final = Table(
    "rotas",
    metadata,
    Column("name", Key, primary_key=True),
    Column("turns", JsonObject, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
)

given_back: Final = text("owner_agent_id IS NULL AND returned_at IS NOT NULL")
Index(
    "ix_contacts_given_back",  # what somebody gave back, the longest ago first
    contacts.c.returned_at,
    contacts.c.id,
    sqlite_where=given_back,
    postgresql_where=given_back,
)
