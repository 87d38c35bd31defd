"""Decisions of pacing. The drop ledger itself has no table: it is counted from attempts."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from cti.storage.column_types import JsonObject, RowId, UtcTime
from cti.storage.tables.schema import metadata

pacing_decisions: Final = Table(
    "pacing_decisions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("why", String, nullable=False),
    Column("inputs", JsonObject, nullable=False),
    Index(None, "campaign_id", "at"),  # a campaign's decisions of a span, newest first
    Index(None, "at"),  # what is old
)
