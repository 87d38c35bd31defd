"""Contacts, their numbers, the lists they stand in."""

from typing import Final

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

contacts: Final = Table(
    "contacts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False),
    Column("owner_agent_id", RowId, ForeignKey("agents.id")),
    Column("crm_ref", Key),
    Column("fields", JsonObject, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime),
    Column("import_id", RowId),
    Column("crm_customer", Key),
    Column("crm_contact", Key),
    Column("crm_deal", Key),
    Column("zone", Key),
    Column("score", Double),
    Column("stage", Key),
    Column("consent", Key),
    Column("consent_at", UtcTime),
    Column("consent_source", String),
    Column("next_follow_up_at", UtcTime),
    Column("owner_since", UtcTime),
    Column("last_talk_at", UtcTime),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("returned_at", UtcTime),
    Column("returned_by", RowId),
    Column("stopped_at", UtcTime),
    Column("deal", JsonObject),
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
    Column("kind", Key, nullable=False, server_default=text("''")),
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
    Column("region", String, nullable=False, server_default=text("''")),
    Column("import_id", RowId),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("query", JsonObject),
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
    Column("owner_key", RowId, nullable=False, server_default=text("0")),
    Column("zone", Key, nullable=False, server_default=text("''")),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("rank", Double, nullable=False, server_default=text("0")),
    Column("due_at", UtcTime),
    Column("reason", Key),
    Column("reason_detail", String),
    Column("reason_at", UtcTime),
    Column("last_outcome", Key),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("raised", Integer, nullable=False, server_default=text("0")),
    Column("fresh_since", UtcTime),
    Index(None, "contact_id"),  # where a contact stands, when his owner changes
    Index(None, "campaign_id", "state", "id"),  # what is next, and how far it has come
)

pending: Final = text("state = 'pending'")
later: Final = text("state = 'waiting'")
parked: Final = text("state IN ('waiting', 'done')")
for _name, _columns, _where in (
    (
        "ix_list_entries_next",
        (
            list_entries.c.campaign_id,
            list_entries.c.owner_key,
            list_entries.c.zone,
            list_entries.c.priority.desc(),
            list_entries.c.rank,
            list_entries.c.id,
        ),
        pending,
    ),  # who is next of one owner (0: nobody's) in one zone
    ("ix_list_entries_due", (list_entries.c.due_at, list_entries.c.id), later),  # who becomes pending
    (
        "ix_list_entries_reasons",
        (list_entries.c.campaign_id, list_entries.c.state, list_entries.c.reason, list_entries.c.due_at),
        parked,
    ),  # how many are not dialed for which reason, and until when
):
    Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)
