"""`ReconciliationStore` in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cti.crm.run_pages import after_page, push_of, still_true
from cti.crm.targets import ASKED_FOR, kind_of
from cti.errors import NotFound
from cti.model.crm_reconciliation import (
    CRM_RECONCILE,
    REGULAR,
    Finding,
    FindingKind,
    PageResult,
    Reconciliation,
    RunState,
)
from cti.model.work import NewWork
from tests.fakes.memory_tables import MemoryTables, WorkRow

OVER = (RunState.DONE, RunState.FAILED)


class MemoryReconciliations:
    """Runs and findings in dictionaries."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables
        self._all = tables.reconciliations

    async def order(self, run: Reconciliation, *, now: datetime) -> Reconciliation:
        run = replace(run, id=self._tables.new_id())
        self._all[run.id] = run
        kind, key = CRM_RECONCILE + run.target, str(run.id)
        work = NewWork(kind=kind, key=key, payload={"run": run.id}, priority=ASKED_FOR)
        self._tables.write_works([work], now)
        return run

    async def order_if_due(
        self, run: Reconciliation, *, every: timedelta, now: datetime
    ) -> Reconciliation | None:
        for one in self._all.values():
            recent = one.ordered_at > now - every or one.state not in OVER
            if (one.target, one.ordered_by) == (run.target, REGULAR) and recent:
                return None
        return await self.order(run, now=now)

    async def run(self, run_id: int) -> Reconciliation | None:
        return self._all.get(run_id)

    async def runs(
        self, *, target: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Reconciliation]:
        found = [
            run
            for number, run in sorted(self._all.items(), reverse=True)
            if target in (None, run.target) and (before is None or number < before)
        ]
        return found[:limit]

    async def latest(self) -> Mapping[str, Reconciliation]:
        return {run.target: run for _, run in sorted(self._all.items()) if run.state in OVER}

    async def begin(self, run_id: int, *, now: datetime) -> Reconciliation | None:
        run = self._all.get(run_id)
        if run is None or run.state in OVER:
            return None
        self._all[run_id] = replace(run, state=RunState.RUNNING, message="", began_at=run.began_at or now)
        return self._all[run_id]

    async def busy(self, target: str, call_ids: Sequence[str]) -> set[str]:
        rows = [row for row in self._tables.works.values() if row.wish.kind == kind_of(target)]
        return {row.wish.key for row in rows if row.wish.key in call_ids and self._is_busy(target, row)}

    def _is_busy(self, target: str, row: WorkRow) -> bool:
        if row.standing != "done":
            return True
        link = self._tables.crm_links.get((target, row.wish.key))
        pushed = link.pushed_at if link else None
        return row.error is not None and (pushed is None or pushed < row.changed_at)

    async def known(self, call_ids: Sequence[str]) -> set[str]:
        return {one for one in call_ids if one in self._tables.calls}

    async def found(self, run_id: int, page: PageResult, *, now: datetime) -> Reconciliation:
        run = self._all.get(run_id)
        if run is None:
            raise NotFound(f"there is no reconciliation {run_id}")
        links = {
            call: link for (target, call), link in self._tables.crm_links.items() if target == run.target
        }
        ids = [one.finding.call_id for one in page.found]
        true = still_true(run.target, page.found, links, await self.busy(run.target, ids))
        for one in true:
            if one.after is not None:
                self._tables.crm_links[run.target, one.after.call_id] = one.after
            self._tables.findings[self._tables.new_id()] = (run_id, one.finding)
        works = [push_of(run.target, one.finding.call_id) for one in true if one.push]
        self._tables.write_works(works, now)
        self._all[run_id] = after_page(run, page, [one.finding for one in true])
        return self._all[run_id]

    async def end(self, run_id: int, state: RunState, message: str, *, keep: int, now: datetime) -> None:
        run = self._all.get(run_id)
        if run is None:
            return
        over = now if state in OVER else None
        self._all[run_id] = replace(run, state=state, message=message, ended_at=over)
        done = [one.id for one in await self.runs(target=run.target, limit=10**6) if one.state in OVER]
        for gone in done[keep:]:
            del self._all[gone]
            findings = self._tables.findings
            for number in [number for number, (of, _) in findings.items() if of == gone]:
                del findings[number]

    async def findings(
        self, run_id: int, *, kind: FindingKind | None = None, after: int = 0, limit: int = 100
    ) -> list[tuple[int, Finding]]:
        found = [
            (number, one)
            for number, (of, one) in sorted(self._tables.findings.items())
            if of == run_id and number > after and kind in (None, one.kind)
        ]
        return found[:limit]
