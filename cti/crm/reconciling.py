"""Hands out reconciliations to the process that reads CRMs, with our side of it, and writes down what it found.

A run is durable work: ordered by people or because it is time, leased by one process, and gone on with where it
stopped. Its requests come out of the account's one bucket, and it may stand back while calls wait to be written.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from random import random
from typing import Final

from cti.clock import Clock
from cti.crm import valve
from cti.crm.feed import TableFeed
from cti.crm.ports import CrmStore
from cti.crm.reconcile_ports import ReconciliationStore
from cti.crm.targets import Target, kind_of, unknown
from cti.errors import Conflict
from cti.model.crm import BLAMELESS, Answer, CallLog, Link, Rate, TargetStanding
from cti.model.crm_reconciliation import (
    CRM_RECONCILE,
    REGULAR,
    OurCall,
    OurPage,
    PageResult,
    ReconcileOrder,
    Reconciliation,
    RunState,
)
from cti.model.work import Work
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)
"""Longer than any one request to a CRM may last; each step of a run renews it."""
MOST_RUNS: Final = 20
"""So often a run is begun or gone on with before it is given up."""
KEPT: Final = 200
"""Runs that are over, of each target: a week of hourly ones."""
STEP_BACK_SECONDS: Final = 5.0
"""How long a run that stands back waits before it asks again."""
STOPPED_SECONDS: Final = 3600.0
MESSAGE_LENGTH: Final = 500


class TableReconciling:
    """Reconciliations on the database."""

    def __init__(
        self,
        *,
        works: WorkStore,
        store: CrmStore,
        runs: ReconciliationStore,
        feed: TableFeed,
        targets: Sequence[Target],
        clock: Clock,
        keep: int = KEPT,
        chance: Callable[[], float] = random,
    ) -> None:
        """`feed`: shows calls as they are written."""
        self._works = works
        self._store = store
        self._runs = runs
        self._feed = feed
        self._targets = {target.name: target for target in targets}
        self._clock = clock
        self._keep = keep
        self._chance = chance

    async def take(self, name: str, *, every: timedelta, span: timedelta) -> ReconcileOrder | None:
        """Lease a run, ordering a regular one when it is time; None when there is none. `every` 0: none is regular."""
        self._target(name)
        now = self._clock.now()
        if every:
            regular = Reconciliation(
                target=name, ordered_by=REGULAR, ordered_at=now, since=now - span, until=now
            )
            await self._runs.order_if_due(regular, every=every, now=now)
        leased = await self._works.lease(kinds=(CRM_RECONCILE + name,), limit=1, now=now, lease_for=LEASE)
        for work in leased:
            if (run := await self._begun(work)) is not None:
                return ReconcileOrder(work=work, run=run)
        return None

    async def _begun(self, work: Work) -> Reconciliation | None:
        now, number = self._clock.now(), int(work.key)
        if work.attempts > MOST_RUNS:
            run = await self._runs.run(number)
            said = run.message if run else ""
            await self._over(work, RunState.FAILED, said or f"never came to an end in {MOST_RUNS} runs")
            return None
        run = await self._runs.begin(number, now=now)
        if run is None:
            await self._works.finish(work, now=now)
        return run

    async def page(self, order: ReconcileOrder, *, limit: int) -> OurPage:
        """Return the next calls that have ended, as they would be written now."""
        await self._keep_lease(order)
        run = order.run
        ids = await self._store.ended_ids(
            since=run.since, until=run.until, after=run.reached, limit=limit + 1
        )
        return OurPage(calls=await self._calls(run.target, ids[:limit]), more=len(ids) > limit)

    async def calls(self, order: ReconcileOrder, call_ids: Sequence[str]) -> tuple[OurCall, ...]:
        """Return those of the calls that have ended, as they are now."""
        await self._keep_lease(order)
        return await self._calls(order.run.target, call_ids)

    async def _calls(self, name: str, call_ids: Sequence[str]) -> tuple[OurCall, ...]:
        """Links are read before and after facts and work: a call that was written meanwhile counts as busy."""
        target = self._target(name)
        links = await self._store.links(name, call_ids)
        logs = await self._feed.shown(name, call_ids)
        busy = await self._runs.busy(name, call_ids)
        after = await self._store.links(name, call_ids)
        busy |= {one for one in call_ids if links.get(one) != after.get(one)}
        return tuple(
            _our(target, logs[one], links.get(one), busy=one in busy) for one in call_ids if one in logs
        )

    async def known(self, order: ReconcileOrder, call_ids: Sequence[str]) -> set[str]:
        """Return which of these are calls of ours."""
        await self._keep_lease(order)
        return await self._runs.known(call_ids)

    async def spend(
        self, order: ReconcileOrder, *, rate: Rate, requests: int = 1, stand_back: bool = False
    ) -> float:
        """Take requests out of the account's budget; return 0, or after how many seconds to ask again.

        `stand_back`: nothing is had while calls are due to be written. A stop has no end: an hour is told.
        """
        await self._keep_lease(order)
        name, now = order.run.target, self._clock.now()
        if stand_back and await self._calls_wait(name):
            return STEP_BACK_SECONDS
        wait = 0.0

        def change(standing: TargetStanding) -> TargetStanding:
            nonlocal wait
            if valve.allowed(standing, rate, now=now) >= 1:
                wait = 0.0
                return valve.spent(standing, rate, requests, now=now)
            stopped = standing.state == valve.STOPPED
            wait = STOPPED_SECONDS if stopped else valve.wait_seconds(standing, rate, now=now)
            wait = max(wait, 0.001)
            return standing

        await self._store.change_standing(name, change)
        return wait

    async def _calls_wait(self, name: str) -> bool:
        now = self._clock.now()
        queue = await self._works.queue(kind=kind_of(name), now=now, since=now)
        return queue.oldest_due_at is not None

    async def found(self, order: ReconcileOrder, page: PageResult) -> ReconcileOrder:
        """Write down what a page brought; return the order as it goes on."""
        await self._keep_lease(order)
        run = await self._runs.found(order.run.id, page, now=self._clock.now())
        return ReconcileOrder(work=order.work, run=run)

    async def end(self, order: ReconcileOrder, state: RunState, message: str) -> None:
        """Write down that a run is over."""
        await self._keep_lease(order)
        await self._over(order.work, state, message)

    async def postpone(
        self,
        order: ReconcileOrder,
        *,
        seconds: float,
        message: str,
        answer: Answer = Answer.OK,
        pause_seconds: float | None = None,
    ) -> None:
        """Give a run back, to be gone on with later. `answer`: how the CRM refused; it counts for the whole target."""
        await self._keep_lease(order)
        now, work = self._clock.now(), order.work
        if answer in BLAMELESS:
            tell = partial(
                valve.answered,
                answer=answer,
                now=now,
                chance=self._chance(),
                message=message,
                pause_seconds=pause_seconds,
            )
            await self._store.change_standing(order.run.target, tell)
        if work.attempts >= MOST_RUNS:
            await self._over(work, RunState.FAILED, message)
            return
        cut = message[:MESSAGE_LENGTH]
        await self._runs.end(order.run.id, RunState.WAITING, cut, keep=self._keep, now=now)
        await self._works.retry(work, error=cut, due_at=now + timedelta(seconds=seconds), now=now)

    async def _over(self, work: Work, state: RunState, message: str) -> None:
        now = self._clock.now()
        if state is RunState.FAILED:
            log.error("%s: the reconciliation %s failed: %s", work.kind, work.key, message)
        await self._runs.end(int(work.key), state, message[:MESSAGE_LENGTH], keep=self._keep, now=now)
        await self._works.finish(work, now=now)

    async def _keep_lease(self, order: ReconcileOrder) -> None:
        if not await self._works.extend(order.work, now=self._clock.now(), lease_for=LEASE):
            raise Conflict(f"the reconciliation {order.run.id} is no longer ours")

    def _target(self, name: str) -> Target:
        if name not in self._targets:
            raise unknown(name, sorted(self._targets))
        return self._targets[name]


def _our(target: Target, log: CallLog, link: Link | None, *, busy: bool) -> OurCall:
    return OurCall(
        log=log,
        link=link or Link(target=target.name, call_id=log.call_id),
        busy=busy,
        wanted=target.wants(log.outcome),
    )
