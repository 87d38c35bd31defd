"""Decisions of pacing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pacing_decisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("inputs", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pacing_decisions"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_pacing_decisions_campaign_id"),
    )
    op.create_index("ix_pacing_decisions_campaign_id_at", "pacing_decisions", ["campaign_id", "at"])
    op.create_index("ix_pacing_decisions_at", "pacing_decisions", ["at"])


def downgrade() -> None:
    op.drop_table("pacing_decisions")
