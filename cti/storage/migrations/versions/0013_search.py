"""The search index over segments, and marks on calls.

The index is each database's own: a full-text table of SQLite that keeps no text, a table of tsvectors on PostgreSQL.
The tokens are ours on both, so that neither cuts text into words by itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "call_marks",
        sa.Column("call_id", _KEY, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Double()),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_call_marks_call_id"),
        sa.PrimaryKeyConstraint("call_id", "kind", "name", name="pk_call_marks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_call_marks_kind_name_call_id", "call_marks", ["kind", "name", "call_id"])
    if op.get_bind().dialect.name == "sqlite":
        # `ascii` cuts at spaces and leaves every letter outside ASCII alone
        op.execute(
            "CREATE VIRTUAL TABLE segment_index USING fts5(terms, facets, content='', columnsize=0, tokenize='ascii')"
        )
        return
    op.execute(
        "CREATE TABLE segment_index (id BIGINT CONSTRAINT pk_segment_index PRIMARY KEY"
        " CONSTRAINT fk_segment_index_id REFERENCES segments (id) ON DELETE CASCADE, terms TSVECTOR NOT NULL)"
    )
    # without the list of pending entries: every search would read it through
    op.execute(
        "CREATE INDEX ix_segment_index_terms ON segment_index USING gin (terms) WITH (fastupdate = off)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE segment_index")
    op.drop_table("call_marks")
