"""Why contacts were dialed or not, and callbacks."""

from typing import Final

from sqlalchemy import Column, Index, String, Table

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
