"""`BulkStore` on the database: actions on many contacts, carried out in bites that calls do not wait for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.bulk_ports import Judge
from cti.contacts.changes import Change, Subject, change_of
from cti.errors import Conflict, NotFound
from cti.model.bulk import BULK_WORK, BulkAction, BulkKind, BulkOrder, BulkState
from cti.model.conditions import Condition, Scope
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.change_rows import carry_out
from cti.storage.condition_sql import criterion
from cti.storage.connections import Connections
from cti.storage.contact_rows import subjects
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_bulks, _contacts, _changes = tables.bulk_actions.c, tables.contacts.c, tables.contact_changes.c
_ONE: Final = select(tables.bulk_actions)


class SqlBulk:
    """Actions on many: begun, gone on with bite by bite, looked at."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)

    @to_the_end
    async def begin(self, order: BulkOrder, condition: Condition, *, at: datetime) -> BulkAction:
        """See the port."""
        # counted before anything is locked: on SQLite calls would wait for it
        async with self._connections.reading() as connection:
            matched, last_id = (await connection.execute(_size(order, condition))).one()
        async with self._connections.writing() as connection:
            argument = await _with_list(connection, order, at)
            row = {
                "kind": order.kind.value,
                "argument": argument,
                "condition": dict(order.condition),
                "by": order.by,
                "at": at,
                "state": BulkState.RUNNING.value,
                "matched": matched,
                "last_id": last_id or 0,
                "counts": {},
                "undoes": order.undoes,
            }
            new = insert(tables.bulk_actions).values(row).returning(_bulks.id)
            bulk_id = (await connection.execute(new)).scalar_one()
            if order.undoes is not None:
                await _mark_undone(connection, order.undoes, bulk_id)
            work = NewWork(kind=BULK_WORK, key=str(bulk_id), payload={"id": bulk_id})
            await self._works.write(connection, [work], now=at)
            return _action((await connection.execute(_ONE.where(_bulks.id == bulk_id))).one())

    @to_the_end
    async def action(self, bulk_id: int) -> BulkAction:
        """See the port."""
        async with self._connections.reading() as connection:
            return _action(await _get(connection, bulk_id, lock=False))

    @to_the_end
    async def actions(self, *, limit: int, before: int | None = None) -> list[BulkAction]:
        """See the port."""
        question = _ONE.order_by(_bulks.id.desc()).limit(limit)
        if before is not None:
            question = question.where(_bulks.id < before)
        async with self._connections.reading() as connection:
            return [_action(row) for row in await connection.execute(question)]

    @to_the_end
    async def campaign_of_list(self, list_id: int) -> int | None:
        """See the port."""
        async with self._connections.reading() as connection:
            lists = tables.lists.c
            return await connection.scalar(select(lists.campaign_id).where(lists.id == list_id))

    @to_the_end
    async def look(self, contact_ids: Sequence[int]) -> list[Subject]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await subjects(connection, contact_ids, lock=False)

    @to_the_end
    async def next_ids(self, condition: Condition, *, after: int, last: int | None, limit: int) -> list[int]:
        """See the port."""
        question = _next_ids(condition, after, limit)
        if last is not None:
            question = question.where(_contacts.id <= last)
        async with self._connections.reading() as connection:
            return list((await connection.execute(question)).scalars())

    @to_the_end
    async def note(self, bulk_id: int, *, position: int, done: int, left: Mapping[str, int]) -> BulkAction:
        """See the port."""
        async with self._connections.writing() as connection:
            now = _action(await _get(connection, bulk_id, lock=True))
            counts = Counter(now.counts) + Counter(left)
            values = {"done": now.done + done, "counts": dict(counts), "position": position}
            await connection.execute(update(tables.bulk_actions).where(_bulks.id == bulk_id).values(values))
            return _action(await _get(connection, bulk_id, lock=False))

    @to_the_end
    async def changed_ids(self, bulk_id: int, *, after: int, limit: int) -> list[int]:
        """See the port."""
        question = (
            select(_changes.contact_id)
            .where(_changes.bulk_id == bulk_id, _changes.contact_id > after)
            .order_by(_changes.contact_id)
            .limit(limit)
        )
        async with self._connections.reading() as connection:
            return list((await connection.execute(question)).scalars())

    @to_the_end
    async def bite(
        self, bulk_id: int, contact_ids: Sequence[int], judge: Judge, *, at: datetime
    ) -> BulkAction:
        """See the port."""
        async with self._connections.writing() as connection:
            now = _action(await _get(connection, bulk_id, lock=True))
            if now.state is BulkState.DONE:
                return now
            ids = [one for one in contact_ids if one > now.position]
            olds = await _changes_of(connection, now, ids) if now.undoes is not None else {}
            changed: list[tuple[int, Change]] = []
            left = Counter(now.counts)
            for subject in await subjects(connection, ids, lock=True):
                verdict = judge(subject, olds.get(subject.id))
                if isinstance(verdict, Change):
                    changed.append((subject.id, verdict))
                else:
                    left[verdict.value] += 1
            kind, by = now.kind.value, now.by
            await carry_out(self._connections, connection, changed, kind=kind, by=by, at=at, bulk_id=bulk_id)
            values: dict[str, Any] = {"done": now.done + len(changed), "counts": dict(left)}
            ended = {"state": BulkState.DONE.value, "finished_at": at}
            values |= ended if not contact_ids else {"position": max(contact_ids[-1], now.position)}
            await connection.execute(update(tables.bulk_actions).where(_bulks.id == bulk_id).values(values))
            if now.kind is BulkKind.LIST:
                taken = update(tables.lists).where(tables.lists.c.id == now.argument["list"])
                await connection.execute(taken.values(taken=values["done"]))
            return _action(await _get(connection, bulk_id, lock=False))


