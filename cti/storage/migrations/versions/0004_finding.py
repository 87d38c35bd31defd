"""Dictionaries, tags, saved views, bulk actions and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ZERO = sa.text("0")

_FOUND_BY = ("stage", "next_follow_up_at", "stopped_at")


def upgrade() -> None:
    _tags_and_changes()
    _bulk_actions()
    _views()
    _dictionaries()
    for column in _FOUND_BY:
        _partial_index("contacts", column, "id", where=column)
    op.create_index("ix_list_entries_list_id_contact_id", "list_entries", ["list_id", "contact_id"])


def _tags_and_changes() -> None:
    op.create_table(
        "contact_tags",
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("tag", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "tag", name="pk_contact_tags"),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name="fk_contact_tags_contact_id", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_tags_tag_contact_id", "contact_tags", ["tag", "contact_id"])
    op.create_table(
        "contact_changes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("bulk_id", _ID),
        sa.Column("change", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact_changes"),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name="fk_contact_changes_contact_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_contact_changes_contact_id_id", "contact_changes", ["contact_id", "id"])
    _partial_index("contact_changes", "bulk_id", "contact_id", where="bulk_id")


def _bulk_actions() -> None:
    op.create_table(
        "bulk_actions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("argument", _JSON, nullable=False),
        sa.Column("condition", _JSON, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("matched", _ID, nullable=False),
        sa.Column("position", _ID, nullable=False, server_default=_ZERO),
        sa.Column("last_id", _ID, nullable=False),
        sa.Column("done", _ID, nullable=False, server_default=_ZERO),
        sa.Column("counts", _JSON, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("undoes", _ID),
        sa.Column("undone_by", _ID),
        sa.Column("problem", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_actions"),
    )


def _views() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("about", _KEY, nullable=False),
        sa.Column("condition", _JSON, nullable=False),
        sa.Column("sort", _KEY, nullable=False),
        sa.Column("owner", _KEY, nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("owner", "name", name="uq_saved_views_owner_name"),
    )


def _dictionaries() -> None:
    op.create_table(
        "dictionary_entries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False, server_default=_ZERO),
        sa.Column("code", _KEY, nullable=False),
        sa.Column("labels", _JSON, nullable=False),
        sa.Column("meanings", _JSON, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, server_default=_ZERO),
        sa.Column("retired_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dictionary_entries"),
        sa.UniqueConstraint(
            "kind", "campaign_id", "code", name="uq_dictionary_entries_kind_campaign_id_code"
        ),
    )


def _partial_index(table: str, *columns: str, where: str) -> None:
    condition = sa.text(f"{where} IS NOT NULL")
    op.create_index(
        f"ix_{table}_{'_'.join(columns)}",
        table,
        list(columns),
        sqlite_where=condition,
        postgresql_where=condition,
    )


def downgrade() -> None:
    op.drop_index("ix_list_entries_list_id_contact_id", "list_entries")
    for column in _FOUND_BY:
        op.drop_index(f"ix_contacts_{column}_id", "contacts")
    for table in ("dictionary_entries", "saved_views", "bulk_actions", "contact_changes", "contact_tags"):
        op.drop_table(table)
