"""Numbers that are looked up in CRMs, for as long as that takes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "crm_look_ups",
        sa.Column("target", _KEY, nullable=False),
        sa.Column("number", _KEY, nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("taken_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("found", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("target", "number", name="pk_crm_look_ups"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("crm_look_ups")
