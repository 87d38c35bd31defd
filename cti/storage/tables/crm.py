"""What stands in CRMs for our calls, and how CRMs stand."""

from typing import Final

from sqlalchemy import Column, Double, Integer, String, Table

from cti.storage.column_types import JsonObject, Key, UtcTime
from cti.storage.tables.schema import metadata

# No foreign keys: what stands elsewhere for a call is remembered also when the call itself is gone here.
crm_links: Final = Table(
    "crm_links",
    metadata,
    Column("target", Key, primary_key=True),
    Column("call_id", Key, primary_key=True),
    Column("remote_kind", String, nullable=False),
    Column("remote_id", String),
    Column("version", Integer, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("sending_at", UtcTime),
    Column("pushed_at", UtcTime),
    Column("deleted_at", UtcTime),
    sqlite_with_rowid=False,
)

crm_targets: Final = Table(
    "crm_targets",
    metadata,
    Column("target", Key, primary_key=True),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("since", UtcTime),
    Column("until", UtcTime),
    Column("failures", Integer, nullable=False),
    Column("tokens", Double, nullable=False),
    Column("tokens_at", UtcTime),
    Column("slowed", Double, nullable=False),
    Column("day", String, nullable=False),
    Column("spent", Integer, nullable=False),
    Column("counts", JsonObject, nullable=False),
    sqlite_with_rowid=False,
)
