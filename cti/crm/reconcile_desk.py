"""What people do with reconciliations: order one, see how they went."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.crm.reconcile_ports import ReconciliationStore
from cti.crm.reconciling import TableReconciling
from cti.crm.targets import unknown
from cti.errors import BadInput, NotFound
from cti.model.crm_reconciliation import Finding, FindingKind, Reconciliation

SPAN: Final = timedelta(hours=26)
"""More than a day, so that a run that was missed at night is made up for."""
LONGEST: Final = timedelta(days=366)


class ReconcileDesk:
    """Reconciliations, as people see them."""

    def __init__(
        self,
        *,
        runs: ReconciliationStore,
        feed: TableReconciling,
        targets: Sequence[str],
        clock: Clock,
        span: timedelta = SPAN,
    ) -> None:
        self.feed = feed
        self._runs = runs
        self._targets = tuple(targets)
        self._clock = clock
        self._span = span

    async def order(
        self,
        *,
        by: str,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        mend: bool = False,
        overwrite: bool = False,
    ) -> list[Reconciliation]:
        """Order a run of one target, or of all. Raises NotFound, BadInput."""
        if target is not None and target not in self._targets:
            raise unknown(target, self._targets)
        now = self._clock.now()
        last = min(until or now, now)
        first = since or last - self._span
        if first >= last:
            raise BadInput("since: must be before until, and before now")
        if last - first > LONGEST:
            raise BadInput(f"since: more than {LONGEST.days} days before until")
        names = self._targets if target is None else (target,)
        wishes = [
            Reconciliation(
                target=name,
                ordered_by=by,
                ordered_at=now,
                since=first,
                until=last,
                mend=mend,
                overwrite=overwrite,
            )
            for name in names
        ]
        return [await self._runs.order(wish, now=now) for wish in wishes]

    async def runs(
        self, *, target: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Reconciliation]:
        """List runs, newest first."""
        return await self._runs.runs(target=target, before=before, limit=limit)

    async def latest(self) -> Mapping[str, Reconciliation]:
        """Return the last run of each target that came to an end."""
        return await self._runs.latest()

    async def run(self, run_id: int) -> Reconciliation:
        """Return a run. Raises NotFound."""
        run = await self._runs.run(run_id)
        if run is None:
            raise NotFound(f"there is no reconciliation {run_id}")
        return run

    async def findings(
        self, run_id: int, *, kind: FindingKind | None = None, after: int = 0, limit: int = 100
    ) -> list[tuple[int, Finding]]:
        """List findings of a run with their numbers, from the one after that number on."""
        return await self._runs.findings(run_id, kind=kind, after=after, limit=limit)
