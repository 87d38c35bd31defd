"""What the reading part of the contract suite needs of a CRM besides its adapter."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from crm_sync.port import Crm, PulledRecord
from cti.model.crm import RecordRef
from tests.builders import NOW
from tests.contract.crm.houses import StrictHouse
from tests.contract.crm.rest_server import RestHouse
from tests.fakes.strict_crm import SOURCE


class ReadingHouse(Protocol):
    """A CRM with records."""

    crm: Crm
    source: str
    """A source that gives every record of `add_record`."""

    async def add_record(self, number: int, *, changed_seconds: float, phone: str) -> RecordRef:
        """Put a record there, called `Person {number}`, last changed so long after NOW."""
        ...

    async def remove_record(self, ref: RecordRef) -> None:
        """Delete it as a user would."""
        ...

    async def follow_ups(self, key: str) -> Sequence[Mapping[str, Any]]:
        """Return what is open there under this key, read past the adapter: `id`, `at`, `home`."""
        ...


class StrictReading:
    """The CRM in memory."""

    source = SOURCE

    def __init__(self, house: StrictHouse) -> None:
        self.crm = house.crm
        self._server = house.server

    async def add_record(self, number: int, *, changed_seconds: float, phone: str) -> RecordRef:
        record = PulledRecord(
            ref=RecordRef("lead", str(number)),
            name=f"Person {number}",
            numbers=(phone,),
            changed_at=NOW + timedelta(seconds=changed_seconds),
        )
        self._server.records.append(record)
        return record.ref

    async def remove_record(self, ref: RecordRef) -> None:
        self._server.records = [one for one in self._server.records if one.ref != ref]

    async def follow_ups(self, key: str) -> Sequence[Mapping[str, Any]]:
        return [
            {"id": key, "at": at.isoformat(), "home": ref.id}
            for own, (ref, at, _) in self._server.tasks.items()
            if own == key
        ]


def reading(house: Any) -> ReadingHouse | None:
    """Return the house as one that can be read, None: its records cannot be put there."""
    if isinstance(house, StrictHouse):
        return StrictReading(house)
    if isinstance(house, RestHouse):
        return house.reading
    return house if hasattr(house, "add_record") else None
