"""What stands in CRMs for our calls, and how CRMs stand."""

from typing import Final

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, String, Table

from cti.storage.column_types import JsonObject, Key, RowId, UtcTime
from cti.storage.tables.schema import metadata

# No foreign keys: what stands elsewhere for a call is remembered also when the call itself is gone here.
crm_links: Final = Table(
    "crm_links",
    metadata,
    Column("target", Key, primary_key=True),
    Column("call_id", Key, primary_key=True),
    Column("remote_kind", String, nullable=False),
    Column("remote_id", String),
    Column("version", Integer, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("sending_at", UtcTime),
    Column("pushed_at", UtcTime),
    Column("deleted_at", UtcTime),
    sqlite_with_rowid=False,
)

crm_targets: Final = Table(
    "crm_targets",
    metadata,
    Column("target", Key, primary_key=True),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("since", UtcTime),
    Column("until", UtcTime),
    Column("failures", Integer, nullable=False),
    Column("tokens", Double, nullable=False),
    Column("tokens_at", UtcTime),
    Column("slowed", Double, nullable=False),
    Column("day", String, nullable=False),
    Column("spent", Integer, nullable=False),
    Column("counts", JsonObject, nullable=False),
    sqlite_with_rowid=False,
)

crm_reconciliations: Final = Table(
    "crm_reconciliations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("target", Key, nullable=False),
    Column("ordered_by", String, nullable=False),
    Column("ordered_at", UtcTime, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("mend", Boolean, nullable=False),
    Column("overwrite", Boolean, nullable=False),
    Column("state", Key, nullable=False),
    Column("began_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("reads_back", Boolean, nullable=False),
    Column("looked", Integer, nullable=False),
    Column("there", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("counts", JsonObject, nullable=False),
    Column("mended", JsonObject, nullable=False),
    Column("message", String, nullable=False),
    Column("reached", Key, nullable=False),
    Column("reached_at", UtcTime),
)
Index("ix_crm_reconciliations_target", crm_reconciliations.c.target, crm_reconciliations.c.id)

crm_findings: Final = Table(
    "crm_findings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", RowId, ForeignKey("crm_reconciliations.id"), nullable=False),
    Column("kind", Key, nullable=False),
    Column("call_id", Key, nullable=False),
    Column("remotes", JsonObject, nullable=False),
    Column("fields", JsonObject, nullable=False),
    Column("detail", String, nullable=False),
    Column("mended", Key, nullable=False),
)
Index("ix_crm_findings_run_id", crm_findings.c.run_id, crm_findings.c.id)

# A few rows at any time: each goes when its answer is fetched, and within seconds.
crm_look_ups: Final = Table(
    "crm_look_ups",
    metadata,
    Column("target", Key, primary_key=True),
    Column("number", Key, primary_key=True),
    Column("asked_at", UtcTime, nullable=False),
    Column("taken_at", UtcTime),
    Column("answered_at", UtcTime),
    Column("found", JsonObject, nullable=False),
    sqlite_with_rowid=False,
)
