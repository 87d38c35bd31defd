"""Who owned whom when, and whose turn it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "owner_moves",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("before_agent_id", _ID),
        sa.Column("after_agent_id", _ID),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owner_moves"),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=f"fk_owner_moves_{column}")
            for column, table in (
                ("contact_id", "contacts"),
                ("before_agent_id", "agents"),
                ("after_agent_id", "agents"),
            )
        ),
    )
    op.create_index("ix_owner_moves_contact_id_id", "owner_moves", ["contact_id", "id"])
    op.create_table(
        "rotas",
        sa.Column("name", _KEY, nullable=False),
        sa.Column("turns", _JSON, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rotas"),
    )
    given_back = sa.text("owner_agent_id IS NULL AND returned_at IS NOT NULL")
    op.create_index(
        "ix_contacts_given_back",
        "contacts",
        ["returned_at", "id"],
        sqlite_where=given_back,
        postgresql_where=given_back,
    )


def downgrade() -> None:
    op.drop_index("ix_contacts_given_back", "contacts")
    op.drop_table("rotas")
    op.drop_table("owner_moves")
