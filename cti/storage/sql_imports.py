"""`ImportStore` on the database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.doubles import Plan, counted
from cti.contacts.ports import UNDO_BITE
from cti.contacts.staging import Bite
from cti.errors import Conflict, NotFound
from cti.model.campaign_rules import Order
from cti.model.imports import (
    UNFINISHED,
    Import,
    ImportCounts,
    ImportOrder,
    ImportState,
    ReadFile,
    Refusal,
    UndoCounts,
)
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.contact_writes import Into
from cti.storage.import_rows import counts_record, import_of, order_values, read_record
from cti.storage.import_undo import REMOVALS, put_back
from cti.storage.import_writes import keep_refusals, plan_of, write_plan
from cti.storage.uninterrupted import to_the_end

_imports = tables.imports.c


class SqlImports:
    """Imports and what they write."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def add_import(self, order: ImportOrder, *, file: str, size_bytes: int, at: datetime) -> Import:
        """See the port."""
        values = order_values(order) | {"file": file, "size_bytes": size_bytes, "created_at": at}
        async with self._connections.writing() as connection:
            await _must_take(connection, order)
            row = insert(tables.imports).values(**values, state=ImportState.WAITING.value)
            new = (await connection.execute(row.returning(_imports.id))).scalar_one()
            return await _get(connection, new)

    @to_the_end
    async def get_import(self, import_id: int) -> Import:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _get(connection, import_id)

    @to_the_end
    async def imports(
        self, *, campaign_id: int | None = None, before_id: int | None = None, limit: int = 50
    ) -> list[Import]:
        """See the port."""
        wanted = select(tables.imports).order_by(_imports.id.desc()).limit(limit)
        if campaign_id is not None:
            wanted = wanted.where(_imports.campaign_id == campaign_id)
        if before_id is not None:
            wanted = wanted.where(_imports.id < before_id)
        async with self._connections.reading() as connection:
            return [import_of(row) for row in (await connection.execute(wanted)).mappings()]

    @to_the_end
    async def unfinished(self) -> list[Import]:
        """See the port."""
        states = [state.value for state in UNFINISHED]
        wanted = select(tables.imports).where(_imports.state.in_(states)).order_by(_imports.id)
        async with self._connections.reading() as connection:
            return [import_of(row) for row in (await connection.execute(wanted)).mappings()]

    @to_the_end
    async def begin_reading(self, import_id: int) -> Import:
        """See the port."""
        async with self._connections.writing() as connection:
            return await _set(connection, import_id, state=ImportState.READING.value)

    @to_the_end
    async def begin_writing(self, import_id: int, read: ReadFile, *, at: datetime) -> Import:
        """See the port."""
        async with self._connections.writing() as connection:
            now = await _get(connection, import_id)
            await _must_take(connection, now.order)
            values = {
                "campaign_id": now.order.campaign_id,
                "name": now.order.name,
                "source": now.order.source,
                "taken": 0,
                "created_at": at,
                "region": now.order.region,
                "priority": now.order.priority,
                "import_id": import_id,
            }
            new = insert(tables.lists).values(values).returning(tables.lists.c.id)
            list_id = (await connection.execute(new)).scalar_one()
            facts = {"state": ImportState.WRITING.value, "read": read_record(read), "list_id": list_id}
            return await _set(connection, import_id, **facts)

    @to_the_end
    async def write(self, now: Import, bite: Bite, *, order: Order, at: datetime) -> Import:
        """See the port."""
        async with self._connections.writing() as connection:
            row = await _row(connection, now.id)
            if (row["state"], row["position"]) != (ImportState.WRITING.value, now.position):
                raise Conflict(f"import {now.id} has moved on meanwhile")
            plan = await plan_of(connection, now, bite)
            into = Into(
                campaign_id=now.order.campaign_id,
                list_id=row["list_id"],
                priority=now.order.priority,
                order=order,
                at=at,
                import_id=now.id,
            )
            marks = await write_plan(self._connections, connection, plan, into, row["marks"])
            refused = (*bite.refused, *plan.refused)
            kept = marks.get("refusals", 0)
            marks["refusals"] = kept + await keep_refusals(connection, now.id, refused, kept)
            counts = counted(now.counts, plan, now.order.doubles, bite.refused)
            after = replace(now, position=bite.end, rows_done=now.rows_done + len(bite.rows), counts=counts)
            facts = {"position": after.position, "rows_done": after.rows_done, "marks": marks}
            note = update(tables.imports).where(_imports.id == now.id)
            await connection.execute(note.values(**facts, counts=counts_record(counts)))
        return after

    @to_the_end
    async def look(self, now: Import, bite: Bite) -> Plan:
        """See the port."""
        async with self._connections.reading() as connection:
            return await plan_of(connection, now, bite)

    @to_the_end
    async def finish(
        self,
        import_id: int,
        *,
        at: datetime,
        counts: ImportCounts | None = None,
        samples: Sequence[Mapping[str, object]] = (),
        read: ReadFile | None = None,
    ) -> Import:
        """See the port."""
        facts: dict[str, Any] = {"state": ImportState.DONE.value, "finished_at": at}
        if counts is not None:
            facts |= {"counts": counts_record(counts), "samples": [dict(sample) for sample in samples]}
        if read is not None:
            facts["read"] = read_record(read)
        async with self._connections.writing() as connection:
            done = await _set(connection, import_id, **facts)
            taken = done.counts.added + done.counts.joined
            lists = update(tables.lists).where(tables.lists.c.id == done.list_id).values(taken=taken)
            await connection.execute(lists)
            return done

    @to_the_end
    async def add_refusals(self, import_id: int, bite: Bite) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            marks = (await _row(connection, import_id))["marks"]
            kept = marks.get("refusals", 0)
            marks["refusals"] = kept + await keep_refusals(connection, import_id, bite.refused, kept)
            await _set(connection, import_id, marks=marks)

    @to_the_end
    async def fail(self, import_id: int, error: str, *, at: datetime) -> Import:
        """See the port."""
        async with self._connections.writing() as connection:
            facts = {"state": ImportState.FAILED.value, "error": error, "finished_at": at}
            return await _set(connection, import_id, **facts)

    @to_the_end
    async def begin_undo(self, import_id: int, *, by: str, at: datetime, error: str | None = None) -> Import:
        """See the port."""
        wanted = ImportState.WRITING if error else ImportState.DONE
        async with self._connections.writing() as connection:
            now = await _get(connection, import_id)
            if now.state is not wanted or now.order.dry_run:
                what = "was a dry run" if now.order.dry_run else f"is {now.state.value}"
                raise Conflict(f"import {import_id} {what}: only what is done can be undone")
            facts = {"state": ImportState.UNDOING.value, "undone_by": by, "undone_at": at, "error": error}
            return await _set(connection, import_id, **facts, position=0, undo=asdict(UndoCounts()))

    @to_the_end
    async def undo_bite(self, import_id: int, *, at: datetime) -> Import:
        """See the port."""
        async with self._connections.writing() as connection:
            row = await _row(connection, import_id)
            done, marks = UndoCounts(**row["undo"]), row["marks"]
            done, more = await put_back(connection, import_id, done)
            if more:
                return await _set(connection, import_id, undo=asdict(done))
            for kind, remove in REMOVALS:
                first, last = marks.get(kind, (1, 0))
                if first <= last:
                    end = min(first + UNDO_BITE - 1, last)
                    done = await remove(connection, row, first, end, done)
                    marks[kind] = [end + 1, last]
                    return await _set(connection, import_id, undo=asdict(done), marks=marks)
            return await _undone(connection, import_of(row), at)

    @to_the_end
    async def refusals(self, import_id: int, *, after_id: int = 0, limit: int = 100) -> list[Refusal]:
        """See the port."""
        columns = tables.import_refusals.c
        wanted = (
            select(columns.id, columns.line, columns.code, columns.reason)
            .where(columns.import_id == import_id, columns.id > after_id)
            .order_by(columns.id)
            .limit(limit)
        )
        async with self._connections.reading() as connection:
            await _row(connection, import_id)
            return [Refusal(**row) for row in (await connection.execute(wanted)).mappings()]


