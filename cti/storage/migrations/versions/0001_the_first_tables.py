"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _partial_index(name: str, table: str, columns: list[Any], *, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    _people()
    _whom_to_call()
    _calls()
    _work_and_nodes()


def _people() -> None:
    op.create_table(
        "agents",
        sa.Column("id", _ID, nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", _TIME),
        sa.Column("reason", sa.String()),
        sa.Column("channel_id", sa.String()),
        sa.Column("channel", sa.String()),
        sa.Column("call_id", _KEY),
        sa.Column("pause_next", sa.String()),
        sa.Column("phone_reachable", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.UniqueConstraint("login", name="uq_agents_login"),
        sa.UniqueConstraint("node", "endpoint", name="uq_agents_node_endpoint"),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("trunk", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ring_seconds", sa.Double(), nullable=False),
        sa.Column("grace_seconds", sa.Double(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("record", sa.Boolean(), nullable=False),
        sa.Column("wrap_up_seconds", sa.Double()),
        sa.Column("max_lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.UniqueConstraint("name", name="uq_campaigns_name"),
    )
    op.create_table(
        "agent_campaigns",
        sa.Column("agent_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_agent_campaigns_agent_id"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_agent_campaigns_campaign_id"),
        sa.PrimaryKeyConstraint("agent_id", "campaign_id", name="pk_agent_campaigns"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agent_changes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("agent_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("call_id", _KEY),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_agent_changes_agent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agent_changes"),
    )
    op.create_index("ix_agent_changes_agent_id_at", "agent_changes", ["agent_id", "at"])
    op.create_index("ix_agent_changes_at", "agent_changes", ["at"])


def _whom_to_call() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner_agent_id", _ID),
        sa.Column("crm_ref", _KEY),
        sa.Column("fields", _JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["owner_agent_id"], ["agents.id"], name="fk_contacts_owner_agent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
    )
    _partial_index("ix_contacts_crm_ref", "contacts", ["crm_ref"], where="crm_ref IS NOT NULL")
    _partial_index(
        "ix_contacts_owner_agent_id", "contacts", ["owner_agent_id"], where="owner_agent_id IS NOT NULL"
    )
    op.create_table(
        "numbers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("e164", _KEY, nullable=False),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("zone", sa.String()),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_numbers_contact_id"),
        sa.PrimaryKeyConstraint("id", name="pk_numbers"),
        sa.UniqueConstraint("contact_id", "position", name="uq_numbers_contact_id_position"),
    )
    op.create_index("ix_numbers_e164", "numbers", ["e164"])
    op.create_table(
        "lists",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_lists_campaign_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lists"),
        sa.UniqueConstraint("campaign_id", "name", name="uq_lists_campaign_id_name"),
    )
    op.create_table(
        "refused_rows",
        sa.Column("id", _ID, nullable=False),
        sa.Column("list_id", _ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_refused_rows_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refused_rows"),
    )
    op.create_index("ix_refused_rows_list_id", "refused_rows", ["list_id"])
    op.create_table(
        "list_entries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("list_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("number_position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("call_id", _KEY),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_list_entries_campaign_id"),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_list_entries_contact_id"),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_list_entries_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_entries"),
    )
    op.create_index("ix_list_entries_campaign_id_state_id", "list_entries", ["campaign_id", "state", "id"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("placed_at", _TIME, nullable=False),
        sa.Column("trunk", sa.String(), nullable=False),
        sa.Column("campaign_id", _ID),
        sa.Column("list_id", _ID),
        sa.Column("contact_id", _ID),
        sa.Column("number_id", _ID),
        sa.Column("agent_id", _ID),
        sa.Column("owner_agent_id", _ID),
        sa.Column("crm_ref", sa.String()),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("ring_seconds", sa.Double(), nullable=False),
        sa.Column("grace_seconds", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String()),
        sa.Column("dialing_at", _TIME),
        sa.Column("ringing_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("waiting_at", _TIME),
        sa.Column("connected_at", _TIME),
        sa.Column("dropped_at", _TIME),
        sa.Column("message_played_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("outcome", sa.String()),
        sa.Column("end_reason", sa.String()),
        sa.Column("ended_by", sa.String()),
        sa.Column("cause", sa.Integer()),
        sa.Column("cause_text", sa.String()),
        sa.Column("sip_code", sa.Integer()),
        sa.Column("recording", sa.String()),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("reversed_number", _KEY, nullable=False),
        sa.Column("disposition", sa.String()),
        sa.Column("note", sa.String()),
        sa.Column("disposed_by", _ID),
        sa.Column("disposed_at", _TIME),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_calls_agent_id"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_calls_campaign_id"),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_calls_contact_id"),
        sa.ForeignKeyConstraint(["disposed_by"], ["agents.id"], name="fk_calls_disposed_by"),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_calls_list_id"),
        sa.ForeignKeyConstraint(["number_id"], ["numbers.id"], name="fk_calls_number_id"),
        sa.ForeignKeyConstraint(["owner_agent_id"], ["agents.id"], name="fk_calls_owner_agent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_agent_id_id", "calls", ["agent_id", "id"])
    op.create_index("ix_calls_campaign_id_id", "calls", ["campaign_id", "id"])
    op.create_index("ix_calls_contact_id_id", "calls", ["contact_id", "id"])
    _partial_index("ix_calls_open", "calls", ["id"], where="is_open")
    op.create_index("ix_calls_placed_at", "calls", ["placed_at"])
    op.create_index("ix_calls_reversed_number_id", "calls", ["reversed_number", "id"])
    op.create_table(
        "attempts",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("entry_id", _ID),
        sa.Column("campaign_id", _ID),
        sa.Column("list_id", _ID),
        sa.Column("contact_id", _ID),
        sa.Column("number_id", _ID),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("placed_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("outcome", sa.String()),
        sa.Column("end_reason", sa.String()),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_attempts_call_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["list_entries.id"], name="fk_attempts_entry_id"),
        sa.PrimaryKeyConstraint("call_id", name="pk_attempts"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_attempts_campaign_id_outcome_ended_at", "attempts", ["campaign_id", "outcome", "ended_at"]
    )
    op.create_index("ix_attempts_contact_id_placed_at", "attempts", ["contact_id", "placed_at"])
    op.create_index("ix_attempts_entry_id", "attempts", ["entry_id"])
    op.create_table(
        "legs",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_legs_agent_id"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_legs_call_id"),
        sa.PrimaryKeyConstraint("call_id", "position", name="pk_legs"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recordings",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("path", sa.String()),
        sa.Column("seconds", sa.Double()),
        sa.Column("size_bytes", _ID),
        sa.Column("problem", sa.String()),
        sa.Column("checked_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recordings_call_id"),
        sa.PrimaryKeyConstraint("call_id", name="pk_recordings"),
        sqlite_with_rowid=False,
    )


def _work_and_nodes() -> None:
    op.create_table(
        "work",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String()),
        sa.Column("error", sa.String()),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_work"),
    )
    due = [sa.literal_column("priority DESC"), "next_at", "id", "kind"]
    _partial_index("ix_work_due", "work", due, where="standing = 'waiting'")
    _partial_index("ix_work_over", "work", ["standing", "kind", "changed_at"], where="standing <> 'waiting'")
    _partial_index("uq_work_kind_key", "work", ["kind", "key"], where="standing <> 'done'", unique=True)
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started", sa.String(), nullable=False),
        sa.Column("last_seen_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_nodes"),
    )


def downgrade() -> None:
    for table in (
        "nodes",
        "work",
        "recordings",
        "legs",
        "attempts",
        "calls",
        "list_entries",
        "refused_rows",
        "lists",
        "numbers",
        "contacts",
        "agent_changes",
        "agent_campaigns",
        "campaigns",
        "agents",
    ):
        op.drop_table(table)
