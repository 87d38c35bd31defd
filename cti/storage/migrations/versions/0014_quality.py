"""Keyword rules, judgements of calls with their talk figures, score cards, reviews and their queue."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _rules()
    _judgements()
    _reviews()
    _queue()


def _rules() -> None:
    op.create_table(
        "keyword_rules",
        sa.Column("revision", _ID, autoincrement=False, nullable=False),
        sa.Column("code", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", _JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_keyword_rules"),
        sa.UniqueConstraint("code", "version", name="uq_keyword_rules_code_version"),
    )
    op.create_table(
        "score_cards",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", _JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_score_cards"),
        sa.UniqueConstraint("code", "version", name="uq_score_cards_code_version"),
    )


def _judgements() -> None:
    op.create_table(
        "call_judgements",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("placed_at", _TIME, nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("campaign_id", _ID),
        sa.Column("transcript_version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("revision", _ID, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("kept", _JSON, nullable=False),
        sa.Column("judged_at", _TIME, nullable=False),
        sa.Column("seconds", sa.Double()),
        sa.Column("agent_talk_seconds", sa.Double()),
        sa.Column("customer_talk_seconds", sa.Double()),
        sa.Column("agent_listen_seconds", sa.Double()),
        sa.Column("customer_listen_seconds", sa.Double()),
        sa.Column("talk_ratio", sa.Double()),
        sa.Column("longest_agent_monologue", sa.Double()),
        sa.Column("longest_customer_monologue", sa.Double()),
        sa.Column("silence_seconds", sa.Double()),
        sa.Column("silence_share", sa.Double()),
        sa.Column("longest_silence", sa.Double()),
        sa.Column("overtalk_seconds", sa.Double()),
        sa.Column("overtalk_share", sa.Double()),
        sa.Column("interruptions", sa.Integer()),
        sa.Column("customer_interruptions", sa.Integer()),
        sa.Column("response_seconds", sa.Double()),
        sa.Column("longest_response", sa.Double()),
        sa.Column("agent_turns", sa.Integer()),
        sa.Column("customer_turns", sa.Integer()),
        sa.Column("agent_units_per_minute", sa.Double()),
        sa.Column("customer_units_per_minute", sa.Double()),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_call_judgements_call_id"),
        sa.PrimaryKeyConstraint("call_id", name="pk_call_judgements"),
    )
    op.create_index(
        "ix_call_judgements_broken",
        "call_judgements",
        ["call_id"],
        sqlite_where=sa.text("rank > 0"),
        postgresql_where=sa.text("rank > 0"),
    )
    op.create_index("ix_call_judgements_placed_at", "call_judgements", ["placed_at"])
    op.create_table(
        "call_verdicts",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("rule", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("severity", _KEY, nullable=False),
        sa.Column("broken", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("hits", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_judgements.call_id"], name="fk_call_verdicts_call_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "rule", name="pk_call_verdicts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_call_verdicts_rule_call_id", "call_verdicts", ["rule", "call_id"])
    op.create_table(
        "rescans",
        sa.Column("id", _ID, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("revision", _ID, nullable=False),
        sa.Column("campaign_id", _ID),
        sa.Column("since", _TIME),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("position", _KEY),
        sa.Column("matched", _ID, nullable=False),
        sa.Column("judged", _ID, server_default=sa.text("0"), nullable=False),
        sa.Column("changed", _ID, server_default=sa.text("0"), nullable=False),
        sa.Column("without_transcript", _ID, server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_rescans"),
    )
    op.create_index(
        "uq_rescans_running",
        "rescans",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", _ID, nullable=False),
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("placed_at", _TIME, nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("campaign_id", _ID),
        sa.Column("card_id", _ID, nullable=False),
        sa.Column("card_code", _KEY, nullable=False),
        sa.Column("card_version", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("points", sa.Double()),
        sa.Column("fatal", _JSON, nullable=False),
        sa.Column("has_fatal", sa.Boolean(), nullable=False),
        sa.Column("passed", sa.Boolean()),
        sa.Column("calibration", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("submitted_at", _TIME),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_reviews_call_id"),
        sa.ForeignKeyConstraint(["card_id"], ["score_cards.id"], name="fk_reviews_card_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("call_id", "card_code", "reviewer", name="uq_reviews_call_id_card_code_reviewer"),
    )
    op.create_index("ix_reviews_agent_id_id", "reviews", ["agent_id", "id"])
    op.create_index("ix_reviews_placed_at", "reviews", ["placed_at"])
    op.create_index(
        "uq_reviews_counted",
        "reviews",
        ["call_id", "card_code"],
        unique=True,
        sqlite_where=sa.text("NOT calibration"),
        postgresql_where=sa.text("NOT calibration"),
    )
    op.create_table(
        "review_answers",
        sa.Column("review_id", _ID, nullable=False),
        sa.Column("question", _KEY, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("answered_by", _KEY, nullable=False),
        sa.Column("share", sa.Double()),
        sa.Column("evidence", _JSON, nullable=False),
        sa.Column("overridden", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name="fk_review_answers_review_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("review_id", "question", name="pk_review_answers"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "review_comments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("review_id", _ID, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("seconds", sa.Double()),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name="fk_review_comments_review_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_comments"),
    )
    op.create_index("ix_review_comments_review_id_id", "review_comments", ["review_id", "id"])
    op.create_table(
        "review_steps",
        sa.Column("id", _ID, nullable=False),
        sa.Column("review_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("move", _KEY, nullable=False),
        sa.Column("change", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name="fk_review_steps_review_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_steps"),
    )
    op.create_index("ix_review_steps_review_id_id", "review_steps", ["review_id", "id"])


def _queue() -> None:
    op.create_table(
        "review_queue",
        sa.Column("id", _ID, nullable=False),
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("placed_at", _TIME, nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("campaign_id", _ID),
        sa.Column("source", _KEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("claimed_by", sa.String()),
        sa.Column("claimed_until", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_review_queue_call_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_queue"),
    )
    op.create_index("ix_review_queue_call_id", "review_queue", ["call_id"])
    op.create_index(
        "ix_review_queue_next",
        "review_queue",
        ["priority", "id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_review_queue_waiting",
        "review_queue",
        ["call_id"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("review_queue")
    op.drop_table("review_steps")
    op.drop_table("review_comments")
    op.drop_table("review_answers")
    op.drop_table("reviews")
    op.drop_table("rescans")
    op.drop_table("call_verdicts")
    op.drop_table("call_judgements")
    op.drop_table("score_cards")
    op.drop_table("keyword_rules")