async def _with_list(connection: AsyncConnection, order: BulkOrder, at: datetime) -> dict[str, Any]:
    """Return the argument; of an action that makes a list, with the id of the list, which is made."""
    argument = dict(order.argument)
    if order.kind is not BulkKind.LIST:
        return argument
    facts = {"campaign_id": argument["campaign"], "name": argument["name"]}
    if await connection.scalar(select(tables.lists.c.id).filter_by(**facts)):
        raise Conflict(f"the campaign has a list {argument['name']} already")
    row = {
        **facts,
        "source": "query",
        "taken": 0,
        "created_at": at,
        "priority": argument["priority"],
        "query": dict(order.condition),
    }
    made = await connection.execute(insert(tables.lists).values(row).returning(tables.lists.c.id))
    return argument | {"list": made.scalar_one()}


async def _mark_undone(connection: AsyncConnection, undone: int, by: int) -> None:
    change = (
        update(tables.bulk_actions)
        .where(_bulks.id == undone, _bulks.state == BulkState.DONE.value, _bulks.undone_by.is_(None))
        .values(undone_by=by)
    )
    if (await connection.execute(change)).rowcount == 0:
        raise Conflict(f"the action {undone} is still running, or it was undone before")


def _size(order: BulkOrder, condition: Condition) -> Select[int, Any]:
    if order.undoes is not None:
        changed = _changes.contact_id
        return select(func.count(), func.max(changed)).where(_changes.bulk_id == order.undoes)
    return select(func.count(), func.max(_contacts.id)).where(criterion(condition, Scope.CONTACT))


def _next_ids(condition: Condition, after: int, limit: int) -> Select[Any]:
    matching = select(_contacts.id).where(criterion(condition, Scope.CONTACT), _contacts.id > after)
    return matching.order_by(_contacts.id).limit(limit)


async def _changes_of(
    connection: AsyncConnection, now: BulkAction, contact_ids: Sequence[int]
) -> dict[int, Change]:
    """Return what the action that is undone changed, by contact; one row for each."""
    question = select(_changes.contact_id, _changes.change).where(
        _changes.bulk_id == now.undoes, _changes.contact_id.in_(contact_ids)
    )
    return {row.contact_id: change_of(row.change) for row in await connection.execute(question)}


async def _get(connection: AsyncConnection, bulk_id: int, *, lock: bool) -> Row[Any]:
    question = _ONE.where(_bulks.id == bulk_id)
    row = (await connection.execute(question.with_for_update() if lock else question)).one_or_none()
    if row is None:
        raise NotFound(f"there is no action {bulk_id}")
    return row


def _action(row: Row[Any]) -> BulkAction:
    values = dict(row._mapping)
    return BulkAction(**values | {"kind": BulkKind(row.kind), "state": BulkState(row.state)})
