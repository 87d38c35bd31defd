"""Numbers to show, in pools. How they are used is counted from `calls`."""

from typing import Final

from sqlalchemy import Boolean, Column, Double, ForeignKey, Integer, String, Table

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

caller_pools: Final = Table(
    "caller_pools",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("per_hour", Integer),
    Column("per_day", Integer),
    Column("failures", Integer),
    Column("rest_seconds", Double, nullable=False),
    Column("health_calls", Integer, nullable=False),
)

caller_ids: Final = Table(
    "caller_ids",
    metadata,
    Column("number", Key, primary_key=True),
    Column("pool_id", RowId, ForeignKey("caller_pools.id"), nullable=False),
    Column("areas", JsonObject, nullable=False),
    Column("weight", Double, nullable=False),
    Column("per_hour", Integer),
    Column("per_day", Integer),
    Column("retired", Boolean, nullable=False),
    Column("rests_until", UtcTime),
    Column("rest_reason", String),
    sqlite_with_rowid=False,
)
