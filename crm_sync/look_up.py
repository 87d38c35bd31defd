"""Asks a CRM which records have a number, for reps who are about to talk to somebody unknown. A service, one for each
target that can find by number. Nothing is tried again: whoever waits waits for seconds.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final, Protocol

from crm_sync.port import Crm, CrmError, Deal, PulledRecord
from crm_sync.trouble import Trouble
from cti.errors import CtiError
from cti.model.crm import Answer, Rate
from cti.model.look_ups import Found, FoundRecord, LookUp, LookUpAnswer
from cti.model.pops import MOST_MATCHES

log = logging.getLogger(__name__)

AT_ONCE: Final = 4
"""Numbers that are asked for at one time."""
FIND_SECONDS: Final = 5.0
"""Later than this the rep has found out by himself, or the pop is worthless before the answer is there."""
WAIT_SECONDS: Final = 15.0
"""How long the service keeps us waiting for a number before it says that there is none."""
PAUSE_SECONDS: Final = 0.1
"""Between two askings that brought nothing: a service that ends keeps nobody waiting."""
AWAY_SECONDS: Final = 2.0
NAME_LENGTH: Final = 200


class LookUps(Protocol):
    """Where numbers come from and answers go. All methods raise CtiError when it cannot be reached."""

    async def take(
        self, name: str, *, limit: int, rate: Rate, wait_seconds: float = 0.0
    ) -> Sequence[LookUp]: ...
    async def answer(self, name: str, one: LookUpAnswer) -> None: ...


class NumberFinder:
    """Looks numbers up in one CRM."""

    def __init__(
        self,
        *,
        target: str,
        crm: Crm,
        feed: LookUps,
        rate: Rate,
        at_once: int = AT_ONCE,
        find_seconds: float = FIND_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.name = f"look-ups in {target}"
        self._target = target
        self._crm = crm
        self._feed = feed
        self._rate = rate
        self._at_once = at_once
        self._find_seconds = find_seconds
        self._wait_seconds = wait_seconds
        self._running: set[asyncio.Task[None]] = set()
        self._trouble = Trouble(log, self.name)

    async def run(self) -> None:
        """Look up until cancelled; what is under way then is left."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._pause(await self.step(tasks))

    @staticmethod
    async def _pause(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def step(self, tasks: asyncio.TaskGroup) -> float:
        """Begin with what is asked for, once there is room; return after how many seconds to look again."""
        if len(self._running) >= self._at_once:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        room = self._at_once - len(self._running)
        try:
            taken = await self._feed.take(
                self._target, limit=room, rate=self._rate, wait_seconds=self._wait_seconds
            )
        except CtiError as error:
            self._trouble.tell(f"cannot go on now: {error}")
            return AWAY_SECONDS
        self._trouble.tell("")
        for one in taken:
            task = tasks.create_task(self._look_up(one), name=f"look-up in {self._target}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return 0.0 if taken else PAUSE_SECONDS

    async def _look_up(self, one: LookUp) -> None:
        answer = await self._answer(one.number)
        try:
            await self._feed.answer(self._target, answer)
        except CtiError as error:
            log.info("%s: an answer is lost: %s", self.name, error)

    async def _answer(self, number: str) -> LookUpAnswer:
        """Ask the CRM; never raises for what it did."""
        try:
            async with asyncio.timeout(self._find_seconds):
                records = await self._crm.find_by_number(number)
            return LookUpAnswer(number=number, answer=Answer.OK, found=self._found(records))
        except TimeoutError:
            late = f"no answer within {self._find_seconds:g} s"
            return LookUpAnswer(number=number, answer=Answer.UNKNOWN, message=late)
        except CrmError as error:
            return LookUpAnswer(
                number=number, answer=error.answer, message=str(error), pause_seconds=error.pause_seconds
            )
        except Exception as error:  # a bug in an adapter, or an answer that it did not foresee
            log.exception("%s: the adapter failed", self.name)
            message = f"the adapter failed: {type(error).__name__}: {error}"
            return LookUpAnswer(number=number, answer=Answer.PERMANENT, message=message)

    def _found(self, records: Sequence[PulledRecord]) -> Found:
        open_ones = [one for one in records if one.over is None]
        told = tuple(self._record(one) for one in open_ones[:MOST_MATCHES])
        return Found(records=told, more=len(open_ones) > MOST_MATCHES)

    def _record(self, one: PulledRecord) -> FoundRecord:
        """Return no more of a record than a rep needs to choose."""
        deal = one.deal
        return FoundRecord(
            crm_ref=f"{self._target}/{one.ref}",
            target=self._target,
            kind=one.ref.kind,
            name=one.name[:NAME_LENGTH],
            url=self._crm.record_url(one.ref),
            deal=None if deal is None else self._deal(deal),
        )

    def _deal(self, deal: Deal) -> dict[str, Any]:
        """Return a deal as contacts have it, too."""
        return {
            "ref": f"{self._target}/{deal.ref}",
            "name": deal.name[:NAME_LENGTH],
            "stage": deal.stage,
            "amount": deal.amount,
            "currency": deal.currency,
        }
