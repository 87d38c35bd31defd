"""Records pulled from CRMs, how far each pull has come, follow-ups written there, a contact's deal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("contacts", sa.Column("deal", _JSON))
    op.create_table(
        "crm_pulls",
        sa.Column("pull", _KEY, nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("page_at", _TIME),
        sa.Column("more", sa.Boolean(), nullable=False),
        sa.Column("asked_at", _TIME),
        sa.Column("recheck_at", _TIME),
        sa.Column("swept_at", _TIME),
        sa.Column("sweep_after", _KEY, nullable=False),
        sa.Column("counts", _JSON, nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("error_at", _TIME),
        sa.PrimaryKeyConstraint("pull", name="pk_crm_pulls"),
        sqlite_with_rowid=False,
    )
    _records()
    _follow_ups()


def _records() -> None:
    op.create_table(
        "crm_records",
        sa.Column("pull", _KEY, nullable=False),
        sa.Column("ref", _KEY, nullable=False),
        sa.Column("contact_id", _ID),
        sa.Column("entry_id", _ID),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("said", _JSON, nullable=False),
        sa.Column("over", _KEY),
        sa.Column("changed_at", _TIME),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("problem", sa.String()),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("follow_up_at", _TIME),
        sa.Column("follow_up_since", _TIME),
        sa.PrimaryKeyConstraint("pull", "ref", name="pk_crm_records"),
        sqlite_with_rowid=False,
    )
    for name, columns, where in (
        ("ix_crm_records_entry_id", ["entry_id"], "entry_id IS NOT NULL"),
        ("ix_crm_records_problems", ["pull", "ref"], "problem IS NOT NULL"),
        ("ix_crm_records_follow_ups", ["pull", "follow_up_since"], "follow_up_since IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, "crm_records", columns, sqlite_where=condition, postgresql_where=condition)


def _follow_ups() -> None:
    op.create_table(
        "crm_follow_ups",
        sa.Column("target", _KEY, nullable=False),
        sa.Column("callback_id", _ID, nullable=False, autoincrement=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("ref", _KEY, nullable=False),
        sa.Column("remote", sa.String()),
        sa.Column("written", _JSON, nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("written_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("target", "callback_id", name="pk_crm_follow_ups"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_crm_follow_ups_contact_id", "crm_follow_ups", ["contact_id"])
    there = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_crm_follow_ups_standing",
        "crm_follow_ups",
        ["target", "written_at"],
        sqlite_where=there,
        postgresql_where=there,
    )


def downgrade() -> None:
    op.drop_table("crm_follow_ups")
    op.drop_table("crm_records")
    op.drop_table("crm_pulls")
    op.drop_column("contacts", "deal")
