"""What stands in CRMs for our calls, and how CRMs stand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "crm_links",
        sa.Column("target", _KEY, nullable=False),
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("remote_kind", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("sending_at", _TIME),
        sa.Column("pushed_at", _TIME),
        sa.Column("deleted_at", _TIME),
        sa.PrimaryKeyConstraint("target", "call_id", name="pk_crm_links"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "crm_targets",
        sa.Column("target", _KEY, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", _TIME),
        sa.Column("until", _TIME),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("tokens_at", _TIME),
        sa.Column("slowed", sa.Double(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.Column("counts", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("target", name="pk_crm_targets"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("crm_targets")
    op.drop_table("crm_links")
