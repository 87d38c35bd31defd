"""The table `[hubspot]` of a target's mapping file. Read and checked; no requests."""

from typing import Final, Literal

from pydantic import Field

from crm_sync.reading_tables import KindTable, Table

PLURALS: Final = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "ticket": "tickets",
    "lead": "leads",
    "call": "calls",
    "task": "tasks",
}
"""Names of objects in paths, by what we call one record."""
TYPE_IDS: Final = {
    "contact": "0-1",
    "company": "0-2",
    "deal": "0-3",
    "ticket": "0-5",
    "task": "0-27",
    "call": "0-48",
    "lead": "0-136",
}
HOMES: Final = ("contact", "company", "deal", "ticket", "lead")
"""What a call can stand on."""
CHANGED: Final = {"contact": "lastmodifieddate"}
"""The property with the time of the last change; all others than these have `CHANGED_ELSE`."""
CHANGED_ELSE: Final = "hs_lastmodifieddate"


class FilterTable(Table):
    """One condition of a source."""

    property: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    operator: Literal[
        "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"
    ]
    value: str | None = None
    values: tuple[str, ...] = ()


class SourceTable(Table):
    """A source of records to pull: all conditions must hold."""

    kind: Literal["contact", "company"] = "contact"
    filters: tuple[FilterTable, ...] = Field((), max_length=4)
    """Four at most: HubSpot takes six in a group, and two are ours."""


class HubSpotTable(Table):
    """`[hubspot]`."""

    key: str = Field("waihu_call_id", pattern=r"^[a-z][a-z0-9_]*$")
    """Property of calls that holds our id; unique."""
    task_key: str = Field("waihu_follow_up_id", pattern=r"^([a-z][a-z0-9_]*)?$")
    """Property of tasks that holds our id, unique; empty: no follow-ups."""
    dispositions: dict[str, str] = Field(default_factory=dict)
    """By our code the GUID of a call outcome; `*` for all others."""
    portal: int | None = None
    """Number of the account, for links; empty: asked for by `check`."""
    site: str = Field("app.hubspot.com", pattern=r"^[A-Za-z0-9.-]+$")
    """Host of its pages."""
    contact: KindTable = KindTable(
        numbers=("phone", "mobilephone"), stage="hs_lead_status", region="hs_country_region_code"
    )
    company: KindTable = KindTable(numbers=("phone",), stage="hs_lead_status")
    deals: bool = True
    """Read the open deal of each record; two more requests for a page."""
    sources: dict[str, SourceTable] = Field(default_factory=dict)
    overlap_seconds: float = Field(120.0, ge=0, le=3600)
    """How late its search may hear of a change."""
    batch: int = Field(50, ge=1, le=100)
    in_flight: int = Field(4, ge=1, le=16)
    per_second: float = Field(10.0, gt=0)
    burst: int = Field(80, ge=1)
    per_day: int = Field(250_000, ge=1)
    timeout_seconds: float = Field(30.0, gt=0, le=600)
    unsure_seconds: float = Field(30.0, ge=0)

    def kind(self, name: str) -> KindTable:
        """Return how records of a kind are read."""
        return self.company if name == "company" else self.contact
