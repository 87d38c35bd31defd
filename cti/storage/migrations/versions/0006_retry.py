"""Callbacks, and why contacts were dialed or not."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_PARKED = sa.text("state IN ('waiting', 'done')")


def upgrade() -> None:
    op.add_column(
        "list_entries", sa.Column("raised", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("list_entries", sa.Column("fresh_since", _TIME))
    op.create_index(
        "ix_list_entries_reasons",
        "list_entries",
        ["campaign_id", "state", "reason", "due_at"],
        sqlite_where=_PARKED,
        postgresql_where=_PARKED,
    )
    op.create_table(
        "entry_reasons",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("reason", _KEY, nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("number", _KEY, nullable=False),
        sa.Column("call_id", _KEY),
        sa.PrimaryKeyConstraint("id", name="pk_entry_reasons"),
    )
    op.create_index("ix_entry_reasons_contact_id_id", "entry_reasons", ["contact_id", "id"])
    op.create_index("ix_entry_reasons_number_id", "entry_reasons", ["number", "id"])


def downgrade() -> None:
    op.drop_table("entry_reasons")
    op.drop_index("ix_list_entries_reasons", "list_entries")
    op.drop_column("list_entries", "fresh_since")
    op.drop_column("list_entries", "raised")
