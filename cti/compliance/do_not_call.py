"""Who must not be called: the own list and imported registers, changed and filled. A service that clears away the old.

A register is filled beside the one that counts, and takes its place in one small write: at every moment the old one or
the new one is asked, whole.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from cti.clock import Clock
from cti.compliance.facts import Listed, Wanted
from cti.compliance.listings import EVERY_CAMPAIGN, After, Listing, ListingStep, NewListing, Register
from cti.compliance.ports import ComplianceStore, DoNotCallStore
from cti.compliance.register_file import NumberReader, number_key
from cti.errors import BadInput, Conflict
from cti.model.contacts import Candidate, RowRefused
from cti.service import every

KEYS_AT_ONCE: Final = 2_000
"""Of a register, in one commit: calls' writes wait some 10 ms for it."""
ENTRIES_AT_ONCE: Final = 500
SLICE_BYTES: Final = 8_192
"""Some six hundred lines, after which calls get their turn."""
REFUSED_KEPT: Final = 100
"""Refused lines that are told; all are counted."""
SWEEP_SECONDS: Final = 3_600.0
SHRINK: Final = 0.5
"""A new register of less than this share of the old one is taken for a file that was cut off."""


@dataclass(slots=True)
class FileReading:
    """What was read of a file so far."""

    taken: int = 0
    refused_count: int = 0
    refused: list[RowRefused] = field(default_factory=list)
    """The first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterImport:
    """What became of a register's file."""

    register: Register
    replaced: Register | None
    reading: FileReading


