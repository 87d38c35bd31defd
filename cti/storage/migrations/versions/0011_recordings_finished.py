"""Where recordings lie and in which form, how long they are kept, holds, pauses, outlines."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_WITH_FILE = sa.text("path IS NOT NULL")
_BEING_DELETED = sa.text("deleting_at IS NOT NULL AND path IS NOT NULL")
_STILL_PAUSED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    _recordings()
    op.create_table(
        "recording_pauses",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "began_at", name="pk_recording_pauses"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recording_pauses_call_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_recording_pauses_open",
        "recording_pauses",
        ["call_id"],
        unique=True,
        sqlite_where=_STILL_PAUSED,
        postgresql_where=_STILL_PAUSED,
    )
    op.create_table(
        "recording_holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recording_holds"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recording_holds_call_id"),
    )
    op.create_index("ix_recording_holds_call_id_id", "recording_holds", ["call_id", "id"])
    op.create_table(
        "recording_peaks",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("bucket_ms", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("levels", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_recording_peaks"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recording_peaks_call_id"),
        sqlite_with_rowid=False,
    )


def _recordings() -> None:
    for column in (
        sa.Column("sha256", sa.String()),
        sa.Column("place", sa.String(), nullable=False, server_default=sa.text("'local'")),
        sa.Column("format", sa.String(), nullable=False, server_default=sa.text("'wav'")),
        sa.Column("key_id", _KEY),
        sa.Column("retention", _KEY, nullable=False, server_default=sa.text("''")),
        sa.Column("recorded_at", _TIME),
        sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("deleting_at", _TIME),
        sa.Column("deleted_at", _TIME),
    ):
        op.add_column("recordings", column)
    # What was recorded before is deleted by its age, too.
    op.execute(
        "UPDATE recordings SET recorded_at ="
        " (SELECT coalesce(calls.answered_at, calls.placed_at) FROM calls WHERE calls.id = recordings.call_id)"
    )
    op.create_index(
        "ix_recordings_retention",
        "recordings",
        ["retention", "recorded_at"],
        sqlite_where=_WITH_FILE,
        postgresql_where=_WITH_FILE,
    )
    op.create_index(
        "ix_recordings_deleting",
        "recordings",
        ["call_id"],
        sqlite_where=_BEING_DELETED,
        postgresql_where=_BEING_DELETED,
    )


def downgrade() -> None:
    op.drop_table("recording_peaks")
    op.drop_table("recording_holds")
    op.drop_table("recording_pauses")
    op.drop_index("ix_recordings_deleting", "recordings")
    op.drop_index("ix_recordings_retention", "recordings")
    columns = ("sha256", "place", "format", "key_id", "retention", "recorded_at", "held", "deleting_at")
    for name in (*columns, "deleted_at"):
        op.drop_column("recordings", name)
