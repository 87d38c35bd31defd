"""Campaigns."""

from typing import Final

from sqlalchemy import Boolean, Column, Double, Integer, String, Table, text

from cti.storage.column_types import JsonObject, RowId
from cti.storage.tables.schema import metadata

campaigns: Final = Table(
    "campaigns",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("node", String, nullable=False),
    Column("trunk", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("state", String, nullable=False),
    Column("ring_seconds", Double, nullable=False),
    Column("grace_seconds", Double, nullable=False),
    Column("message", String, nullable=False),
    Column("caller_id", String, nullable=False),
    Column("record", Boolean, nullable=False),
    Column("wrap_up_seconds", Double),
    Column("max_lines", Integer, nullable=False),
    Column("rules", JsonObject, nullable=False, server_default=text("'{}'")),
)