async def _undone(connection: AsyncConnection, now: Import, at: datetime) -> Import:
    """Note the end of an undoing. A list that nothing is left of gives its name free."""
    kept = now.undo.entries_kept if now.undo else 0
    values: dict[str, Any] = {"taken": kept}
    if not kept:
        values["name"] = f"{now.order.name} (import {now.id}, undone)"
    await connection.execute(update(tables.lists).where(tables.lists.c.id == now.list_id).values(values))
    state = ImportState.FAILED if now.error else ImportState.UNDONE
    return await _set(connection, now.id, state=state.value, finished_at=at)


async def _must_take(connection: AsyncConnection, order: ImportOrder) -> None:
    campaigns, lists = tables.campaigns.c, tables.lists.c
    if await connection.scalar(select(campaigns.id).where(campaigns.id == order.campaign_id)) is None:
        raise NotFound(f"there is no campaign {order.campaign_id}")
    taken = select(func.count()).where(lists.campaign_id == order.campaign_id, lists.name == order.name)
    if await connection.scalar(taken):
        raise Conflict(f"the campaign has a list {order.name} already")


async def _row(connection: AsyncConnection, import_id: int) -> dict[str, Any]:
    wanted = select(tables.imports).where(_imports.id == import_id)
    row = (await connection.execute(wanted)).mappings().first()
    if row is None:
        raise NotFound(f"there is no import {import_id}")
    return dict(row)


async def _get(connection: AsyncConnection, import_id: int) -> Import:
    return import_of(await _row(connection, import_id))


async def _set(connection: AsyncConnection, import_id: int, **facts: Any) -> Import:
    await connection.execute(update(tables.imports).where(_imports.id == import_id).values(**facts))
    return await _get(connection, import_id)
