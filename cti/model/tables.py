"""A report as a table: what figures are handed on as, whoever shows them (API, command line, CSV)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Cell = str | int | float | bool | datetime | None
"""What may stand in a table. Rates are 0 to 1, times aware in UTC."""


class ReportKind(StrEnum):
    """The reports there are."""

    CALLS_BY_AGENT = "calls_by_agent"
    CALLS_BY_CAMPAIGN = "calls_by_campaign"
    CALLS_BY_HOUR = "calls_by_hour"
    CALLS_BY_OUTCOME = "calls_by_outcome"
    AGENT_TIME = "agent_time"
    """Seconds that each agent spent in each state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns; each row is as long as `columns`."""

    title: str
    columns: tuple[str, ...]
    """Names fit for JSON keys and CSV headers; the unit is in the name (`talk_seconds`)."""
    rows: tuple[tuple[Cell, ...], ...]
