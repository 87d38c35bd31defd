"""`ImportStore` on the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.doubles import Plan, counted, planned
from cti.contacts.ports import UNDO_BITE
from cti.contacts.staging import Bite
from cti.errors import Conflict, NotFound
from cti.model.campaign_rules import Order
from cti.model.contacts import RowRefused
from cti.model.doubles import DoubleRule, DoubleScope
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
from cti.storage.contact_writes import Into, Joining, add_contacts, add_entries, change_contacts
from cti.storage.import_rows import counts_record, import_of, order_values, read_record
from cti.storage.import_undo import before_image, put_back, remove_contacts, remove_entries
from cti.storage.known_contacts import known_contacts
from cti.storage.uninterrupted import to_the_end

MOST_REFUSALS: Final = 100_000
"""Refused rows that are kept of one import, the first ones; all are counted."""
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
            plan = await self._planned(connection, now, bite)
            into = Into(
                campaign_id=now.order.campaign_id,
                list_id=row["list_id"],
                priority=now.order.priority,
                order=order,
                at=at,
                import_id=now.id,
            )
            marks = await self._write(connection, plan, into, row["marks"])
            refused = (*bite.refused, *plan.refused)
            kept = marks.get("refusals", 0)
            marks["refusals"] = kept + await _add_refusals(connection, now.id, refused, kept)
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
            return await self._planned(connection, now, bite)

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
            marks["refusals"] = kept + await _add_refusals(connection, import_id, bite.refused, kept)
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
            for kind in ("entries", "contacts"):
                first, last = marks.get(kind, (1, 0))
                if first <= last:
                    end = min(first + UNDO_BITE - 1, last)
                    done = await _remove(connection, kind, row, first, end, done)
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

    async def _planned(self, connection: AsyncConnection, now: Import, bite: Bite) -> Plan:
        doubles = now.order.doubles
        if doubles.scope is DoubleScope.FILE and doubles.rule is DoubleRule.SKIP:
            return planned(bite.rows, {}, doubles)
        known = await known_contacts(
            connection,
            (row.contact for row in bite.rows),
            doubles,
            campaign_id=now.order.campaign_id,
            import_id=now.id,
        )
        return planned(bite.rows, known, doubles)

    async def _write(
        self, connection: AsyncConnection, plan: Plan, into: Into, marks: dict[str, Any]
    ) -> dict[str, Any]:
        """Write what is planned; return the marks: which ids this import has made, for its undoing."""
        ids = await add_contacts(self._connections, connection, plan.added, into)
        joining = [
            Joining(contact_id=one, contact=contact, priority=contact.priority)
            for one, contact in zip(ids, plan.added, strict=True)
        ]
        joining += [
            Joining(
                contact_id=change.known.id,
                contact=change.after,
                owner_agent_id=change.known.owner_agent_id,
                priority=change.priority,
            )
            for change in plan.joining
        ]
        await self._keep_images(connection, plan, into)
        await change_contacts(self._connections, connection, list(plan.changes.values()), at=into.at)
        entries = await add_entries(self._connections, connection, joining, into)
        return marks | _spanned("contacts", ids, marks) | _spanned("entries", entries, marks)

    async def _keep_images(self, connection: AsyncConnection, plan: Plan, into: Into) -> None:
        rows = [
            {
                "import_id": into.import_id,
                "contact_id": change.known.id,
                "before": before_image(change.known.contact, change.known.number_ids),
                "changed_at": into.at,
            }
            for change in plan.changes.values()
        ]
        if rows:
            add = self._connections.insert(tables.import_changes)
            newest = {"changed_at": add.excluded.changed_at}
            await connection.execute(
                add.on_conflict_do_update(index_elements=["import_id", "contact_id"], set_=newest), rows
            )


def _spanned(kind: str, ids: Sequence[int], marks: Mapping[str, Any]) -> dict[str, Any]:
    if not ids:
        return {}
    first, last = marks.get(kind, (ids[0], ids[-1]))
    return {kind: [min(first, ids[0]), max(last, ids[-1])]}


async def _remove(
    connection: AsyncConnection, kind: str, row: Mapping[str, Any], first: int, last: int, done: UndoCounts
) -> UndoCounts:
    if kind == "entries":
        return await remove_entries(connection, row["list_id"], first, last, done)
    return await remove_contacts(connection, row["id"], first, last, done)


async def _undone(connection: AsyncConnection, now: Import, at: datetime) -> Import:
    """Note the end of an undoing. A list that nothing is left of gives its name free."""
    kept = now.undo.entries_kept if now.undo else 0
    values: dict[str, Any] = {"taken": kept}
    if not kept:
        values["name"] = f"{now.order.name} (import {now.id}, undone)"
    await connection.execute(update(tables.lists).where(tables.lists.c.id == now.list_id).values(values))
    state = ImportState.FAILED if now.error else ImportState.UNDONE
    return await _set(connection, now.id, state=state.value, finished_at=at)


async def _add_refusals(
    connection: AsyncConnection, import_id: int, refused: Iterable[RowRefused], kept: int
) -> int:
    """Store refused rows as far as there is room; return how many were."""
    rows = [
        {"import_id": import_id, "line": row.line, "code": row.code, "reason": row.reason}
        for row in sorted(refused, key=lambda row: row.line)
    ][: max(0, MOST_REFUSALS - kept)]
    if rows:
        await connection.execute(insert(tables.import_refusals), rows)
    return len(rows)


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
