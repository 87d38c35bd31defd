"""`DoNotCallStore` in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from cti.compliance.listings import (
    EVERY_CAMPAIGN,
    START,
    After,
    Listing,
    ListingChange,
    ListingStep,
    NewListing,
    Register,
    RegisterState,
)
from cti.errors import NotFound
from tests.fakes.memory_tables import MemoryTables


class MemoryDoNotCall:
    """Entries and registers in dictionaries."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def add(self, entries: Sequence[NewListing], *, by: str, at: datetime) -> int:
        for entry in entries:
            if entry.campaign_id not in (EVERY_CAMPAIGN, *self._tables.campaigns):
                raise NotFound(f"there is no campaign {entry.campaign_id}")
        return sum(self._add(entry, by, at) for entry in entries)

    def _add(self, entry: NewListing, by: str, at: datetime) -> bool:
        known = self._find(entry.key, entry.campaign_id)
        change = ListingChange.CHANGED if known else ListingChange.ADDED
        if known:
            changed = replace(known, reason=entry.reason, until=entry.until)
            self._tables.listings[known.id] = changed
        else:
            number = self._tables.new_id()
            self._tables.listings[number] = Listing(
                id=number,
                key=entry.key,
                campaign_id=entry.campaign_id,
                reason=entry.reason,
                until=entry.until,
                added_by=by,
                added_at=at,
            )
        self._note(entry.key, entry.campaign_id, change, entry.reason, entry.until, by, at)
        return known is None

    async def remove(self, key: str, campaign_id: int, *, by: str, reason: str, at: datetime) -> None:
        known = self._find(key, campaign_id)
        if known is None:
            raise NotFound(f"{key} does not stand in this do-not-call list")
        del self._tables.listings[known.id]
        self._note(key, campaign_id, ListingChange.REMOVED, reason, None, by, at)

    async def listings(
        self, *, beginning: str = "", campaign_id: int | None = None, after: After = START, limit: int
    ) -> list[Listing]:
        found = [
            entry
            for entry in self._tables.listings.values()
            if entry.key.startswith(beginning)
            and (entry.key, entry.campaign_id) > after
            and campaign_id in (None, entry.campaign_id)
        ]
        return sorted(found, key=lambda entry: (entry.key, entry.campaign_id))[:limit]

    async def history(self, key: str) -> list[ListingStep]:
        return [step for step in self._tables.listing_steps if step.key == key]

    async def registers(self) -> list[Register]:
        current = [
            register
            for register in self._tables.registers.values()
            if self._tables.register_states[register.id] is RegisterState.CURRENT
        ]
        return sorted(current, key=lambda register: register.name)

    async def begin_register(self, *, name: str, source: str, as_of: str, by: str, at: datetime) -> int:
        number = self._tables.new_id()
        self._tables.registers[number] = Register(
            id=number,
            name=name,
            source=source,
            as_of=as_of,
            numbers=0,
            refused=0,
            imported_by=by,
            imported_at=at,
        )
        self._tables.register_states[number] = RegisterState.LOADING
        self._tables.register_keys[number] = set()
        return number

    async def add_to_register(self, register_id: int, keys: Sequence[str]) -> None:
        self._tables.register_keys[register_id].update(keys)

    async def finish_register(self, register_id: int, *, refused: int) -> Register:
        register = self._tables.registers.get(register_id)
        if register is None:
            raise NotFound(f"there is no register {register_id}")
        for other in await self.registers():
            if other.name == register.name:
                self._tables.register_states[other.id] = RegisterState.REPLACED
        count = len(self._tables.register_keys[register_id])
        self._tables.registers[register_id] = replace(register, numbers=count, refused=refused)
        self._tables.register_states[register_id] = RegisterState.CURRENT
        return self._tables.registers[register_id]

    async def end_register(self, name: str) -> None:
        for register in await self.registers():
            if register.name == name:
                self._tables.register_states[register.id] = RegisterState.REPLACED
                return
        raise NotFound(f"there is no register {name!r}")

    async def forget_registers(self, *, keep: Collection[int], at_most: int) -> int:
        kept = set(keep) | {register.id for register in await self.registers()}
        for number in [number for number in sorted(self._tables.registers) if number not in kept]:
            keys = self._tables.register_keys[number]
            gone = set(sorted(keys)[:at_most])
            keys -= gone
            if not keys:
                del self._tables.registers[number]
            if gone:
                return len(gone)
        return 0

    def _find(self, key: str, campaign_id: int) -> Listing | None:
        found = (
            entry
            for entry in self._tables.listings.values()
            if (entry.key, entry.campaign_id) == (key, campaign_id)
        )
        return next(found, None)

    def _note(
        self,
        key: str,
        campaign_id: int,
        change: ListingChange,
        reason: str,
        until: datetime | None,
        by: str,
        at: datetime,
    ) -> None:
        self._tables.listing_steps.append(
            ListingStep(
                key=key, campaign_id=campaign_id, change=change, reason=reason, until=until, by=by, at=at
            )
        )
