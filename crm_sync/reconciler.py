"""Carries out reconciliations of a target: reads both sides page by page, and hands in what it found. A service.

Each request to the CRM is paid for out of the account's budget, the first of a question beforehand. What stands in the
way is waited for when it is short; else the run is given back, and goes on later behind the last page handed in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from crm_sync.mapping import Mapping
from crm_sync.port import Crm, CrmError, Removes, Written
from crm_sync.purse import AGAIN_SECONDS, NotNow, Purse
from crm_sync.reconcile import GRACE, Looking, by_call, findings_of, foreign, is_settled, kept, own_side
from crm_sync.tab import settled
from cti.clock import Clock
from cti.crm.reconcile_ports import RunFeed
from cti.errors import CtiError
from cti.model.crm import Answer, Rate
from cti.model.crm_reconciliation import (
    FindingKind,
    Found,
    Mended,
    OurCall,
    PageResult,
    ReconcileOrder,
    RunState,
)

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 10.0
PAGE: Final = 200
"""Calls of ours looked at together."""
ASKED_AT_ONCE: Final = 500
"""Ids of one question to the service: a CRM may be full of calls of others."""
MARGIN: Final = timedelta(minutes=1)
"""So much more than a page's span is asked of the CRM, whose times are less exact than ours."""
ONLY_OURS: Final = "this CRM cannot be read back: only calls that were never written were looked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regular:
    """When a target is reconciled without anybody's order, and how."""

    every: timedelta = timedelta(hours=1)
    """0: on order alone."""
    span: timedelta = timedelta(hours=26)
    stand_back_seconds: float = 900.0
    """So long in all a run stands back while calls wait to be written; 0: it does not."""


