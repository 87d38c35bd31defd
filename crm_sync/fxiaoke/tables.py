"""The table `[fxiaoke]` of a target's mapping file (纷享销客). Read and checked; no requests."""

from typing import Final, Literal

from pydantic import Field

from crm_sync.reading_tables import KindTable, Table

READ: Final = ("LeadsObj", "ContactObj", "AccountObj")
"""Kinds that have numbers: 销售线索, 联系人, 客户."""
ApiName = r"^[A-Za-z][A-Za-z0-9_]*$"


class FilterTable(Table):
    """One condition of a source."""

    field: str = Field(pattern=ApiName)
    operator: Literal["EQ", "N", "GT", "GTE", "LT", "LTE", "LIKE", "IN", "NIN", "IS", "ISN"] = "EQ"
    values: tuple[str, ...] = ()


class SourceTable(Table):
    """A source of records to pull: all conditions must hold."""

    kind: Literal["LeadsObj", "ContactObj", "AccountObj"] = "LeadsObj"
    filters: tuple[FilterTable, ...] = ()


class FxiaokeTable(Table):
    """`[fxiaoke]`."""

    app_id: str = Field(min_length=1)
    """appId of the application."""
    user: str = Field(pattern=r"^FSUID_")
    """openUserId of the person as whom all is done; an administrator of the CRM."""
    object: str = Field("call_record__c", pattern=ApiName)
    """apiName of the object that calls are records of."""
    mark: str = Field("call_id__c", pattern=ApiName)
    """Its text field with our id."""
    started: str = Field("start_time__c", pattern=ApiName)
    """Its field with the begin of a call."""
    seconds: str = Field("talk_seconds__c", pattern=ApiName)
    """Its field with the length of a call."""
    links: dict[str, str] = Field(default_factory=dict)
    """By kind of record the field (查找关联) that leads to it."""
    workflow: bool = False
    """Whether writing begins approvals and workflows there."""
    records: dict[Literal["LeadsObj", "ContactObj", "AccountObj"], KindTable] = Field(default_factory=dict)
    """By kind, which of its fields say what."""
    sources: dict[str, SourceTable] = Field(default_factory=dict)
    overlap_seconds: float = Field(60.0, ge=0, le=3600)
    in_flight: int = Field(2, ge=1, le=8)
    per_second: float = Field(4.0, gt=0)
    burst: int = Field(20, ge=1)
    per_day: int = Field(100_000, ge=1)
    timeout_seconds: float = Field(30.0, gt=0, le=600)
    unsure_seconds: float = Field(60.0, ge=0)

    def kind(self, name: str) -> KindTable:
        """Return how records of a kind are read."""
        return next((own for kind, own in self.records.items() if kind == name), KindTable())
