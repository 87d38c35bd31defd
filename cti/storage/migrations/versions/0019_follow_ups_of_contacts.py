"""Follow-ups in CRMs by a key, since contacts have their own, too; what was written of each the last time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_SAME = "target, callback_id, contact_id, ref, remote, written, agent_id, written_at, ended_at"


def _follow_ups(name: str, *columns: sa.Column[object], key: str) -> None:
    op.create_table(
        name,
        sa.Column("target", _KEY, nullable=False),
        *columns,
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("ref", _KEY, nullable=False),
        sa.Column("remote", sa.String()),
        sa.Column("written", _JSON, nullable=False),
        sa.Column("agent_id", _ID),
        sa.Column("written_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("target", key, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{name}_contact_id", name, ["contact_id"])
    there = sa.text("ended_at IS NULL")
    op.create_index(
        f"ix_{name}_standing",
        name,
        ["target", "written_at"],
        sqlite_where=there,
        postgresql_where=there,
    )


def upgrade() -> None:
    _follow_ups(
        "crm_follow_links",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("callback_id", _ID),
        sa.Column("due_at", _TIME),
        sa.Column("text_print", sa.String()),
        key="key",
    )
    # The time that was written last stays unknown: it is asked for of contacts' own alone, and there are none yet.
    op.execute(
        f"INSERT INTO crm_follow_links (key, {_SAME})"  # noqa: S608 - words of our own
        f" SELECT CAST(callback_id AS VARCHAR), {_SAME} FROM crm_follow_ups"
    )
    op.drop_table("crm_follow_ups")


def downgrade() -> None:
    _follow_ups(
        "crm_follow_ups",
        sa.Column("callback_id", _ID, nullable=False, autoincrement=False),
        key="callback_id",
    )
    op.execute(
        f"INSERT INTO crm_follow_ups ({_SAME})"  # noqa: S608 - words of our own
        f" SELECT {_SAME} FROM crm_follow_links WHERE callback_id IS NOT NULL"
    )
    op.drop_table("crm_follow_links")
