"""What was learned of who answers when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "chance_fits",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("fitted_at", _TIME, nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("judgement", _JSON, nullable=False),
        sa.Column("model", _JSON),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_chance_fits_campaign_id"),
        sa.PrimaryKeyConstraint("id", name="pk_chance_fits"),
    )
    op.create_index("ix_chance_fits_campaign_id_id", "chance_fits", ["campaign_id", "id"])


def downgrade() -> None:
    op.drop_table("chance_fits")
