"""`CallStore` on the database: attempts and calls."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.clock import Clock
from cti.dialer.call_ports import no_works
from cti.dialer.retry import done_after_one
from cti.errors import NotFound
from cti.model.calls import Call, CallState
from cti.model.contacts import Candidate, EntryState
from cti.model.standing import Plan
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.call_rows import (
    CALL_COLUMNS,
    CALL_FIELDS,
    agent_legs,
    attempt_values,
    call_of,
    call_values,
    customer_leg,
)
from cti.storage.connections import Connections, Upsert
from cti.storage.effort_rows import note_efforts
from cti.storage.entry_moves import end_entries, reconsider
from cti.storage.leg_rows import read_joins
from cti.storage.reason_rows import dialed_row
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_SETTLED_AT_PLACING: Final = frozenset(
    {
        "id",
        "node",
        "number",
        "placed_at",
        "trunk",
        "campaign_id",
        "list_id",
        "contact_id",
        "number_id",
        "owner_agent_id",
        "crm_ref",
        "try_number",
        "ring_seconds",
        "grace_seconds",
        "mode",
        "caller_id",
        "next_trunk",
        "machines",
        "grace_start",
        "answer_chance",
        "why",
    }
)
"""Fields of a call that its progress never changes: leaving them out of the update spares their indexes. (Whoever talks
may choose another `crm_ref`, see `set_record`; no snapshot from before takes that back.)"""

_FREE_ENTRIES: Final = (
    select(tables.list_entries.c.id)
    .where(
        tables.list_entries.c.id.in_(bindparam("entry_ids", expanding=True)),
        tables.list_entries.c.state == EntryState.PENDING.value,
    )
    # what another engine is taking at this moment is taken; SQLite needs no row locks, it has one writer
    .with_for_update(skip_locked=True, key_share=True)
)
_TAKE_ENTRY: Final = (
    update(tables.list_entries)
    .where(tables.list_entries.c.id == bindparam("entry"))
    .values(
        state=EntryState.DIALING.value,
        tries=tables.list_entries.c.tries + 1,
        call_id=bindparam("call"),
    )
)
_ADD_REASON: Final = insert(tables.entry_reasons)
_KNOWN: Final = select(tables.calls.c.id, tables.calls.c.state).where(
    tables.calls.c.id.in_(bindparam("call_ids", expanding=True))
)
_OPEN: Final = select(*CALL_COLUMNS).where(tables.open_only).order_by(tables.calls.c.id)
_ONE: Final = select(*CALL_COLUMNS).where(tables.calls.c.id == bindparam("call_id"))
_VERDICT: Final = (
    select(tables.calls.c.disposition).where(tables.calls.c.id == bindparam("call_id")).with_for_update()
)
_THIS_CALL: Final = update(tables.calls).where(tables.calls.c.id == bindparam("call"))


_Pair = tuple[Call, Candidate | None]


class SqlCalls:
    """Calls, attempts, legs; and the list entries as far as calls move them."""

    def __init__(self, connections: Connections, *, clock: Clock) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._clock = clock
        self._works = WorkWriter(connections)
        self._in_order = asyncio.Lock()
        self._add_call = connections.insert(tables.calls)
        self._add_attempt = connections.insert(tables.attempts)
        self._add_leg = connections.insert(tables.legs)
        self._save_call = _save_call(connections)
        self._save_attempt = _save_attempt(connections)
        self._save_leg = _save_leg(connections)

    @to_the_end
    async def place(self, calls: Sequence[_Pair]) -> list[str]:
        """See the port."""
        if not calls:
            return []
        async with self._connections.writing() as connection:
            free = await _free_entries(connection, calls)
            taken = _first_of_each_entry(calls, free)
            known = await _states(connection, [call.id for call, _ in calls if call.id not in taken])
            new = [
                (call, one)
                for call, one in calls
                if call.id in taken or (one is None and call.id not in known)
            ]
            if new:
                await self._add(connection, new)
        committed = {call.id for call, _ in new}
        committed |= {call_id for call_id, state in known.items() if state == CallState.PLACING}
        return [call.id for call, _ in calls if call.id in committed]

    async def _add(self, connection: AsyncConnection, pairs: Sequence[_Pair]) -> None:
        moved = [{"entry": one.entry_id, "call": call.id} for call, one in pairs if one is not None]
        if moved:
            await connection.execute(_TAKE_ENTRY, moved)
        await connection.execute(self._add_call, [call_values(call) for call, _ in pairs])
        await connection.execute(self._add_attempt, [attempt_values(call, one) for call, one in pairs])
        await connection.execute(self._add_leg, [customer_leg(call) for call, _ in pairs])
        dialed = [dialed_row(call, one) for call, one in pairs if one is not None]
        if dialed:
            await connection.execute(_ADD_REASON, dialed)

    @to_the_end
    async def save(
        self, calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        """See the port."""
        newest = _newest(calls)
        ended = [call for call in newest if call.ended]
        stays = [leg for call in newest for leg in agent_legs(call)] + [customer_leg(call) for call in ended]
        # of two saves asked for one after the other the later must not be overtaken, on connections of their own
        async with self._in_order, self._connections.writing() as connection:
            if newest:
                await connection.execute(self._save_call, [call_values(call) for call in newest])
            if stays:
                await connection.execute(self._save_leg, stays)
            if ended:
                await note_efforts(connection, ended)
                await connection.execute(self._save_attempt, [attempt_values(call, None) for call in ended])
                await end_entries(connection, ended, plan=plan, at=self._clock.now())
            await self._works.write(connection, works, now=self._moment_of(newest))

    def _moment_of(self, calls: Sequence[Call]) -> datetime:
        """Return "at once" for work about these calls: not later than now by the caller's clock, nor by ours."""
        known = [moment for call in calls for moment in (call.placed_at, call.ended_at) if moment]
        return min(max(known, default=self._clock.now()), self._clock.now())

    @to_the_end
    async def open_calls(self) -> list[Call]:
        """See the port."""
        return await self._read(_OPEN)

    @to_the_end
    async def get(self, call_id: str) -> Call | None:
        """See the port."""
        found = await self._read(_ONE.params(call_id=call_id))
        return found[0] if found else None

    async def _read(self, question: Select[Any]) -> list[Call]:
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question)).all()
            joins = await read_joins(connection, [row.id for row in rows])
        return [call_of(row, joins[row.id]) for row in rows]

    @to_the_end
    async def set_disposition(
        self,
        call_id: str,
        *,
        agent_id: int | None,
        disposition: str,
        note: str,
        at: datetime,
        plan: Plan = done_after_one,
        works: Callable[[str | None], Sequence[NewWork]] = no_works,
    ) -> str | None:
        """See the port."""
        verdict = _THIS_CALL.values(disposition=disposition, note=note, disposed_by=agent_id, disposed_at=at)
        async with self._connections.writing() as connection:
            known = (await connection.execute(_VERDICT, {"call_id": call_id})).one_or_none()
            if known is None:
                raise NotFound(f"there is no call {call_id}")
            before: str | None = known.disposition
            await connection.execute(verdict, {"call": call_id})
            row = (await connection.execute(_ONE, {"call_id": call_id})).one()
            call = call_of(row, ())
            if call.ended:
                await reconsider(connection, call, plan=plan, at=at)
            await self._works.write(connection, works(before), now=at)
        return before

    @to_the_end
    async def set_record(
        self, call_id: str, crm_ref: str, *, at: datetime, works: Callable[[Call], Sequence[NewWork]]
    ) -> Call:
        """See the port."""
        async with self._connections.writing() as connection:
            await connection.execute(_THIS_CALL.values(crm_ref=crm_ref), {"call": call_id})
            row = (await connection.execute(_ONE, {"call_id": call_id})).one_or_none()
            if row is None:
                raise NotFound(f"there is no call {call_id}")
            call = call_of(row, (await read_joins(connection, [call_id]))[call_id])
            await self._works.write(connection, works(call), now=at)
        return call


