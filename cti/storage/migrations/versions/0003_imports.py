"""Imports, with what each changed, so that it can be undone; the keys of leads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _imports()
    op.create_table(
        "import_refusals",
        sa.Column("id", _ID, nullable=False),
        sa.Column("import_id", _ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("code", _KEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_refusals_import_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_refusals"),
    )
    op.create_index("ix_import_refusals_import_id_id", "import_refusals", ["import_id", "id"])
    op.create_table(
        "import_changes",
        sa.Column("import_id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("before", _JSON, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_changes_import_id"),
        sa.PrimaryKeyConstraint("import_id", "contact_id", name="pk_import_changes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lead_keys",
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_lead_keys_campaign_id"),
        sa.PrimaryKeyConstraint("campaign_id", "key", name="pk_lead_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_calls_number_id", "calls", ["number_id"])


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("asked", _JSON, nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("size_bytes", _ID, nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("list_id", _ID),
        sa.Column("read", _JSON),
        sa.Column("position", _ID, nullable=False, server_default=sa.text("0")),
        sa.Column("rows_done", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("counts", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("samples", _JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("marks", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("error", sa.String()),
        sa.Column("undone_at", _TIME),
        sa.Column("undone_by", sa.String()),
        sa.Column("undo", _JSON),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_imports_campaign_id"),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_index("ix_imports_campaign_id_id", "imports", ["campaign_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_calls_number_id", "calls")
    for table in ("lead_keys", "import_changes", "import_refusals", "imports"):
        op.drop_table(table)
