"""`ReconciliationStore` on the database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.crm.run_pages import after_page, push_of, still_true
from cti.crm.targets import ASKED_FOR, kind_of
from cti.errors import NotFound
from cti.model.crm import RecordRef
from cti.model.crm_reconciliation import (
    CRM_RECONCILE,
    REGULAR,
    Finding,
    FindingKind,
    Found,
    Mended,
    PageResult,
    Reconciliation,
    RunState,
)
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.link_rows import LinkWriter, link_of
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_runs, _findings, _links = tables.crm_reconciliations.c, tables.crm_findings.c, tables.crm_links.c
_work, _calls = tables.work.c, tables.calls.c
_FIELDS: Final = tuple(field.name for field in fields(Reconciliation))
_NOT_OVER: Final = (RunState.WAITING.value, RunState.RUNNING.value)
_IS_OVER: Final = _runs.state.not_in(_NOT_OVER)


class SqlReconciliations:
    """Runs, findings, and what is done about them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)
        self._link_writer = LinkWriter(connections)

    @to_the_end
    async def order(self, run: Reconciliation, *, now: datetime) -> Reconciliation:
        """See the port."""
        async with self._connections.writing() as connection:
            return await self._order(connection, run, now)

    @to_the_end
    async def order_if_due(
        self, run: Reconciliation, *, every: timedelta, now: datetime
    ) -> Reconciliation | None:
        """See the port. The target's row is locked, so that two processes order one run."""
        recent = (
            select(_runs.id)
            .where(
                _runs.target == run.target,
                _runs.ordered_by == REGULAR,
                or_(_runs.ordered_at > now - every, _runs.state.in_(_NOT_OVER)),
            )
            .limit(1)
        )
        async with self._connections.glancing() as connection:
            if (await connection.execute(recent)).first() is not None:
                return None
        async with self._connections.writing() as connection:
            await self._link_writer.lock_target(connection, run.target)
            if (await connection.execute(recent)).first() is not None:
                return None
            return await self._order(connection, run, now)

    async def _order(self, connection: AsyncConnection, run: Reconciliation, now: datetime) -> Reconciliation:
        new = insert(tables.crm_reconciliations).values(_values(run)).returning(_runs.id)
        number: int = (await connection.execute(new)).scalar_one()
        work = NewWork(
            kind=CRM_RECONCILE + run.target, key=str(number), payload={"run": number}, priority=ASKED_FOR
        )
        await self._works.write(connection, [work], now=now)
        return replace(run, id=number)

    @to_the_end
    async def run(self, run_id: int) -> Reconciliation | None:
        """See the port."""
        async with self._connections.glancing() as connection:
            return await _run(connection, run_id)

    @to_the_end
    async def runs(
        self, *, target: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Reconciliation]:
        """See the port."""
        question = select(tables.crm_reconciliations).order_by(_runs.id.desc()).limit(limit)
        if target is not None:
            question = question.where(_runs.target == target)
        if before is not None:
            question = question.where(_runs.id < before)
        async with self._connections.glancing() as connection:
            return [_of_row(row) for row in await connection.execute(question)]

    @to_the_end
    async def latest(self) -> Mapping[str, Reconciliation]:
        """See the port."""
        last = select(func.max(_runs.id)).where(_IS_OVER).group_by(_runs.target)
        async with self._connections.glancing() as connection:
            rows = await connection.execute(select(tables.crm_reconciliations).where(_runs.id.in_(last)))
            return {row.target: _of_row(row) for row in rows}

    @to_the_end
    async def begin(self, run_id: int, *, now: datetime) -> Reconciliation | None:
        """See the port."""
        change = (
            update(tables.crm_reconciliations)
            .where(_runs.id == run_id, _runs.state.in_(_NOT_OVER))
            .values(state=RunState.RUNNING.value, message="", began_at=func.coalesce(_runs.began_at, now))
            .returning(tables.crm_reconciliations)
        )
        async with self._connections.writing() as connection:
            row = (await connection.execute(change)).one_or_none()
        return _of_row(row) if row is not None else None

    @to_the_end
    async def busy(self, target: str, call_ids: Sequence[str]) -> set[str]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _busy(connection, target, call_ids)

    @to_the_end
    async def known(self, call_ids: Sequence[str]) -> set[str]:
        """See the port."""
        question = select(_calls.id).where(_calls.id.in_(list(call_ids)))
        async with self._connections.glancing() as connection:
            return set((await connection.execute(question)).scalars())

    @to_the_end
    async def found(self, run_id: int, page: PageResult, *, now: datetime) -> Reconciliation:
        """See the port. Links are locked in the order of their ids, so that no two writers deadlock."""
        async with self._connections.writing() as connection:
            run = await _run(connection, run_id)
            if run is None:
                raise NotFound(f"there is no reconciliation {run_id}")
            true = await self._still_true(connection, run.target, page.found)
            await self._link_writer.put(connection, [one.after for one in true if one.after is not None])
            works = [push_of(run.target, one.finding.call_id) for one in true if one.push]
            await self._works.write(connection, works, now=now)
            if true:
                rows = [_finding_values(run_id, one.finding) for one in true]
                await connection.execute(insert(tables.crm_findings), rows)
            run = after_page(run, page, [one.finding for one in true])
            change = update(tables.crm_reconciliations).where(_runs.id == run_id).values(_values(run))
            await connection.execute(change)
        return run

    async def _still_true(
        self, connection: AsyncConnection, target: str, found: Sequence[Found]
    ) -> list[Found]:
        ids = sorted({one.finding.call_id for one in found if one.before is not None})
        if not ids:
            return list(found)
        question = (
            select(tables.crm_links)
            .where(_links.target == target, _links.call_id.in_(ids))
            .order_by(_links.call_id)
            .with_for_update()
        )
        links = {row.call_id: link_of(row) for row in await connection.execute(question)}
        return still_true(target, found, links, await _busy(connection, target, ids))

    @to_the_end
    async def end(self, run_id: int, state: RunState, message: str, *, keep: int, now: datetime) -> None:
        """See the port."""
        over = now if state in (RunState.DONE, RunState.FAILED) else None
        change = (
            update(tables.crm_reconciliations)
            .where(_runs.id == run_id)
            .values(state=state.value, message=message, ended_at=over)
            .returning(_runs.target)
        )
        async with self._connections.writing() as connection:
            target = (await connection.execute(change)).scalar_one_or_none()
            old = select(_runs.id).where(_runs.target == target, _IS_OVER).order_by(_runs.id.desc())
            gone = list((await connection.execute(old.offset(keep))).scalars())
            if gone:
                await connection.execute(delete(tables.crm_findings).where(_findings.run_id.in_(gone)))
                await connection.execute(delete(tables.crm_reconciliations).where(_runs.id.in_(gone)))

    @to_the_end
    async def findings(
        self, run_id: int, *, kind: FindingKind | None = None, after: int = 0, limit: int = 100
    ) -> list[tuple[int, Finding]]:
        """See the port."""
        question = (
            select(tables.crm_findings)
            .where(_findings.run_id == run_id, _findings.id > after)
            .order_by(_findings.id)
            .limit(limit)
        )
        if kind is not None:
            question = question.where(_findings.kind == kind.value)
        async with self._connections.glancing() as connection:
            return [(row.id, _finding(row)) for row in await connection.execute(question)]


