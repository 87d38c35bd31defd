"""Who must not be called, and who consented: lists, imported registers, and their histories."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from cti.storage.column_types import Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

do_not_call: Final = Table(
    "do_not_call",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Key, nullable=False),
    Column("campaign_key", RowId, nullable=False, server_default=text("0")),
    Column("reason", String, nullable=False),
    Column("until", UtcTime),
    Column("added_by", String, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    UniqueConstraint("key", "campaign_key"),  # is this number, or one of its beginnings, listed
)
"""`key`: a whole number, or the beginning of numbers with a star. `campaign_key`: 0 means every campaign."""

do_not_call_changes: Final = Table(
    "do_not_call_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Key, nullable=False),
    Column("campaign_key", RowId, nullable=False),
    Column("change", Key, nullable=False),
    Column("reason", String, nullable=False),
    Column("until", UtcTime),
    Column("changed_by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "key", "id"),  # what became of a number
)

registers: Final = Table(
    "registers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Key, nullable=False),
    Column("source", String, nullable=False),
    Column("as_of", String, nullable=False),
    Column("numbers", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("state", Key, nullable=False),
    Column("imported_by", String, nullable=False),
    Column("imported_at", UtcTime, nullable=False),
)
current_only: Final = text("state = 'current'")
Index(
    "uq_registers_name",
    registers.c.name,
    unique=True,
    sqlite_where=current_only,
    postgresql_where=current_only,
)  # one of a name counts: the others are being filled or emptied

register_numbers: Final = Table(
    "register_numbers",
    metadata,
    # the register first: a file in order is appended, and a register is emptied from one end
    Column("register_id", RowId, ForeignKey("registers.id"), primary_key=True, autoincrement=False),
    Column("key", Key, primary_key=True),
    sqlite_with_rowid=False,
)

consents: Final = Table(
    "consents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("contact_id", RowId, ForeignKey("contacts.id"), nullable=False),
    Column("standing", Key, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("source", String, nullable=False),
    Column("evidence", String, nullable=False),
    Column("recorded_by", String, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Index(None, "contact_id", "at"),  # what a person said, the newest last
)
