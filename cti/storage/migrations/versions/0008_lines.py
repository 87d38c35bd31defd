"""Numbers to show, in pools; by which trunk a call is tried once more; what is done with machines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

ADDED = ("next_trunk", "machines", "grace_start")
"""To `calls`."""


def upgrade() -> None:
    op.create_table(
        "caller_pools",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("per_hour", sa.Integer()),
        sa.Column("per_day", sa.Integer()),
        sa.Column("failures", sa.Integer()),
        sa.Column("rest_seconds", sa.Double(), nullable=False),
        sa.Column("health_calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_caller_pools"),
        sa.UniqueConstraint("name", name="uq_caller_pools_name"),
    )
    op.create_table(
        "caller_ids",
        sa.Column("number", _KEY, nullable=False),
        sa.Column("pool_id", _ID, nullable=False),
        sa.Column("areas", _JSON, nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("per_hour", sa.Integer()),
        sa.Column("per_day", sa.Integer()),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("rests_until", _TIME),
        sa.Column("rest_reason", sa.String()),
        sa.PrimaryKeyConstraint("number", name="pk_caller_ids"),
        sa.ForeignKeyConstraint(["pool_id"], ["caller_pools.id"], name="fk_caller_ids_pool_id"),
        sqlite_with_rowid=False,
    )
    for name in ADDED:
        op.add_column("calls", sa.Column(name, sa.String()))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("calls", name)
    op.drop_table("caller_ids")
    op.drop_table("caller_pools")
