"""`DoNotCallStore` on the database. A register of millions is filled and emptied in bites; one small write swaps it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

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
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_own, _changes = tables.do_not_call, tables.do_not_call_changes
_registers, _numbers = tables.registers, tables.register_numbers
_AFTER_ALL: Final = "~"
"""Sorts after every character of a key."""
_KNOWN: Final = select(_own.c.key, _own.c.campaign_key).where(
    _own.c.key.in_(bindparam("keys", expanding=True))
)
_HISTORY: Final = select(_changes).where(_changes.c.key == bindparam("key")).order_by(_changes.c.id)
_CURRENT: Final = select(_registers).where(tables.current_only).order_by(_registers.c.name)
_OLD: Final = (
    select(_registers.c.id).where(_registers.c.state != RegisterState.CURRENT.value).order_by(_registers.c.id)
)


class SqlDoNotCall:
    """Entries with their history, and registers."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._add_number = connections.insert(_numbers).on_conflict_do_nothing()

    @to_the_end
    async def add(self, entries: Sequence[NewListing], *, by: str, at: datetime) -> int:
        """See the port."""
        if not entries:
            return 0
        async with self._connections.writing() as connection:
            await _must_know(connection, {entry.campaign_id for entry in entries})
            return await add_listings(self._connections, connection, entries, by=by, at=at)

    @to_the_end
    async def remove(self, key: str, campaign_id: int, *, by: str, reason: str, at: datetime) -> None:
        """See the port."""
        gone = delete(_own).where(_own.c.key == key, _own.c.campaign_key == campaign_id)
        async with self._connections.writing() as connection:
            if (await connection.execute(gone)).rowcount == 0:
                raise NotFound(f"{key} does not stand in this do-not-call list")
            step = _step(key, campaign_id, ListingChange.REMOVED, reason, None, by, at)
            await connection.execute(insert(_changes), [step])

    @to_the_end
    async def listings(
        self, *, beginning: str = "", campaign_id: int | None = None, after: After = START, limit: int
    ) -> list[Listing]:
        """See the port."""
        key, campaign_key = after
        behind = or_(_own.c.key > key, and_(_own.c.key == key, _own.c.campaign_key > campaign_key))
        question = select(_own).where(_own.c.key >= key, behind).order_by(_own.c.key, _own.c.campaign_key)
        if beginning:
            question = question.where(_own.c.key >= beginning, _own.c.key < beginning + _AFTER_ALL)
        if campaign_id is not None:
            question = question.where(_own.c.campaign_key == campaign_id)
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question.limit(limit))).mappings().all()
        return [_listing(dict(row)) for row in rows]

    @to_the_end
    async def history(self, key: str) -> list[ListingStep]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_HISTORY, {"key": key})).all()
        return [
            ListingStep(
                key=row.key,
                campaign_id=row.campaign_key,
                change=ListingChange(row.change),
                reason=row.reason,
                until=row.until,
                by=row.changed_by,
                at=row.at,
            )
            for row in rows
        ]

    @to_the_end
    async def registers(self) -> list[Register]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_register(dict(row)) for row in (await connection.execute(_CURRENT)).mappings()]

    @to_the_end
    async def begin_register(self, *, name: str, source: str, as_of: str, by: str, at: datetime) -> int:
        """See the port."""
        row = insert(_registers).values(
            name=name,
            source=source,
            as_of=as_of,
            numbers=0,
            refused=0,
            state=RegisterState.LOADING.value,
            imported_by=by,
            imported_at=at,
        )
        async with self._connections.writing() as connection:
            return int((await connection.execute(row.returning(_registers.c.id))).scalar_one())

    @to_the_end
    async def add_to_register(self, register_id: int, keys: Sequence[str]) -> None:
        """See the port."""
        if not keys:
            return
        rows = [{"register_id": register_id, "key": key} for key in keys]
        async with self._connections.writing() as connection:
            await connection.execute(self._add_number, rows)

    @to_the_end
    async def finish_register(self, register_id: int, *, refused: int) -> Register:
        """See the port. Counts its rows first, in a transaction of its own: nobody waits for that."""
        counting = select(func.count()).select_from(_numbers).where(_numbers.c.register_id == register_id)
        async with self._connections.reading() as connection:
            count = int(await connection.scalar(counting) or 0)
        async with self._connections.writing() as connection:
            named = select(_registers.c.name).where(_registers.c.id == register_id)
            name = await connection.scalar(named)
            if name is None:
                raise NotFound(f"there is no register {register_id}")
            await connection.execute(_replaced(name))
            now = {"numbers": count, "refused": refused, "state": RegisterState.CURRENT.value}
            ours = update(_registers).where(_registers.c.id == register_id).values(now)
            row = (await connection.execute(ours.returning(_registers))).mappings().one()
            return _register(dict(row))

    @to_the_end
    async def end_register(self, name: str) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            if (await connection.execute(_replaced(name))).rowcount == 0:
                raise NotFound(f"there is no register {name!r}")

    @to_the_end
    async def forget_registers(self, *, keep: Collection[int], at_most: int) -> int:
        """See the port."""
        async with self._connections.writing() as connection:
            for number in (await connection.execute(_OLD)).scalars().all():
                if number in keep:
                    continue
                first = (
                    select(_numbers.c.key)
                    .where(_numbers.c.register_id == number)
                    .order_by(_numbers.c.key)
                    .limit(at_most)
                )
                keys = (await connection.execute(first)).scalars().all()
                if keys:
                    bite = delete(_numbers).where(
                        _numbers.c.register_id == number, _numbers.c.key <= keys[-1]
                    )
                    await connection.execute(bite)
                if len(keys) < at_most:
                    await connection.execute(delete(_registers).where(_registers.c.id == number))
                if keys:
                    return len(keys)
        return 0


