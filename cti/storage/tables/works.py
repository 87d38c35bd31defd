"""The durable work table, and what is remembered of nodes."""

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, text

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

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
given_up: Final = text("standing = 'done' AND error IS NOT NULL")
for _name, _columns, _unique, _where in (
    ("uq_work_kind_key", (work.c.kind, work.c.key), True, not_done),  # what new work joins
    (
        "ix_work_due",
        (work.c.kind, work.c.priority.desc(), work.c.next_at, work.c.id),
        False,
        waiting,
    ),  # what is next
    ("ix_work_over", (work.c.standing, work.c.kind, work.c.changed_at), False, over),  # dead letters, counts
    ("ix_work_given_up", (work.c.kind, work.c.key), False, given_up),  # what people discarded
):
    Index(_name, *_columns, unique=_unique, sqlite_where=_where, postgresql_where=_where)

nodes: Final = Table(
    "nodes",
    metadata,
    Column("name", String, primary_key=True),
    Column("started", String, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
)
