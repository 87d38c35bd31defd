"""Transcripts with their segments, and marks on calls. The search index is not here: each database has its own kind,
see `segment_index`.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
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
)

from cti.storage.column_types import Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

transcripts: Final = Table(
    "transcripts",
    metadata,
    Column("key", RowId, primary_key=True, autoincrement=False),  # see `cti.search.segment_ids`
    Column("call_id", Key, ForeignKey("calls.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("engine", String, nullable=False),
    Column("model", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("language", String, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("problem", String),
    Column("voices", String, nullable=False),  # {"agent": [[start_ms, end_ms], ...]}
    Column("facets", String, nullable=False),  # of the call, as they were indexed
    UniqueConstraint("call_id", "version"),
    UniqueConstraint("call_id", "fingerprint"),
)
current_transcripts: Final = text("is_current")
"""Spelled out, as all conditions of partial indexes: SQLite uses one only for a query that repeats its very words."""
Index(
    "uq_transcripts_current",  # whatever races: a call has one current transcript
    transcripts.c.call_id,
    unique=True,
    sqlite_where=current_transcripts,
    postgresql_where=current_transcripts,
)

segments: Final = Table(
    "segments",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),  # see `cti.search.segment_ids`
    Column("speaker", String, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", String, nullable=False),
    Column("words", String, nullable=False),  # [[word, start_ms, end_ms, confidence or null], ...]
    Column("confidence", Double),
)

call_marks: Final = Table(
    "call_marks",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column(
        "kind", Key, primary_key=True
    ),  # `rule`: a keyword rule flagged it; `score`: a score card's result
    Column("name", String, primary_key=True),
    Column("value", Double),
    Index(None, "kind", "name", "call_id"),  # the calls that a rule flagged
    sqlite_with_rowid=False,
)