async def add_listings(
    connections: Connections,
    connection: AsyncConnection,
    entries: Sequence[NewListing],
    *,
    by: str,
    at: datetime,
) -> int:
    """Write entries and their history into a transaction that is open; return how many were not listed before."""
    once = {(entry.key, entry.campaign_id): entry for entry in entries}
    rows = await connection.execute(_KNOWN, {"keys": list({key for key, _ in once})})
    known = {(row.key, row.campaign_key) for row in rows}
    own = connections.insert(_own)
    add = own.on_conflict_do_update(
        index_elements=[_own.c.key, _own.c.campaign_key],
        set_={"reason": own.excluded.reason, "until": own.excluded.until},
    )
    await connection.execute(add, [_row(entry, by, at) for entry in once.values()])
    steps = [
        _step(entry.key, entry.campaign_id, _change(entry, known), entry.reason, entry.until, by, at)
        for entry in once.values()
    ]
    await connection.execute(insert(_changes), steps)
    return len(once.keys() - known)


async def _must_know(connection: AsyncConnection, campaign_ids: Collection[int]) -> None:
    wanted = set(campaign_ids) - {EVERY_CAMPAIGN}
    if not wanted:
        return
    known = select(tables.campaigns.c.id).where(tables.campaigns.c.id.in_(wanted))
    missing = wanted - set((await connection.execute(known)).scalars())
    if missing:
        raise NotFound(f"there is no campaign {min(missing)}")


def _replaced(name: str) -> Any:
    ours = update(_registers).where(_registers.c.name == name, tables.current_only)
    return ours.values(state=RegisterState.REPLACED.value)


def _row(entry: NewListing, by: str, at: datetime) -> dict[str, Any]:
    values = asdict(entry)
    return {**values, "campaign_key": values.pop("campaign_id"), "added_by": by, "added_at": at}


def _change(entry: NewListing, known: Collection[tuple[str, int]]) -> ListingChange:
    return ListingChange.CHANGED if (entry.key, entry.campaign_id) in known else ListingChange.ADDED


def _step(
    key: str,
    campaign_id: int,
    change: ListingChange,
    reason: str,
    until: datetime | None,
    by: str,
    at: datetime,
) -> dict[str, Any]:
    return {
        "key": key,
        "campaign_key": campaign_id,
        "change": change.value,
        "reason": reason,
        "until": until,
        "changed_by": by,
        "at": at,
    }


def _listing(row: dict[str, Any]) -> Listing:
    return Listing(campaign_id=row.pop("campaign_key"), **row)


def _register(row: dict[str, Any]) -> Register:
    del row["state"]
    return Register(**row)
