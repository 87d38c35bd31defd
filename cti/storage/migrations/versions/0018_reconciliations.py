"""Reconciliations with CRMs and what they found; due work is found by its kind, discarded work by its key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_GIVEN_UP = sa.text("standing = 'done' AND error IS NOT NULL")
_WAITING = sa.text("standing = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "crm_reconciliations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("target", _KEY, nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", _TIME, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("mend", sa.Boolean(), nullable=False),
        sa.Column("overwrite", sa.Boolean(), nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("began_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("reads_back", sa.Boolean(), nullable=False),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("there", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("counts", _JSON, nullable=False),
        sa.Column("mended", _JSON, nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("reached", _KEY, nullable=False),
        sa.Column("reached_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_crm_reconciliations"),
    )
    op.create_index("ix_crm_reconciliations_target", "crm_reconciliations", ["target", "id"])
    op.create_table(
        "crm_findings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("remotes", _JSON, nullable=False),
        sa.Column("fields", _JSON, nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("mended", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crm_findings"),
        sa.ForeignKeyConstraint(["run_id"], ["crm_reconciliations.id"], name="fk_crm_findings_run_id"),
    )
    op.create_index("ix_crm_findings_run_id", "crm_findings", ["run_id", "id"])
    op.create_index(
        "ix_work_given_up", "work", ["kind", "key"], sqlite_where=_GIVEN_UP, postgresql_where=_GIVEN_UP
    )
    _index_of_due(["kind", sa.text("priority DESC"), "next_at", "id"])


def _index_of_due(columns: list[str | sa.TextClause]) -> None:
    op.drop_index("ix_work_due", "work")
    op.create_index("ix_work_due", "work", columns, sqlite_where=_WAITING, postgresql_where=_WAITING)


def downgrade() -> None:
    _index_of_due([sa.text("priority DESC"), "next_at", "id", "kind"])
    op.drop_index("ix_work_given_up", "work")
    op.drop_table("crm_findings")
    op.drop_table("crm_reconciliations")