async def _free_entries(connection: AsyncConnection, pairs: Iterable[_Pair]) -> set[int]:
    """Lock the entries that are still pending and return their ids."""
    wanted = sorted({candidate.entry_id for _, candidate in pairs if candidate is not None})
    if not wanted:
        return set()
    return set((await connection.execute(_FREE_ENTRIES, {"entry_ids": wanted})).scalars())


def _first_of_each_entry(pairs: Iterable[_Pair], free: set[int]) -> set[str]:
    """Return the ids of the calls that get a free entry: one call for each."""
    first = {
        candidate.entry_id: call.id for call, candidate in reversed(list(pairs)) if candidate is not None
    }
    return {call_id for entry_id, call_id in first.items() if entry_id in free}


async def _states(connection: AsyncConnection, call_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the states of those calls that are stored already."""
    if not call_ids:
        return {}
    return {row.id: row.state for row in await connection.execute(_KNOWN, {"call_ids": call_ids})}


def _newest(calls: Iterable[Call]) -> list[Call]:
    """Return one snapshot of each call, the last one unless only an earlier one has ended; in one order for all.

    Two writers that lock rows in different orders would deadlock.
    """
    newest: dict[str, Call] = {}
    for call in calls:
        before = newest.get(call.id)
        if before is None or call.ended or not before.ended:
            newest[call.id] = call
    return [newest[call_id] for call_id in sorted(newest)]


def _save_call(connections: Connections) -> Upsert:
    insert = connections.insert(tables.calls)
    moving = [name for name in CALL_FIELDS if name not in _SETTLED_AT_PLACING] + ["is_open"]
    return insert.on_conflict_do_update(
        index_elements=[tables.calls.c.id],
        set_={name: insert.excluded[name] for name in moving},
        where=or_(tables.calls.c.is_open, ~insert.excluded.is_open),
    )


def _save_attempt(connections: Connections) -> Upsert:
    insert = connections.insert(tables.attempts)
    return insert.on_conflict_do_update(
        index_elements=[tables.attempts.c.call_id],
        set_={name: insert.excluded[name] for name in ("ended_at", "outcome", "end_reason")},
    )


def _save_leg(connections: Connections) -> Upsert:
    insert = connections.insert(tables.legs)
    stored, new = tables.legs.c, insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[stored.call_id, stored.position],
        # an older snapshot must not re-open a stay that is over
        set_={"agent_id": new.agent_id, "ended_at": func.coalesce(new.ended_at, stored.ended_at)},
    )
