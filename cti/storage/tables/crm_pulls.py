"""Records that were pulled from CRMs, and how far each pull has come."""

from typing import Final

from sqlalchemy import Boolean, Column, Index, String, Table, text

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

crm_pulls: Final = Table(
    "crm_pulls",
    metadata,
    Column("pull", Key, primary_key=True),
    Column("cursor", String, nullable=False),
    Column("page_at", UtcTime),
    Column("more", Boolean, nullable=False),
    Column("asked_at", UtcTime),
    Column("recheck_at", UtcTime),
    Column("swept_at", UtcTime),
    Column("sweep_after", Key, nullable=False),
    Column("counts", JsonObject, nullable=False),
    Column("error", String, nullable=False),
    Column("error_at", UtcTime),
    sqlite_with_rowid=False,
)

# No foreign keys: a contact or an entry that is removed here is not brought back by the same record.
crm_records: Final = Table(
    "crm_records",
    metadata,
    Column("pull", Key, primary_key=True),
    Column("ref", Key, primary_key=True),
    Column("contact_id", RowId),
    Column("entry_id", RowId),
    Column("name", String, nullable=False),
    Column("said", JsonObject, nullable=False),
    Column("over", Key),
    Column("changed_at", UtcTime),
    Column("seen_at", UtcTime, nullable=False),
    Column("problem", String),
    Column("refused", Boolean, nullable=False),
    Column("follow_up_at", UtcTime),
    Column("follow_up_since", UtcTime),
    sqlite_with_rowid=False,
)

with_entry: Final = text("entry_id IS NOT NULL")
with_problem: Final = text("problem IS NOT NULL")
follow_up_waits: Final = text("follow_up_since IS NOT NULL")
for _name, _columns, _where in (
    ("ix_crm_records_entry_id", (crm_records.c.entry_id,), with_entry),  # may this entry be dialed
    ("ix_crm_records_problems", (crm_records.c.pull, crm_records.c.ref), with_problem),  # what was refused
    (
        "ix_crm_records_follow_ups",
        (crm_records.c.pull, crm_records.c.follow_up_since),
        follow_up_waits,
    ),  # callbacks to make
):
    Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)

# No foreign keys: what stands elsewhere is remembered also when the callback or the contact is gone here.
crm_follow_links: Final = Table(
    "crm_follow_links",
    metadata,
    Column("target", Key, primary_key=True),
    Column("key", Key, primary_key=True),
    Column("callback_id", RowId),
    Column("contact_id", RowId, nullable=False),
    Column("ref", Key, nullable=False),
    Column("remote", String),
    Column("written", JsonObject, nullable=False),
    Column("due_at", UtcTime),
    Column("text_print", String),
    Column("agent_id", RowId),
    Column("written_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Index(None, "contact_id"),  # is this follow-up one of ours
    sqlite_with_rowid=False,
)
still_there: Final = text("ended_at IS NULL")
Index(
    "ix_crm_follow_links_standing",  # what stands there and is settled here
    crm_follow_links.c.target,
    crm_follow_links.c.written_at,
    sqlite_where=still_there,
    postgresql_where=still_there,
)
