"""Tags, what people changed of contacts, actions on many of them, saved views, dictionaries."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.contacts import contacts, list_entries
from cti.storage.tables.schema import metadata

contact_tags: Final = Table(
    "contact_tags",
    metadata,
    Column("contact_id", RowId, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Key, primary_key=True),
    Index(None, "tag", "contact_id"),  # who has this tag
    sqlite_with_rowid=False,
)

contact_changes: Final = Table(
    "contact_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("contact_id", RowId, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", String, nullable=False),
    Column("kind", Key, nullable=False),
    Column("bulk_id", RowId),
    Column("change", JsonObject, nullable=False),
    Index(None, "contact_id", "id"),  # a contact's history
)
Index(  # what an action on many changed, to undo it
    None,
    contact_changes.c.bulk_id,
    contact_changes.c.contact_id,
    sqlite_where=contact_changes.c.bulk_id.is_not(None),
    postgresql_where=contact_changes.c.bulk_id.is_not(None),
)

bulk_actions: Final = Table(
    "bulk_actions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("argument", JsonObject, nullable=False),
    Column("condition", JsonObject, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("state", Key, nullable=False),
    Column("matched", RowId, nullable=False),
    Column("position", RowId, nullable=False, server_default=text("0")),
    Column("last_id", RowId, nullable=False),
    Column("done", RowId, nullable=False, server_default=text("0")),
    Column("counts", JsonObject, nullable=False),
    Column("finished_at", UtcTime),
    Column("undoes", RowId),
    Column("undone_by", RowId),
    Column("problem", String),
)

saved_views: Final = Table(
    "saved_views",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False),
    Column("about", Key, nullable=False),
    Column("condition", JsonObject, nullable=False),
    Column("sort", Key, nullable=False),
    Column("owner", Key, nullable=False),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("owner", "name"),
)

dictionary_entries: Final = Table(
    "dictionary_entries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Key, nullable=False),
    # 0 is the installation's: NULL would be different from itself in a unique constraint, so no foreign key
    Column("campaign_id", RowId, nullable=False, server_default=text("0")),
    Column("code", Key, nullable=False),
    Column("labels", JsonObject, nullable=False),
    Column("meanings", JsonObject, nullable=False),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("retired_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("kind", "campaign_id", "code"),
)

for _column in (contacts.c.stage, contacts.c.next_follow_up_at, contacts.c.stopped_at):
    # who is at this stage; who is due; who is stopped
    Index(
        None, _column, contacts.c.id, sqlite_where=_column.is_not(None), postgresql_where=_column.is_not(None)
    )
Index(None, list_entries.c.list_id, list_entries.c.contact_id)  # who stands in this list
