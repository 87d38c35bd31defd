"""Writes callbacks, and contacts' own next follow-ups, into a CRM as follow-ups of records.

A service, one for each target that can take them. One after the other: they are few, and the same key again only moves
what stands there.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, cast

from crm_sync.mapping import Mapping
from crm_sync.port import Crm, CrmError, EndsFollowUps
from crm_sync.tab import Tab, on_tab
from crm_sync.trouble import Trouble
from cti.errors import BadInput, CtiError
from cti.model.crm import BLAMELESS, Answer, Rate, TargetStanding, record_ref
from cti.model.follow_ups import FollowOrder, FollowOrders, FollowSettlement

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 60.0
AT_ONCE: Final = 10
"""Taken at one time: written within a lease, also by a CRM that takes some seconds for each."""


class FollowFeed(Protocol):
    """Where orders come from and results go. All methods raise CtiError when it cannot be reached."""

    async def take(self, name: str, *, limit: int, rate: Rate) -> FollowOrders: ...
    async def settle(
        self, name: str, settlements: Sequence[FollowSettlement], *, rate: Rate, more_requests: int = 0
    ) -> TargetStanding: ...


class FollowUpWriter:
    """Brings follow-ups into one CRM."""

    def __init__(self, *, target: str, crm: Crm, mapping: Mapping, feed: FollowFeed, rate: Rate) -> None:
        self.name = f"follow-ups to {target}"
        self._target = target
        self._crm = crm
        self._mapping = mapping
        self._feed = feed
        self._rate = rate
        self._trouble = Trouble(log, self.name)
        self.written = 0
        """Follow-ups made, moved or ended by this process."""

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._pause(await self.step())

    @staticmethod
    async def _pause(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def step(self) -> float:
        """Write what is due; return after how many seconds to look again."""
        try:
            taken = await self._feed.take(self._target, limit=AT_ONCE, rate=self._rate)
            for at, order in enumerate(taken.orders):
                with on_tab(Tab(paid=1)) as tab:
                    settled = await self._settled(order)
                await self._feed.settle(self._target, [settled], rate=self._rate, more_requests=tab.owed)
                if settled.answer in BLAMELESS:
                    rest = [_untouched(one, settled) for one in taken.orders[at + 1 :]]
                    if rest:
                        await self._feed.settle(self._target, rest, rate=self._rate)
                    break
            self._trouble.tell("")
        except CtiError as error:
            self._trouble.tell(f"cannot go on now: {error}")
            return POLL_SECONDS
        if taken.wait_seconds:
            return min(taken.wait_seconds, LONGEST_WAIT_SECONDS)
        return 0.0 if len(taken.orders) == AT_ONCE else POLL_SECONDS

    async def _settled(self, order: FollowOrder) -> FollowSettlement:
        """Write one; never raises for what the CRM did."""
        one = order.follow_up
        settled = FollowSettlement(work=order.work, follow_up=one, answer=Answer.OK)
        try:
            kind = self._mapping.records.kind
            ref = record_ref(one.crm_ref, target=self._target, kind=kind)
            if ref is None or not (one.open or self._crm.capabilities.ends_follow_ups):
                return _with(settled, nothing_sent=one.open, ref=order.link.ref if order.link else "")
            remote = None
            if one.open and one.due_at is not None:
                user = self._mapping.user(one.agent, one.extension)
                remote = await self._crm.follow_up(
                    ref,
                    at=one.due_at,
                    user=user,
                    text=one.text,
                    key=one.crm_key,
                    stands=order.link is not None and order.link.standing,
                )
            else:
                await cast(EndsFollowUps, self._crm).follow_up_over(ref, key=one.crm_key, done=one.done)
            self.written += 1
            return _with(settled, ref=f"{self._target}/{ref}", remote=str(remote) if remote else None)
        except CrmError as error:
            return _with(settled, answer=error.answer, message=str(error), pause_seconds=error.pause_seconds)
        except BadInput as error:
            return _with(settled, answer=Answer.PERMANENT, message=str(error))
        except Exception as error:  # a bug in an adapter: it may have left, and the key makes it safe again
            log.exception("%s: the adapter failed", self._target)
            message = f"the adapter failed: {type(error).__name__}: {error}"
            return _with(settled, answer=Answer.RETRY, message=message)


def _with(settled: FollowSettlement, **changes: Any) -> FollowSettlement:
    return replace(settled, **changes)


def _untouched(order: FollowOrder, after: FollowSettlement) -> FollowSettlement:
    """Return how an order stands that was not begun, because the CRM cannot take any now."""
    return FollowSettlement(
        work=order.work,
        follow_up=order.follow_up,
        answer=after.answer,
        nothing_sent=True,
        message=after.message,
    )