async def _run(connection: AsyncConnection, run_id: int) -> Reconciliation | None:
    question = select(tables.crm_reconciliations).where(_runs.id == run_id)
    row = (await connection.execute(question)).one_or_none()
    return _of_row(row) if row is not None else None


async def _busy(connection: AsyncConnection, target: str, call_ids: Sequence[str]) -> set[str]:
    kind, keys = _work.kind == kind_of(target), _work.key.in_(list(call_ids))
    open_ = select(_work.key).where(tables.not_done, kind, keys)
    pushed = (
        select(_links.pushed_at)
        .where(_links.target == target, _links.call_id == _work.key)
        .correlate(tables.work)
        .scalar_subquery()
    )
    given_up = select(_work.key).where(
        tables.given_up, kind, keys, or_(pushed.is_(None), pushed < _work.changed_at)
    )
    return set((await connection.execute(open_)).scalars()) | set(
        (await connection.execute(given_up)).scalars()
    )


def _values(run: Reconciliation) -> dict[str, Any]:
    row = {name: getattr(run, name) for name in _FIELDS if name != "id"}
    return row | {"state": run.state.value, "counts": dict(run.counts), "mended": dict(run.mended)}


def _of_row(row: Row[Any]) -> Reconciliation:
    given = {name: getattr(row, name) for name in _FIELDS}
    return Reconciliation(**given | {"state": RunState(row.state)})


def _finding_values(run_id: int, one: Finding) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "kind": one.kind.value,
        "call_id": one.call_id,
        "remotes": [asdict(ref) for ref in one.remotes],
        "fields": list(one.fields),
        "detail": one.detail,
        "mended": one.mended.value,
    }


def _finding(row: Row[Any]) -> Finding:
    return Finding(
        kind=FindingKind(row.kind),
        call_id=row.call_id,
        remotes=tuple(RecordRef(**ref) for ref in row.remotes),
        fields=tuple(row.fields),
        detail=row.detail,
        mended=Mended(row.mended),
    )
