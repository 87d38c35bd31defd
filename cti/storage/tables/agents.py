"""Agents and their history."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
    true,
)

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

agents: Final = Table(
    "agents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("login", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("endpoint", String, nullable=False),
    Column("node", String, nullable=False),
    Column("state", String, nullable=False),
    Column("since", UtcTime),
    Column("reason", String),
    Column("channel_id", String),
    Column("channel", String),
    Column("call_id", Key),
    Column("pause_next", String),
    Column("phone_reachable", Boolean, nullable=False, server_default=true()),
    Column("skills", JsonObject, nullable=False, server_default=text("'[]'")),
    Column("weight", Double, nullable=False, server_default=text("1")),
    Column("max_owned", Integer),
    Column("left_at", UtcTime),
    UniqueConstraint("node", "endpoint"),
)

agent_campaigns: Final = Table(
    "agent_campaigns",
    metadata,
    Column("agent_id", RowId, ForeignKey("agents.id"), primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), primary_key=True),
    sqlite_with_rowid=False,
)

agent_changes: Final = Table(
    "agent_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("agent_id", RowId, ForeignKey("agents.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("reason", String),
    Column("call_id", Key),
    Index(None, "agent_id", "at"),  # an agent's last change before a moment
    Index(None, "at"),  # all changes of a span
)
