"""Writes the calls that wait for a target into its CRM. A service, one for each target.

Several batches are under way at one time, each call in one of them at most: the work table leases it to us. What is
sent is marked before it leaves; what comes back is written down; whoever is killed in between leaves the mark, and the
next one looks before he writes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from crm_sync.fingerprint import doubted, fingerprint, is_same, since_last
from crm_sync.mapping import Mapping
from crm_sync.port import CallWrite, Crm, PushResult
from crm_sync.trouble import Trouble
from cti.clock import Clock
from cti.errors import BadInput, CtiError
from cti.model.crm import BLAMELESS, Answer, Link, PushOrder, PushOrders, Rate, Settlement, TargetStanding
from cti.model.work import Work

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0
"""How often it is looked for work while there is none."""
LONGEST_WAIT_SECONDS: Final = 60.0
KEEP_SECONDS: Final = 20.0
"""A third of a lease, so that one or two failures do not lose it."""
AHEAD: Final = 64
"""Calls taken at one time at least, where a CRM takes them one by one."""
END_SECONDS: Final = 5.0
"""How long batches may take to end once the process is told to. With `GIVE_BACK_SECONDS` less than the service gives
its processes (`cti.child.END_SECONDS`)."""
GIVE_BACK_SECONDS: Final = 2.0
"""How long giving back may take then; after that the leases run out."""
SETTLE_TRIES: Final = 12
SETTLE_PAUSE_SECONDS: Final = 2.0
"""So often and so far apart it is tried to write down what became of a batch; then its lease has run out, and whoever
has it next looks."""


class Feed(Protocol):
    """Where orders come from and results go. All methods raise CtiError when it cannot be reached."""

    async def take(self, name: str, *, limit: int, rate: Rate, batch: int = 1) -> PushOrders: ...
    async def keep(self, works: Sequence[Work]) -> set[int]: ...
    async def begin(self, name: str, works: Sequence[Work]) -> set[int]: ...
    async def settle(
        self, name: str, settlements: Sequence[Settlement], *, rate: Rate, more_requests: int = 0
    ) -> None: ...
    async def unchanged(self, works: Sequence[Work]) -> None: ...
    async def give_back(self, works: Sequence[Work]) -> None: ...
    async def checked(self, name: str, answer: Answer, message: str) -> TargetStanding: ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """An order with what is to be sent for it."""

    order: PushOrder
    write: CallWrite


class TargetPusher:
    """Brings calls into one CRM."""

    def __init__(
        self,
        *,
        target: str,
        crm: Crm,
        mapping: Mapping,
        feed: Feed,
        clock: Clock,
        rate: Rate | None = None,
        in_flight: int | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`rate` and `in_flight`: None means as the CRM is known to bear."""
        can = crm.capabilities
        self.name = f"push to {target}"
        self._target = target
        self._crm = crm
        self._mapping = mapping
        self._feed = feed
        self._clock = clock
        self._rate = rate or Rate(per_second=can.per_second, burst=can.burst, per_day=can.per_day)
        self._in_flight = in_flight or can.in_flight
        self._poll_seconds = poll_seconds
        self._under_way: dict[int, Work] = {}
        self._ahead: deque[PushOrder] = deque()
        """Taken and not begun: asking for one at a time would cost more than many writes."""
        self._batches: set[asyncio.Task[None]] = set()
        self._trouble = Trouble(log, target)
        self.written = 0
        """Calls created or updated by this process."""

    async def run(self) -> None:
        """Push until cancelled; batches under way are then given some time to end.

        What is not over by then is left to whoever has it next, who looks before he writes.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_leases(), name=f"leases of {self._target}")
            try:
                while True:
                    await self._pause(await self.step(tasks))
            finally:
                if self._ahead:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(GIVE_BACK_SECONDS):
                            await self._give_back()
                if self._batches:
                    await asyncio.wait(self._batches, timeout=END_SECONDS)

    async def step(self, tasks: asyncio.TaskGroup) -> float:
        """Start as many batches as there is room and work for; return after how many seconds to look again."""
        room, batch = self._in_flight - len(self._batches), self._crm.capabilities.batch
        if room <= 0:
            return self._poll_seconds
        pause = 0.0
        if len(self._ahead) < room * batch:
            pause = await self._fetch(batch)
        for _ in range(room):
            some = [self._ahead.popleft() for _ in range(min(batch, len(self._ahead)))]
            if some:
                task = tasks.create_task(self._batch(some), name=f"batch for {self._target}")
                self._batches.add(task)
                task.add_done_callback(self._batches.discard)
        return pause

    async def _fetch(self, batch: int) -> float:
        """Take orders ahead; return after how many seconds to look again when they are done."""
        limit = max(AHEAD, self._in_flight * batch) - len(self._ahead)
        try:
            taken = await self._feed.take(self._target, limit=limit, rate=self._rate, batch=batch)
        except CtiError as error:
            self._trouble.tell(f"no work is to be had: {error}")
            return self._poll_seconds
        self._trouble.tell("" if taken.state == "ok" else f"the target is {taken.state}")
        self._under_way |= {order.work.id: order.work for order in taken.orders}
        self._ahead += taken.orders
        if taken.wait_seconds:
            return min(taken.wait_seconds, LONGEST_WAIT_SECONDS)
        return 0.0 if len(taken.orders) == limit else self._poll_seconds

    async def drain(self) -> None:
        """Push until nothing is due that may be written now (for commands and tests)."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self.step(tasks)
                if not self._batches:
                    return
                await asyncio.wait(self._batches, return_when=asyncio.FIRST_COMPLETED)

    async def _give_back(self) -> None:
        """Give back what was taken ahead: it has not been begun."""
        works = [order.work for order in self._ahead]
        self._ahead.clear()
        for work in works:
            self._under_way.pop(work.id, None)
        with suppress(CtiError):  # their leases run out
            await self._feed.give_back(works)

    async def _pause(self, seconds: float) -> None:
        """Wait; less long when a batch ends meanwhile, for then there is room."""
        if self._batches:
            await asyncio.wait(self._batches, timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            with suppress(CtiError):  # the next one is in time still
                await self._feed.keep(list(self._under_way.values()))

    async def _batch(self, orders: Sequence[PushOrder]) -> None:
        try:
            await self._write(orders)
        except CtiError as error:
            log.warning(
                "%s: %d calls are left to whoever has them next: %s", self._target, len(orders), error
            )
        except Exception:
            log.exception("%s: %d calls are left to whoever has them next", self._target, len(orders))
        finally:
            for order in orders:
                self._under_way.pop(order.work.id, None)

    async def _write(self, orders: Sequence[PushOrder]) -> None:
        ready, settled, same = self._prepared(orders)
        await self._feed.unchanged(same)
        lost = await self._feed.begin(self._target, [one.order.work for one in ready]) if ready else set()
        ready = [one for one in ready if one.order.work.id not in lost]
        results = await self._sent([one.write for one in ready]) if ready else []
        settled += [self._settlement(one, result) for one, result in zip(ready, results, strict=True)]
        self.written += sum(one.answer is Answer.OK for one in settled)
        more = sum(result.more_requests for result in results)
        if settled:
            await self._settle(settled, more_requests=more)
        if any(one.answer in BLAMELESS for one in settled):
            await self._give_back()  # the target pauses

    def _prepared(self, orders: Sequence[PushOrder]) -> tuple[list[_Ready], list[Settlement], list[Work]]:
        """Return what is to be sent, what cannot be sent at all, and what stands there already as it is."""
        ready: list[_Ready] = []
        refused: list[Settlement] = []
        same: list[Work] = []
        for order in orders:
            try:
                write = since_last(self._mapping.write(order.log, order.link), order.link.fingerprint)
            except BadInput as error:
                refused.append(
                    Settlement(work=order.work, link=order.link, answer=Answer.PERMANENT, message=str(error))
                )
                continue
            if is_same(fingerprint(write), order.link.fingerprint) and not write.unsure:
                same.append(order.work)
            else:
                ready.append(_Ready(order, write))
        return ready, refused, same

    async def _sent(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        try:
            return await self._crm.push(writes)
        except Exception as error:  # a bug in an adapter: the request may have left
            log.exception("%s: the adapter failed", self._target)
            message = f"the adapter failed: {type(error).__name__}: {error}"
            return [
                PushResult(call_id=write.log.call_id, answer=Answer.UNKNOWN, message=message)
                for write in writes
            ]

    def _settlement(self, one: _Ready, result: PushResult) -> Settlement:
        if result.answer is not Answer.OK:
            log.info("%s: call %s: %s %s", self._target, result.call_id, result.answer, result.message)
        elif result.message:  # written, and not all of it: a person must hear of it
            log.warning("%s: call %s: %s", self._target, result.call_id, result.message)
        if result.left:
            names = ", ".join(sorted(result.left))
            log.info(
                "%s: call %s: left as a person changed it there: %s", self._target, result.call_id, names
            )
        return Settlement(
            work=one.order.work,
            link=_known_after(one, result),
            answer=result.answer,
            remote=result.remote,
            fingerprint=fingerprint(one.write, left=result.left),
            message=result.message,
            pause_seconds=result.pause_seconds,
            unsure_seconds=self._crm.capabilities.unsure_seconds,
        )

    async def _settle(self, settled: Sequence[Settlement], *, more_requests: int) -> None:
        for tries in range(1, SETTLE_TRIES + 1):
            try:
                await self._feed.settle(self._target, settled, rate=self._rate, more_requests=more_requests)
                return
            except CtiError as error:
                if tries == SETTLE_TRIES:
                    raise
                log.warning("%s: cannot write down what became of calls now: %s", self._target, error)
                await asyncio.sleep(SETTLE_PAUSE_SECONDS)


def _known_after(one: _Ready, result: PushResult) -> Link:
    """Return the link as it was handed out; what may have been written of it now is not known any more.

    Also a refusal may have come after a part: some CRMs take a call in several requests.
    """
    link = one.order.link
    if result.answer in (Answer.OK, Answer.DELETED):
        return link
    lost = link.unsure or result.answer is Answer.UNKNOWN
    return replace(link, fingerprint=doubted(link.fingerprint, one.write, lost=lost))
