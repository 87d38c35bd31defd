"""Why contacts were dialed or not, and callbacks."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table, text

from cti.storage.column_types import Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

# No foreign keys: what is told of a contact or a list outlives it, and goes when it is old.
entry_reasons: Final = Table(
    "entry_reasons",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", Key, nullable=False),
    Column("reason", Key, nullable=False),
    Column("detail", String, nullable=False),
    Column("entry_id", RowId, nullable=False),
    Column("contact_id", RowId, nullable=False),
    Column("campaign_id", RowId, nullable=False),
    Column("number", Key, nullable=False),
    Column("call_id", Key),
    Index(None, "contact_id", "id"),  # a contact's reasons, newest first
    Index(None, "number", "id"),  # a number's, whoever has it
)

callbacks: Final = Table(
    "callbacks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("contact_id", RowId, ForeignKey("contacts.id"), nullable=False),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("entry_id", RowId, nullable=False),
    Column("agent_id", RowId, ForeignKey("agents.id")),
    Column("due_at", UtcTime, nullable=False),
    Column("zone", Key, nullable=False),
    Column("note", String, nullable=False),
    Column("state", Key, nullable=False),
    Column("call_id", Key),
    Column("reminded_at", UtcTime),
    Column("released_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Index(None, "contact_id", "id"),  # a contact's callbacks
)
still_open: Final = text("state IN ('planned', 'due')")
for _name, _columns in (
    ("ix_callbacks_due", (callbacks.c.due_at, callbacks.c.id)),  # what becomes due, and the calendar
    ("ix_callbacks_agent", (callbacks.c.agent_id, callbacks.c.due_at)),  # an agent's own, and what clashes
):
    Index(_name, *_columns, sqlite_where=still_open, postgresql_where=still_open)
# one at a time for each entry; and what an attempt means for it
Index(
    "uq_callbacks_entry_id",
    callbacks.c.entry_id,
    unique=True,
    sqlite_where=still_open,
    postgresql_where=still_open,
)

callback_moves: Final = Table(
    "callback_moves",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("callback_id", RowId, ForeignKey("callbacks.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", Key, nullable=False),
    Column("by", String, nullable=False),
    Column("detail", String, nullable=False),
)
