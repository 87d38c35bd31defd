"""Rules of campaigns, and what lists need to be dialed in order: priority, zone, owner, reasons."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ZERO = sa.text("0")
_EMPTY = sa.text("''")


def upgrade() -> None:
    _add("campaigns", sa.Column("rules", _JSON, nullable=False, server_default=sa.text("'{}'")))
    _add(
        "agents",
        sa.Column("skills", _JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("weight", sa.Double(), nullable=False, server_default=sa.text("1")),
        sa.Column("max_owned", sa.Integer()),
        sa.Column("left_at", _TIME),
    )
    _contacts_and_lists()
    _entries()
    _calls()


def _contacts_and_lists() -> None:
    _add(
        "contacts",
        sa.Column("changed_at", _TIME),
        sa.Column("import_id", _ID),
        sa.Column("crm_customer", _KEY),
        sa.Column("crm_contact", _KEY),
        sa.Column("crm_deal", _KEY),
        sa.Column("zone", _KEY),
        sa.Column("score", sa.Double()),
        sa.Column("stage", _KEY),
        sa.Column("consent", _KEY),
        sa.Column("consent_at", _TIME),
        sa.Column("consent_source", sa.String()),
        sa.Column("next_follow_up_at", _TIME),
        sa.Column("owner_since", _TIME),
        sa.Column("last_talk_at", _TIME),
        sa.Column("failures", sa.Integer(), nullable=False, server_default=_ZERO),
        sa.Column("returned_at", _TIME),
        sa.Column("returned_by", _ID),
        sa.Column("stopped_at", _TIME),
    )
    _add("numbers", sa.Column("kind", _KEY, nullable=False, server_default=_EMPTY))
    _add(
        "lists",
        sa.Column("region", sa.String(), nullable=False, server_default=_EMPTY),
        sa.Column("import_id", _ID),
        sa.Column("priority", sa.Integer(), nullable=False, server_default=_ZERO),
        sa.Column("query", _JSON),
    )


def _entries() -> None:
    _add(
        "list_entries",
        sa.Column("owner_key", _ID, nullable=False, server_default=_ZERO),
        sa.Column("zone", _KEY, nullable=False, server_default=_EMPTY),
        sa.Column("priority", sa.Integer(), nullable=False, server_default=_ZERO),
        sa.Column("rank", sa.Double(), nullable=False, server_default=_ZERO),
        sa.Column("due_at", _TIME),
        sa.Column("reason", _KEY),
        sa.Column("reason_detail", sa.String()),
        sa.Column("reason_at", _TIME),
        sa.Column("last_outcome", _KEY),
        sa.Column("failures", sa.Integer(), nullable=False, server_default=_ZERO),
    )
    op.create_index("ix_list_entries_contact_id", "list_entries", ["contact_id"])
    _partial_index(
        "ix_list_entries_next",
        ["campaign_id", "owner_key", "zone", sa.text("priority DESC"), "rank", "id"],
        where="state = 'pending'",
    )
    _partial_index("ix_list_entries_due", ["due_at", "id"], where="state = 'waiting'")
    # what stands in lists already is found under its zone and its owner from now on
    op.execute(
        "UPDATE list_entries SET rank = id, owner_key = COALESCE((SELECT owner_agent_id FROM contacts"
        " WHERE contacts.id = list_entries.contact_id), 0), zone = COALESCE((SELECT numbers.zone FROM numbers"
        " WHERE numbers.contact_id = list_entries.contact_id"
        " AND numbers.position = list_entries.number_position), '')"
    )


def _calls() -> None:
    _add(
        "calls",
        sa.Column("mode", sa.String()),
        sa.Column("caller_id", sa.String()),
        sa.Column("answer_chance", sa.Double()),
        sa.Column("why", sa.String()),
        sa.Column("answered_by", sa.String()),
        sa.Column("detected_at", _TIME),
        sa.Column("detection", sa.String()),
        sa.Column("voicemail_at", _TIME),
    )
    _add("attempts", sa.Column("e164", _KEY))
    op.execute("UPDATE attempts SET e164 = (SELECT number FROM calls WHERE calls.id = attempts.call_id)")
    op.create_index("ix_attempts_e164_placed_at", "attempts", ["e164", "placed_at"])


def _add(table: str, *columns: sa.Column[object]) -> None:
    for column in columns:
        op.add_column(table, column)


def _partial_index(name: str, columns: list[Any], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "list_entries", columns, sqlite_where=condition, postgresql_where=condition)


ADDED = {
    "attempts": ("e164",),
    "calls": (
        "mode",
        "caller_id",
        "answer_chance",
        "why",
        "answered_by",
        "detected_at",
        "detection",
        "voicemail_at",
    ),
    "list_entries": (
        "owner_key",
        "zone",
        "priority",
        "rank",
        "due_at",
        "reason",
        "reason_detail",
        "reason_at",
        "last_outcome",
        "failures",
    ),
    "lists": ("region", "import_id", "priority", "query"),
    "numbers": ("kind",),
    "contacts": (
        "changed_at",
        "import_id",
        "crm_customer",
        "crm_contact",
        "crm_deal",
        "zone",
        "score",
        "stage",
        "consent",
        "consent_at",
        "consent_source",
        "next_follow_up_at",
        "owner_since",
        "last_talk_at",
        "failures",
        "returned_at",
        "returned_by",
        "stopped_at",
    ),
    "agents": ("skills", "weight", "max_owned", "left_at"),
    "campaigns": ("rules",),
}


def downgrade() -> None:
    for index, table in (
        ("ix_attempts_e164_placed_at", "attempts"),
        ("ix_list_entries_due", "list_entries"),
        ("ix_list_entries_next", "list_entries"),
        ("ix_list_entries_contact_id", "list_entries"),
    ):
        op.drop_index(index, table)
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column)
