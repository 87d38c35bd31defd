"""Reconciliations over the service's API: for a process that has no database of its own."""

from collections.abc import Sequence
from datetime import timedelta

from crm_sync.feeds import ApiFeed
from cti.crm.reconcile_wire import calls_of, order_of, order_record, page_of, result_record
from cti.crm.wire import rate_record
from cti.model.crm import Answer, Rate
from cti.model.crm_reconciliation import OurCall, OurPage, PageResult, ReconcileOrder, RunState


class ApiRunFeed:
    """Asks the service. See `cti.crm.reconcile_ports.RunFeed`; raises Unreachable, CtiError when it refuses."""

    def __init__(self, feed: ApiFeed) -> None:
        """`feed`: carries what is asked."""
        self._post = feed.post

    async def take(self, name: str, *, every: timedelta, span: timedelta) -> ReconcileOrder | None:
        body = {
            "target": name,
            "every_seconds": every.total_seconds(),
            "span_seconds": span.total_seconds(),
        }
        said = await self._post("run-take", body)
        return order_of(said["order"]) if said["order"] is not None else None

    async def page(self, order: ReconcileOrder, *, limit: int) -> OurPage:
        return page_of(await self._post("run-page", {"order": order_record(order), "limit": limit}))

    async def calls(self, order: ReconcileOrder, call_ids: Sequence[str]) -> tuple[OurCall, ...]:
        said = await self._post("run-calls", {"order": order_record(order), "call_ids": list(call_ids)})
        return tuple(calls_of(said["calls"]))

    async def known(self, order: ReconcileOrder, call_ids: Sequence[str]) -> set[str]:
        said = await self._post("run-known", {"order": order_record(order), "call_ids": list(call_ids)})
        return set(said["known"])

    async def spend(
        self, order: ReconcileOrder, *, rate: Rate, requests: int = 1, stand_back: bool = False
    ) -> float:
        body = {
            "order": order_record(order),
            "rate": rate_record(rate),
            "requests": requests,
            "stand_back": stand_back,
        }
        return float((await self._post("run-spend", body))["wait_seconds"])

    async def found(self, order: ReconcileOrder, page: PageResult) -> ReconcileOrder:
        body = {"order": order_record(order), "result": result_record(page)}
        return order_of((await self._post("run-found", body))["order"])

    async def end(self, order: ReconcileOrder, state: RunState, message: str) -> None:
        body = {"order": order_record(order), "state": state.value, "message": message}
        await self._post("run-end", body)

    async def postpone(
        self,
        order: ReconcileOrder,
        *,
        seconds: float,
        message: str,
        answer: Answer = Answer.OK,
        pause_seconds: float | None = None,
    ) -> None:
        body = {
            "order": order_record(order),
            "seconds": seconds,
            "message": message,
            "answer": answer.value,
            "pause_seconds": pause_seconds,
        }
        await self._post("run-postpone", body)
