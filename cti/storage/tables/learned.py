"""What was learned of who answers when."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from cti.storage.column_types import JsonObject, RowId, UtcTime
from cti.storage.tables.schema import metadata

chance_fits: Final = Table(
    "chance_fits",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("campaign_id", RowId, ForeignKey("campaigns.id"), nullable=False),
    Column("fitted_at", UtcTime, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("why", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("judgement", JsonObject, nullable=False),
    Column("model", JsonObject),
    Index(None, "campaign_id", "id"),  # the newest of a campaign
)
