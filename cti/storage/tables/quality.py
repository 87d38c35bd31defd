"""Keyword rules, what they found in calls with the talk figures, score cards, reviews and their queue."""

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
    false,
    text,
)

from cti.model.talk_figures import FIGURES
from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

keyword_rules: Final = Table(
    "keyword_rules",
    metadata,
    Column("revision", RowId, primary_key=True, autoincrement=False),
    Column("code", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JsonObject, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("code", "version"),
)

score_cards: Final = Table(
    "score_cards",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("code", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JsonObject, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("code", "version"),
)

COUNTS: Final = frozenset({"interruptions", "customer_interruptions", "agent_turns", "customer_turns"})

# What a judgement, a review and a place in the queue repeat of their call never changes once the call has ended.
call_judgements: Final = Table(
    "call_judgements",
    metadata,
    Column("call_id", Key, ForeignKey("calls.id"), primary_key=True),
    Column("placed_at", UtcTime, nullable=False),
    Column("agent_id", RowId),
    Column("campaign_id", RowId),
    Column("transcript_version", Integer, nullable=False),
    Column("language", String, nullable=False),
    Column("revision", RowId, nullable=False),
    Column("rank", Integer, nullable=False),  # of the worst broken rule; 0: none is broken
    Column(
        "kept", JsonObject, nullable=False
    ),  # rules that applied and found nothing: {code: [version, severity]}
    Column("judged_at", UtcTime, nullable=False),
    *(Column(name, Integer if name in COUNTS else Double) for name in FIGURES),
    Index(None, "placed_at"),  # results of a span of time
)
broken_only: Final = text("rank > 0")
"""Spelled out, as all conditions of partial indexes: SQLite uses one only for a query that repeats its very words."""
Index(  # flagged calls, newest first
    "ix_call_judgements_broken",
    call_judgements.c.call_id,
    sqlite_where=broken_only,
    postgresql_where=broken_only,
)

call_verdicts: Final = Table(
    "call_verdicts",
    metadata,
    Column("call_id", Key, ForeignKey("call_judgements.call_id", ondelete="CASCADE"), primary_key=True),
    Column("rule", Key, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", Key, nullable=False),
    Column("severity", Key, nullable=False),
    Column("broken", Boolean, nullable=False),
    Column("count", Integer, nullable=False),
    Column("hits", JsonObject, nullable=False),
    Index(None, "rule", "call_id"),  # calls that broke this rule, newest first
    sqlite_with_rowid=False,
)

rescans: Final = Table(
    "rescans",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("revision", RowId, nullable=False),
    Column("campaign_id", RowId),
    Column("since", UtcTime),
    Column("state", Key, nullable=False),
    Column("position", Key),
    Column("matched", RowId, nullable=False),
    Column("judged", RowId, nullable=False, server_default=text("0")),
    Column("changed", RowId, nullable=False, server_default=text("0")),
    Column("without_transcript", RowId, nullable=False, server_default=text("0")),
    Column("finished_at", UtcTime),
)
running_rescan: Final = text("state = 'running'")
Index(  # one at a time
    "uq_rescans_running",
    rescans.c.state,
    unique=True,
    sqlite_where=running_rescan,
    postgresql_where=running_rescan,
)

reviews: Final = Table(
    "reviews",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_id", Key, ForeignKey("calls.id"), nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("agent_id", RowId),
    Column("campaign_id", RowId),
    Column("card_id", RowId, ForeignKey("score_cards.id"), nullable=False),
    Column("card_code", Key, nullable=False),
    Column("card_version", Integer, nullable=False),
    Column("reviewer", String, nullable=False),
    Column("state", Key, nullable=False),
    Column("points", Double),
    Column("fatal", JsonObject, nullable=False),
    Column("has_fatal", Boolean, nullable=False),
    Column("passed", Boolean),
    Column("calibration", Boolean, nullable=False, server_default=false()),
    Column("edition", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("submitted_at", UtcTime),
    UniqueConstraint("call_id", "card_code", "reviewer"),
    Index(None, "placed_at"),  # results of a span of time
    Index(None, "agent_id", "id"),  # an agent's, newest first
)
no_calibration: Final = text("NOT calibration")
Index(  # whatever races: one score of a call by a card counts
    "uq_reviews_counted",
    reviews.c.call_id,
    reviews.c.card_code,
    unique=True,
    sqlite_where=no_calibration,
    postgresql_where=no_calibration,
)

review_answers: Final = Table(
    "review_answers",
    metadata,
    Column("review_id", RowId, ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True),
    Column("question", Key, primary_key=True),
    Column("value", String, nullable=False),
    Column("answered_by", Key, nullable=False),
    Column("share", Double),
    Column("evidence", JsonObject, nullable=False),
    Column("overridden", Boolean, nullable=False),
    Column("note", String, nullable=False),
    sqlite_with_rowid=False,
)

review_comments: Final = Table(
    "review_comments",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("review_id", RowId, ForeignKey("reviews.id", ondelete="CASCADE"), nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("seconds", Double),
    Column("text", String, nullable=False),
    Index(None, "review_id", "id"),  # a review's, oldest first
)

review_steps: Final = Table(
    "review_steps",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("review_id", RowId, ForeignKey("reviews.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", String, nullable=False),
    Column("move", Key, nullable=False),
    Column("change", JsonObject, nullable=False),
    Index(None, "review_id", "id"),  # a review's history
)

review_queue: Final = Table(
    "review_queue",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_id", Key, ForeignKey("calls.id"), nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("agent_id", RowId),
    Column("campaign_id", RowId),
    Column("source", Key, nullable=False),
    Column("reason", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", Key, nullable=False),
    Column("claimed_by", String),
    Column("claimed_until", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Index(None, "call_id"),  # was this call ever in the queue
)
in_queue: Final = text("state = 'waiting'")
Index(  # who is next
    "ix_review_queue_next",
    review_queue.c.priority,
    review_queue.c.id,
    sqlite_where=in_queue,
    postgresql_where=in_queue,
)
Index(  # whatever races: a call waits once
    "uq_review_queue_waiting",
    review_queue.c.call_id,
    unique=True,
    sqlite_where=in_queue,
    postgresql_where=in_queue,
)
