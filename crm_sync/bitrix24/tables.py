"""The table `[bitrix24]` of a target's mapping file. Read and checked; no requests."""

from typing import Final, Literal

from pydantic import Field

from crm_sync.reading_tables import KindTable, Table
from cti.errors import BadInput
from cti.model.crm import RecordRef

TYPES: Final = {"lead": 1, "deal": 2, "contact": 3, "company": 4}
"""Numbers of kinds of records."""
KINDS: Final = {number: kind for kind, number in TYPES.items()}
READ: Final = ("lead", "contact", "company")
"""Kinds that have numbers."""


class SourceTable(Table):
    """A source of records to pull."""

    kind: Literal["lead", "contact", "company"] = "lead"
    filter: dict[str, str | int | list[str] | list[int]] = Field(default_factory=dict)
    """As Bitrix24 takes it: `"=STATUS_ID" = "NEW"`, `"@SOURCE_ID" = ["WEB", "CALL"]`."""


class Bitrix24Table(Table):
    """`[bitrix24]`."""

    responsible: int = Field(ge=1)
    """Id of the user a call belongs to whose agent is nobody there: each activity has one."""
    originator: str = Field("waihu", pattern=r"^[A-Za-z0-9_-]+$", max_length=30)
    """How activities of ours are marked; with it stands the call's id."""
    lead: KindTable = KindTable(numbers=("PHONE",), stage="STATUS_ID", region="ADDRESS_COUNTRY_CODE")
    contact: KindTable = KindTable(numbers=("PHONE",), region="ADDRESS_COUNTRY_CODE")
    company: KindTable = KindTable(numbers=("PHONE",))
    deals: bool = True
    """Read the open deal of each contact and company; one more request for a page."""
    sources: dict[str, SourceTable] = Field(default_factory=dict)
    overlap_seconds: int = Field(30, ge=0, le=3600)
    batch: int = Field(20, ge=1, le=25)
    """A call takes two of the fifty commands of a request at most."""
    in_flight: int = Field(2, ge=1, le=8)
    per_second: float = Field(2.0, gt=0)
    burst: int = Field(40, ge=1)
    timeout_seconds: float = Field(70.0, gt=0, le=600)
    unsure_seconds: float = Field(70.0, ge=0)
    """A request may run for 60 s there."""

    def kind(self, name: str) -> KindTable:
        """Return how records of a kind are read."""
        return {"lead": self.lead, "contact": self.contact, "company": self.company}[name]


def type_of(ref: RecordRef) -> int:
    """Return the number of a record's kind. Raises BadInput for a kind or an id that Bitrix24 cannot have."""
    if ref.kind not in TYPES:
        raise BadInput(f"{ref}: Bitrix24 has no kind {ref.kind!r}; there are: {', '.join(TYPES)}")
    if not ref.id.isdecimal():
        raise BadInput(f"{ref}: ids of Bitrix24 are numbers")
    return TYPES[ref.kind]
