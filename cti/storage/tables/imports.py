"""Imports, what each refused and changed, and the keys of leads."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, text

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

imports: Final = Table(
    "imports",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("source", String, nullable=False),
    Column("asked", JsonObject, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("by", String, nullable=False),
    Column("file", String, nullable=False),
    Column("size_bytes", RowId, nullable=False),
    Column("state", Key, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("list_id", RowId),
    Column("read", JsonObject),
    Column("position", RowId, nullable=False, server_default=text("0")),
    Column("rows_done", Integer, nullable=False, server_default=text("0")),
    Column("counts", JsonObject, nullable=False, server_default=text("'{}'")),
    Column("samples", JsonObject, nullable=False, server_default=text("'[]'")),
    Column("marks", JsonObject, nullable=False, server_default=text("'{}'")),
    Column("error", String),
    Column("undone_at", UtcTime),
    Column("undone_by", String),
    Column("undo", JsonObject),
    Index(None, "campaign_id", "id"),  # a campaign's imports, newest first
)

import_refusals: Final = Table(
    "import_refusals",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("import_id", RowId, ForeignKey("imports.id"), nullable=False),
    Column("line", Integer, nullable=False),
    Column("code", Key, nullable=False),
    Column("reason", String, nullable=False),
    Index(None, "import_id", "id"),  # its refused rows, page by page
)

import_changes: Final = Table(
    "import_changes",
    metadata,
    Column("import_id", RowId, ForeignKey("imports.id"), primary_key=True),
    Column("contact_id", RowId, primary_key=True),
    Column("before", JsonObject, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)

lead_keys: Final = Table(
    "lead_keys",
    metadata,
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), primary_key=True),
    Column("key", Key, primary_key=True),
    Column("contact_id", RowId, nullable=False),
    Column("entry_id", RowId, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)
