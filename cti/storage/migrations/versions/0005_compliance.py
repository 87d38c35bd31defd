"""Do-not-call registers and consent."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    _lists()
    _registers()
    op.create_table(
        "consents",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("standing", _KEY, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_consents_contact_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_contact_id_at", "consents", ["contact_id", "at"])


def _lists() -> None:
    op.create_table(
        "do_not_call",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("campaign_key", _ID, nullable=False, server_default=sa.text("0")),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", _TIME),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_do_not_call"),
        sa.UniqueConstraint("key", "campaign_key", name="uq_do_not_call_key_campaign_key"),
    )
    op.create_table(
        "do_not_call_changes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("campaign_key", _ID, nullable=False),
        sa.Column("change", _KEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", _TIME),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_do_not_call_changes"),
    )
    op.create_index("ix_do_not_call_changes_key_id", "do_not_call_changes", ["key", "id"])


def _registers() -> None:
    op.create_table(
        "registers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _KEY, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("as_of", sa.String(), nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("imported_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registers"),
    )
    current = sa.text("state = 'current'")
    op.create_index(
        "uq_registers_name",
        "registers",
        ["name"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )
    op.create_table(
        "register_numbers",
        sa.Column("register_id", _ID, nullable=False, autoincrement=False),
        sa.Column("key", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["register_id"], ["registers.id"], name="fk_register_numbers_register_id"),
        sa.PrimaryKeyConstraint("register_id", "key", name="pk_register_numbers"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("consents", "register_numbers", "registers", "do_not_call_changes", "do_not_call"):
        op.drop_table(table)
