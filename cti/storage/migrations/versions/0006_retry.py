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
_OPEN = sa.text("state IN ('planned', 'due')")
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
    _callbacks()


def _callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("zone", _KEY, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("call_id", _KEY),
        sa.Column("reminded_at", _TIME),
        sa.Column("released_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=f"fk_callbacks_{column}")
            for column, table in (
                ("contact_id", "contacts"),
                ("campaign_id", "campaigns"),
                ("agent_id", "agents"),
            )
        ),
    )
    op.create_index("ix_callbacks_contact_id_id", "callbacks", ["contact_id", "id"])
    for name, columns in (
        ("ix_callbacks_due", ["due_at", "id"]),
        ("ix_callbacks_agent", ["agent_id", "due_at"]),
    ):
        op.create_index(name, "callbacks", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        "uq_callbacks_entry_id",
        "callbacks",
        ["entry_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "callback_moves",
        sa.Column("id", _ID, nullable=False),
        sa.Column("callback_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_callback_moves"),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name="fk_callback_moves_callback_id"),
    )
    op.create_index("ix_callback_moves_callback_id", "callback_moves", ["callback_id"])


def downgrade() -> None:
    op.drop_table("callback_moves")
    op.drop_table("callbacks")
    op.drop_table("entry_reasons")
    op.drop_index("ix_list_entries_reasons", "list_entries")
    op.drop_column("list_entries", "fresh_since")
    op.drop_column("list_entries", "raised")