class TargetReconciler:
    """Reconciles one CRM."""

    def __init__(
        self,
        *,
        target: str,
        crm: Crm,
        mapping: Mapping,
        feed: RunFeed,
        clock: Clock,
        rate: Rate | None = None,
        regular: Regular | None = None,
        grace: timedelta = GRACE,
        page: int = PAGE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`rate`: None means as the CRM is known to bear."""
        self.name = f"reconcile {target}"
        self._target = target
        self._crm = crm
        self._mapping = mapping
        self._feed = feed
        self._clock = clock
        self._rate = rate or crm.capabilities.rate
        self._regular = regular or Regular()
        self._grace = grace
        self._page = page
        self._sleep = sleep

    async def run(self) -> None:
        """Carry out runs as they come, until cancelled."""
        while True:
            if not await self.step():
                await self._sleep(POLL_SECONDS)

    async def step(self) -> bool:
        """Carry out a run if there is one; return whether there was."""
        try:
            order = await self._feed.take(self._target, every=self._regular.every, span=self._regular.span)
        except CtiError as error:
            log.debug("%s: no reconciliation is to be had: %s", self._target, error)
            return False
        if order is None:
            return False
        try:
            await self._carried_out(order)
        except CtiError as error:
            log.warning("%s: the reconciliation is left to whoever has it next: %s", self._target, error)
        return True

    async def _carried_out(self, order: ReconcileOrder) -> None:
        purse = Purse(
            partial(self._feed.spend, order, rate=self._rate),
            stand_back_seconds=self._regular.stand_back_seconds,
            sleep=self._sleep,
        )
        try:
            more = True
            while more:
                result, more = await self._looked_at(order, purse)
                order = await self._feed.found(order, result)
        except NotNow as pause:
            await self._feed.postpone(order, seconds=pause.seconds, message=str(pause))
        except CrmError as error:
            await self._refused(order, error)
        else:
            message = "" if self._crm.capabilities.reads_back else ONLY_OURS
            await self._feed.end(order, RunState.DONE, message)
            log.info("%s: reconciled %d calls: %s", self._target, order.run.looked, dict(order.run.counts))

    async def _refused(self, order: ReconcileOrder, error: CrmError) -> None:
        if error.answer is Answer.PERMANENT:
            await self._feed.end(order, RunState.FAILED, str(error))
            return
        seconds = max(AGAIN_SECONDS, error.pause_seconds or 0.0)
        await self._feed.postpone(
            order,
            seconds=seconds,
            message=f"{error.answer}: {error}",
            answer=error.answer,
            pause_seconds=error.pause_seconds,
        )

    async def _looked_at(self, order: ReconcileOrder, purse: Purse) -> tuple[PageResult, bool]:
        """Look at the next page of our calls; return what it brought, and whether there are more."""
        before = purse.requests
        page, run = await self._feed.page(order, limit=self._page), order.run
        more, first = page.more and bool(page.calls), run.reached_at or run.since
        last = max(first, *(call.log.placed_at for call in page.calls)) if more else run.until
        looking = self._looking(order)
        there: dict[str, list[Written]] = {}
        if self._crm.capabilities.reads_back:
            there = by_call(await self._there(purse, page.calls, first, last, looking))
            found = findings_of(page.calls, there, looking)
            found += await self._foreign(order, page.calls, there, first, last)
            if run.mend:
                found = [await self._without_extra(order, purse, one) for one in found]
        else:
            found = own_side(page.calls, looking)
        result = PageResult(
            found=tuple(found),
            looked=len(page.calls),
            there=sum(len(there.get(call.log.call_id, ())) for call in page.calls),
            requests=purse.requests - before,
            reached=page.calls[-1].log.call_id if page.calls else run.reached,
            reached_at=last,
        )
        return result, more

    def _looking(self, order: ReconcileOrder) -> Looking:
        return Looking(
            now=self._clock.now(),
            mapping=self._mapping,
            exact_seconds=self._crm.capabilities.exact_seconds,
            grace=self._grace,
            overwrite=order.run.overwrite,
            flag_many=order.run.mend,
        )

    async def _there(
        self,
        purse: Purse,
        calls: Sequence[OurCall],
        first: datetime,
        last: datetime,
        looking: Looking,
    ) -> list[Written]:
        """Return what stands there: what began in this span, and what is not among it though we have it."""
        margin = max(MARGIN, timedelta(seconds=self._crm.capabilities.exact_seconds))
        records = await purse.answer(partial(self._listed, first - margin, last + margin))
        seen = {one.call_id for one in records}
        absent = [
            call.log.call_id
            for call in calls
            if call.log.call_id not in seen
            and (call.wanted or call.link.version)
            and is_settled(call, looking)
        ]
        can = self._crm.capabilities
        at_once = can.calls_at_once or can.page
        for at in range(0, len(absent), at_once):
            records += await purse.answer(partial(self._crm.read_back, absent[at : at + at_once]))
        return records

    async def _listed(self, since: datetime, until: datetime) -> list[Written]:
        found = []
        async for one in self._crm.written(since=since, until=until):
            found.append(one)
            await settled()
        return found

    async def _foreign(
        self,
        order: ReconcileOrder,
        calls: Sequence[OurCall],
        there: Map[str, Sequence[Written]],
        first: datetime,
        last: datetime,
    ) -> list[Found]:
        """Return what is no call of ours; what lies in the margin belongs to the page beside."""
        ours = {call.log.call_id for call in calls}
        others = {
            call_id: records
            for call_id, records in there.items()
            if call_id not in ours
            and any(one.started_at is None or first <= one.started_at < last for one in records)
        }
        ids, known = sorted(others), set[str]()
        for at in range(0, len(ids), ASKED_AT_ONCE):
            known |= await self._feed.known(order, ids[at : at + ASKED_AT_ONCE])
        return foreign(others, known)

    async def _without_extra(self, order: ReconcileOrder, purse: Purse, found: Found) -> Found:
        """Remove the extra records of a double, after a last look at both sides."""
        crm = self._crm
        if found.finding.kind is not FindingKind.DOUBLE or not crm.capabilities.removes:
            return found
        if not isinstance(crm, Removes):
            return found
        call_id = found.finding.call_id
        now = await self._feed.calls(order, [call_id])
        if not now or now[0].busy or now[0].link != found.before:
            return found
        records = await purse.answer(partial(crm.read_back, [call_id]))
        if len(records) < 2:
            return found
        stays = kept(now[0].link, records)
        extra = [one.remote for one in records if one.remote != stays.remote]
        for remote in extra:
            await purse.pay()
            await crm.remove(remote)
        detail = f"{len(records)} records; {stays.remote} stayed, {', '.join(map(str, extra))} removed"
        finding = replace(found.finding, mended=Mended.REMOVED, detail=detail)
        return replace(found, finding=finding)
