"""Recordings: where each lies in which form, what was paused, what is held, and the outline that pages draw."""

from typing import Final

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from cti.storage.column_types import Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

with_file: Final = text("path IS NOT NULL")
"""Spelled out, as all conditions of partial indexes."""
being_deleted: Final = text("deleting_at IS NOT NULL AND path IS NOT NULL")
still_paused: Final = text("ended_at IS NULL")

recordings: Final = Table(
    "recordings",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("path", String),
    Column("seconds", Double),
    Column("size_bytes", RowId),
    Column("problem", String),
    Column("checked_at", UtcTime, nullable=False),
    Column("sha256", String),
    Column("place", String, nullable=False, server_default=text("'local'")),
    Column("format", String, nullable=False, server_default=text("'wav'")),
    Column("key_id", Key),
    Column("retention", Key, nullable=False, server_default=text("''")),
    Column("recorded_at", UtcTime),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    Column("deleting_at", UtcTime),
    Column("deleted_at", UtcTime),
    # those of a class whose time is over, oldest first
    Index(
        "ix_recordings_retention",
        "retention",
        "recorded_at",
        sqlite_where=with_file,
        postgresql_where=with_file,
    ),
    sqlite_with_rowid=False,
)
# deletions that a kill left half done
Index(
    "ix_recordings_deleting",
    recordings.c.call_id,
    sqlite_where=being_deleted,
    postgresql_where=being_deleted,
)

recording_pauses: Final = Table(
    "recording_pauses",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("began_at", UtcTime, primary_key=True),
    Column("ended_at", UtcTime),
    Column("asked_by", String, nullable=False),
    sqlite_with_rowid=False,
)
# a call pauses once at a time; those that go on
Index(
    "ix_recording_pauses_open",
    recording_pauses.c.call_id,
    unique=True,
    sqlite_where=still_paused,
    postgresql_where=still_paused,
)

recording_holds: Final = Table(
    "recording_holds",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_id", Key, ForeignKey("calls.id"), nullable=False),
    Column("held", Boolean, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "call_id", "id"),  # the history of one call
)

recording_peaks: Final = Table(
    "recording_peaks",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("bucket_ms", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("levels", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