class DoNotCall:
    """The lists, for API and command line."""

    name = "do-not-call"

    def __init__(
        self, *, store: DoNotCallStore, facts: ComplianceStore, clock: Clock, region: str = ""
    ) -> None:
        """`region`: two-letter country of numbers that are written without one."""
        self._store = store
        self._facts = facts
        self._clock = clock
        self._region = region
        self._filling: dict[int, str] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Delete what no longer counts, for ever."""
        await every(SWEEP_SECONDS, self.step, name=self.name, wake=self._wake)

    async def step(self) -> None:
        """Delete replaced registers and what a broken import left, in bites."""
        gone = 1
        while gone:
            gone = await self._store.forget_registers(keep=self._filling, at_most=KEYS_AT_ONCE)

    async def add(
        self,
        numbers: Sequence[str],
        *,
        campaign_id: int = EVERY_CAMPAIGN,
        reason: str = "",
        until: datetime | None = None,
        by: str,
    ) -> int:
        """List numbers, or beginnings with a star. Returns how many were not listed before.

        Raises BadInput naming the number, and then lists none; NotFound for an unknown campaign.
        """
        now = self._ends_later(until)
        keys = [number_key(number, region=self._region) for number in numbers]
        entries = [NewListing(key=key, campaign_id=campaign_id, reason=reason, until=until) for key in keys]
        return await self._store.add(entries, by=by, at=now)

    async def add_file(
        self,
        chunks: AsyncIterator[bytes],
        *,
        campaign_id: int = EVERY_CAMPAIGN,
        reason: str = "",
        until: datetime | None = None,
        by: str,
    ) -> FileReading:
        """List the numbers of a file, in bites as they come; lines that hold none are told. Raises as `add`."""
        now = self._ends_later(until)
        reading = FileReading()
        async for keys in self._bites(chunks, reading, ENTRIES_AT_ONCE):
            await self._store.add(
                [NewListing(key=key, campaign_id=campaign_id, reason=reason, until=until) for key in keys],
                by=by,
                at=now,
            )
        if not reading.taken:
            raise BadInput(_nothing(reading))
        return reading

    async def remove(self, number: str, *, campaign_id: int = EVERY_CAMPAIGN, reason: str, by: str) -> str:
        """Take an entry out and return its key. Raises BadInput, NotFound."""
        key = number_key(number, region=self._region)
        await self._store.remove(key, campaign_id, by=by, reason=reason, at=self._clock.now())
        return key

    async def listings(
        self, *, beginning: str, campaign_id: int | None, after: After, limit: int
    ) -> list[Listing]:
        """List entries, see the store."""
        return await self._store.listings(
            beginning=beginning, campaign_id=campaign_id, after=after, limit=limit
        )

    async def check(
        self, number: str, *, campaign_id: int = EVERY_CAMPAIGN
    ) -> tuple[str, Sequence[Listed], list[ListingStep]]:
        """Return the number's key, all that it falls under now, and its own history. Raises BadInput."""
        key = number_key(number, region=self._region)
        wanted = Wanted(campaign_id=campaign_id, now=self._clock.now())
        asked = Candidate(
            entry_id=0, list_id=0, campaign_id=campaign_id, contact_id=0, number_id=0, number=key, name=""
        )
        [facts] = await self._facts.facts([asked], wanted)
        return key, facts.listed, await self._store.history(key)

    async def registers(self) -> list[Register]:
        """List the registers that count."""
        return await self._store.registers()

    async def end_register(self, name: str) -> None:
        """Let a register count no more. Raises NotFound."""
        await self._store.end_register(name)
        self._wake.set()

    async def import_register(
        self,
        chunks: AsyncIterator[bytes],
        *,
        name: str,
        source: str,
        as_of: date | None = None,
        may_shrink: bool = False,
        by: str,
    ) -> RegisterImport:
        """Fill a register from a file, then let it count in place of the one of its name.

        Until then the old one counts, also when this fails. Raises BadInput when no line, or not even half of them,
        holds a number; Conflict when one of this name is being filled, or when less than half of the old one would be
        left (a file that was cut off?) and `may_shrink` does not allow it.
        """
        if name in self._filling.values():
            raise Conflict(f"the register {name} is being imported already")
        now = self._clock.now()
        number = await self._store.begin_register(
            name=name, source=source, as_of=(as_of or now.date()).isoformat(), by=by, at=now
        )
        self._filling[number] = name
        try:
            reading = FileReading()
            async for keys in self._bites(chunks, reading, KEYS_AT_ONCE):
                await self._store.add_to_register(number, keys)
            old = next((one for one in await self._store.registers() if one.name == name), None)
            _must_be_whole(reading, old, may_shrink=may_shrink)
            register = await self._store.finish_register(number, refused=reading.refused_count)
        finally:
            del self._filling[number]
            self._wake.set()
        return RegisterImport(register=register, replaced=old, reading=reading)

    async def _bites(
        self, chunks: AsyncIterator[bytes], reading: FileReading, size: int
    ) -> AsyncIterator[Sequence[str]]:
        """Give the keys of a file, so many at a time."""
        reader = NumberReader(region=self._region)
        keys: list[str] = []
        async for chunk in chunks:
            for at in range(0, len(chunk), SLICE_BYTES):
                keys += _taken(reader.feed(chunk[at : at + SLICE_BYTES]), reading)
                while len(keys) >= size:
                    yield keys[:size]
                    keys = keys[size:]
                await asyncio.sleep(0)
        keys += _taken(reader.finish(), reading)
        if keys:
            yield keys

    def _ends_later(self, until: datetime | None) -> datetime:
        now = self._clock.now()
        if until is not None and until <= now:
            raise BadInput("until: is over already; the entry would never count")
        return now


def _taken(read: Iterable[str | RowRefused], reading: FileReading) -> list[str]:
    """Return the keys, and count what was refused."""
    keys = []
    for one in read:
        if isinstance(one, str):
            keys.append(one)
            continue
        reading.refused_count += 1
        if len(reading.refused) < REFUSED_KEPT:
            reading.refused.append(one)
    reading.taken += len(keys)
    return keys


def _must_be_whole(reading: FileReading, old: Register | None, *, may_shrink: bool) -> None:
    if reading.taken <= reading.refused_count:
        raise BadInput(_nothing(reading))
    if old is not None and not may_shrink and reading.taken < SHRINK * old.numbers:
        raise Conflict(
            f"the file has {reading.taken} numbers where the register {old.name} of {old.as_of} has {old.numbers};"
            " if it is whole, say that it may be smaller"
        )


def _nothing(reading: FileReading) -> str:
    first = f"; line {reading.refused[0].line}: {reading.refused[0].reason}" if reading.refused else ""
    few = f"only {reading.taken} lines hold a number" if reading.taken else "no line holds a number"
    return f"{few}, {reading.refused_count} are refused{first}"
