"""The schema as the code sees it. `migrations/` makes it; a test holds the two together.

Every index is there for a query named beside it. Not here: who may write what when, see the `sql_` files.
"""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
    true,
)

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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
)

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

contacts: Final = Table(
    "contacts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False),
    Column("owner_agent_id", RowId, ForeignKey("agents.id")),
    Column("crm_ref", Key),
    Column("fields", JsonObject, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)
for _column in (contacts.c.owner_agent_id, contacts.c.crm_ref):  # "his contacts"; the CRM's record again
    Index(None, _column, sqlite_where=_column.is_not(None), postgresql_where=_column.is_not(None))

numbers: Final = Table(
    "numbers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("contact_id", RowId, ForeignKey("contacts.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("e164", Key, nullable=False),
    Column("raw", String, nullable=False),
    Column("zone", String),
    UniqueConstraint("contact_id", "position"),
    Index(None, "e164"),  # whose number is this
)

lists: Final = Table(
    "lists",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("source", String, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("campaign_id", "name"),
)

refused_rows: Final = Table(
    "refused_rows",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("list_id", RowId, ForeignKey("lists.id"), nullable=False, index=True),
    Column("line", Integer, nullable=False),
    Column("reason", String, nullable=False),
)

list_entries: Final = Table(
    "list_entries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("list_id", RowId, ForeignKey("lists.id"), nullable=False),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("contact_id", RowId, ForeignKey("contacts.id"), nullable=False),
    Column("number_position", Integer, nullable=False, server_default=text("0")),
    Column("state", String, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("call_id", Key),
    Index(None, "campaign_id", "state", "id"),  # what is next, and how far it has come
)

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

recordings: Final = Table(
    "recordings",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("path", String),
    Column("seconds", Double),
    Column("size_bytes", RowId),
    Column("problem", String),
    Column("checked_at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)

work: Final = Table(
    "work",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("key", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload", JsonObject, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("standing", String, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease", String),
    Column("error", String),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
)
not_done: Final = text("standing <> 'done'")
waiting: Final = text("standing = 'waiting'")
over: Final = text("standing <> 'waiting'")
for _name, _columns, _unique, _where in (
    ("uq_work_kind_key", (work.c.kind, work.c.key), True, not_done),  # what new work joins
    (
        "ix_work_due",
        (work.c.priority.desc(), work.c.next_at, work.c.id, work.c.kind),
        False,
        waiting,
    ),  # what is next
    ("ix_work_over", (work.c.standing, work.c.kind, work.c.changed_at), False, over),  # dead letters, counts
):
    Index(_name, *_columns, unique=_unique, sqlite_where=_where, postgresql_where=_where)

nodes: Final = Table(
    "nodes",
    metadata,
    Column("name", String, primary_key=True),
    Column("started", String, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
)
