"""Transcripts and their segments."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "transcripts",
        sa.Column("key", _ID, nullable=False, autoincrement=False),
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("problem", sa.String()),
        sa.Column("voices", sa.String(), nullable=False),
        sa.Column("facets", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_transcripts_call_id"),
        sa.PrimaryKeyConstraint("key", name="pk_transcripts"),
        sa.UniqueConstraint("call_id", "version", name="uq_transcripts_call_id_version"),
        sa.UniqueConstraint("call_id", "fingerprint", name="uq_transcripts_call_id_fingerprint"),
    )
    op.create_index(
        "uq_transcripts_current",
        "transcripts",
        ["call_id"],
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "segments",
        sa.Column("id", _ID, nullable=False, autoincrement=False),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
    )


def downgrade() -> None:
    op.drop_table("segments")
    op.drop_table("transcripts")
