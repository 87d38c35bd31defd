"""Webhooks, what became of each event for each of them, and links that were used."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

webhooks: Final = Table(
    "webhooks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("url", String, nullable=False),
    Column("events", JsonObject, nullable=False),
    Column("campaign_ids", JsonObject, nullable=False),
    Column("secret", String, nullable=False),
    Column("old_secret", String),
    Column("old_secret_until", UtcTime),
    Column("state", String, nullable=False),
    Column("state_reason", String, nullable=False),
    Column("state_at", UtcTime, nullable=False),
    Column("failing_since", UtcTime),
    Column("failures", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String, nullable=False),
)

webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("webhook_id", RowId, ForeignKey("webhooks.id"), nullable=False),
    Column("event_id", Key, nullable=False),
    Column("type", Key, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("body", String, nullable=False),
    Column("state", Key, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("status", Integer),
    Column("error", String),
    Column("milliseconds", Integer),
    Column("tried_at", UtcTime),
    UniqueConstraint("webhook_id", "event_id"),
    Index(None, "webhook_id", "at"),  # a webhook's deliveries, newest first, and a span of them
    Index(None, "at"),  # which are old
)

used_links: Final = Table(
    "used_links",
    metadata,
    Column("nonce", Key, primary_key=True),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
    Index(None, "expires_at"),  # which could not be used any more anyway
    sqlite_with_rowid=False,
)
