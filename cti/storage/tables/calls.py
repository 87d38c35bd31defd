"""Calls, attempts, legs."""

from typing import Final

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, text

from cti.storage.column_types import Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

calls: Final = Table(
    "calls",
    metadata,
    Column("id", Key, primary_key=True),
    Column("node", String, nullable=False),
    Column("number", String, nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("trunk", String, nullable=False),
    Column("campaign_id", RowId, ForeignKey("campaigns.id")),
    Column("list_id", RowId, ForeignKey("lists.id")),
    Column("contact_id", RowId, ForeignKey("contacts.id")),
    Column("number_id", RowId, ForeignKey("numbers.id")),
    Column("agent_id", RowId, ForeignKey("agents.id")),
    Column("owner_agent_id", RowId, ForeignKey("agents.id")),
    Column("crm_ref", String),
    Column("try_number", Integer, nullable=False),
    Column("ring_seconds", Double, nullable=False),
    Column("grace_seconds", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("channel", String),
    Column("dialing_at", UtcTime),
    Column("ringing_at", UtcTime),
    Column("answered_at", UtcTime),
    Column("waiting_at", UtcTime),
    Column("connected_at", UtcTime),
    Column("dropped_at", UtcTime),
    Column("message_played_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("outcome", String),
    Column("end_reason", String),
    Column("ended_by", String),
    Column("cause", Integer),
    Column("cause_text", String),
    Column("sip_code", Integer),
    Column("recording", String),
    Column("mode", String),
    Column("caller_id", String),
    Column("next_trunk", String),
    Column("answer_chance", Double),
    Column("why", String),
    Column("machines", String),
    Column("grace_start", String),
    Column("answered_by", String),
    Column("detected_at", UtcTime),
    Column("detection", String),
    Column("voicemail_at", UtcTime),
    Column("is_open", Boolean, nullable=False),
    Column("reversed_number", Key, nullable=False),
    Column("disposition", String),
    Column("note", String),
    Column("disposed_by", RowId, ForeignKey("agents.id")),
    Column("disposed_at", UtcTime),
    Index(None, "placed_at"),  # a span of time
    Index(None, "campaign_id", "id"),  # a campaign's calls, newest first
    Index(None, "agent_id", "id"),  # an agent's calls, newest first
    Index(None, "contact_id", "id"),  # a contact's calls, newest first
    Index(None, "number_id"),  # a number that goes: does a call refer to it
    Index(None, "reversed_number", "id"),  # a number, or its last digits
)
open_only: Final = text("is_open")
"""Spelled out, as all conditions of partial indexes: SQLite uses one only for a query that repeats its very words."""
Index("ix_calls_open", calls.c.id, sqlite_where=open_only, postgresql_where=open_only)

# What an attempt repeats of its call is checked there: no foreign keys twice.
attempts: Final = Table(
    "attempts",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("entry_id", RowId, ForeignKey("list_entries.id")),
    Column("campaign_id", RowId),
    Column("list_id", RowId),
    Column("contact_id", RowId),
    Column("number_id", RowId),
    Column("try_number", Integer, nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", String),
    Column("end_reason", String),
    Column("e164", Key),
    Index(None, "e164", "placed_at"),  # how often and when a number was tried, whoever's it is
    Index(None, "campaign_id", "outcome", "ended_at"),  # a campaign's outcomes, counted from the index alone
    Index(None, "contact_id", "placed_at"),  # how often and when a contact was tried
    Index(None, "entry_id"),  # the tries of one entry
    sqlite_with_rowid=False,
)

legs: Final = Table(
    "legs",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("agent_id", RowId, ForeignKey("agents.id")),
    Column("channel_id", String, nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    sqlite_with_rowid=False,
)
