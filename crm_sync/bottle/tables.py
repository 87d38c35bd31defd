"""The table `[bottle]` of a mapping file. Read and checked; no requests."""

from collections.abc import Mapping as Map
from datetime import time
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crm_sync.mapping import told
from cti.errors import SettingsError

Filter = str | int | float | bool | tuple[str, ...]
FILTERS: Final = {
    "lead": frozenset(
        {"status", "source", "assigned_to", "tags", "city", "rating", "email", "name", "search"}
    ),
    "contact": frozenset({"assigned_to", "tags", "city", "email", "name", "phone", "search"}),
}
"""What its lists of these can be narrowed by; and `cf_KEY`, a custom field."""
STATUS: Final = "status"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceTable(_Table):
    """`[bottle.sources.NAME]`: records that can be pulled."""

    kind: Literal["lead", "contact"]
    only: dict[str, Filter] = {}
    """Filters of its list, all of which must hold."""

    def refused(self) -> str | None:
        """Return the filter that its list does not know; it would ignore it and give everybody."""
        for name in self.only:
            if name not in FILTERS[self.kind] and not name.startswith("cf_"):
                return name
        return None

    def query(self) -> list[tuple[str, str]]:
        """Return the filters as they are asked."""
        asked = []
        for name, value in self.only.items():
            for one in value if isinstance(value, tuple) else (value,):
                asked.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
        return asked


class BottleTable(_Table):
    """`[bottle]`."""

    log_on: Literal["record", "deal"] = "record"
    """Where a call that has a deal stands: an interaction is on one record only."""
    web: str = Field("", pattern=r"^(https?://[^\s]+)?$")
    """Address of its pages for people; its API has one of its own."""
    zone: str = "UTC"
    """The organisation's time zone: follow-ups are kept there as days."""
    day_begins: time = time(9)
    """The time of a follow-up that is read: it has only a day."""
    sources: dict[str, SourceTable] = {"leads": SourceTable(kind="lead")}
    in_flight: int = Field(4, ge=1, le=64)
    per_second: float | None = Field(None, gt=0)
    burst: int = Field(1, ge=1)
    timeout_seconds: float = Field(30.0, gt=0, le=600)
    unsure_seconds: float = Field(30.0, ge=0)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{zone!r} is no time zone") from None
        return zone

    @field_validator("sources")
    @classmethod
    def _asked_well(cls, sources: dict[str, SourceTable]) -> dict[str, SourceTable]:
        for name, source in sources.items():
            if wrong := source.refused():
                known = ", ".join(sorted(FILTERS[source.kind]))
                raise ValueError(
                    f"{name}: {wrong!r} is no filter of {source.kind}s; there are: {known}, cf_KEY"
                )
        return sources


def bottle_table(tree: Map[str, Any], *, where: str) -> BottleTable:
    """Read the table. Raises SettingsError: file, key, and what is allowed."""
    try:
        return BottleTable.model_validate(tree)
    except ValidationError as error:
        raise SettingsError("\n".join(told(one, f"{where}: bottle") for one in error.errors())) from None
