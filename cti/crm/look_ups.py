"""Hands out the numbers that a CRM is asked for, and takes its answers: the side of whoever can ask it.

Best effort: what nobody takes in time is forgotten, a question that failed is not asked again, and nothing is asked
that a call which waits to be written would have to wait for.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cti.clock import Clock
from cti.crm import valve
from cti.crm.look_up_ports import LookUpStore
from cti.crm.ports import CrmStore
from cti.crm.targets import Target, kind_of
from cti.errors import NotFound
from cti.model.crm import Answer, Rate
from cti.model.look_ups import LookUp, LookUpAnswer
from cti.model.pops import STALE_AFTER
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

REQUESTS: Final = 3
"""What one look-up is reckoned as: adapters ask for leads and contacts, and read what they found."""
POLL_SECONDS: Final = 0.5
"""How often it is looked for a question of another process, which cannot wake us; an index of an empty table."""
KEPT: Final = timedelta(seconds=60)
"""No question lives longer, whatever became of it."""
TOLD: Final = frozenset({Answer.OK, Answer.THROTTLE, Answer.AWAY})
"""Answers that count for the target. One that is slow at this question, or refuses it, may well take calls."""


class TableLookUps:
    """The feed of look-ups on the database."""

    def __init__(
        self,
        *,
        store: LookUpStore,
        standings: CrmStore,
        works: WorkStore,
        targets: Sequence[Target],
        clock: Clock,
        poll_seconds: float = POLL_SECONDS,
        on_answer: Callable[[], None] = lambda: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`standings`: shared with whoever writes; `on_answer` is told that there is one to be fetched."""
        self._store = store
        self._standings = standings
        self._works = works
        self._names = frozenset(target.name for target in targets)
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._on_answer = on_answer
        self._chance = chance
        self._asked = asyncio.Event()
        self._is_closed = False
        self._forgot_at = clock.now()

    def close(self) -> None:
        """Keep nobody waiting from now on: the service ends."""
        self._is_closed = True
        self.asked()

    def asked(self) -> None:
        """Say that there is a question: whoever waits for one looks at once."""
        self._asked.set()
        self._asked = asyncio.Event()

    async def take(
        self, name: str, *, limit: int, rate: Rate, wait_seconds: float = 0.0
    ) -> tuple[LookUp, ...]:
        """Hand out numbers that are to be asked for now; waits so long for one. Raises NotFound."""
        self._must_know(name)
        until = self._clock.monotonic() + wait_seconds
        while True:
            asked = self._asked
            if taken := await self._take(name, limit, rate):
                return taken
            left = until - self._clock.monotonic()
            if left <= 0 or self._is_closed:
                return ()
            try:
                async with asyncio.timeout(min(left, self._poll_seconds)):
                    await asked.wait()
            except TimeoutError:
                continue

    async def _take(self, name: str, limit: int, rate: Rate) -> tuple[LookUp, ...]:
        now = self._clock.now()
        await self._forget(now)
        since = now - STALE_AFTER
        if not await self._store.is_asked(name, since=since):
            return ()
        standing = await self._standings.standing(name)
        room = valve.spare(standing, rate, writes_wait=True, now=now)
        if room < 1 and not await self._writes_wait(name):
            room = valve.spare(standing, rate, writes_wait=False, now=now)
        # the last request that is spare may be overdrawn: a bucket of one would else never let a look-up pass
        limit = min(limit, -(-room // REQUESTS))
        if limit < 1:
            return ()
        taken = await self._store.take(name, since=since, at=now, limit=limit)
        if taken:
            spend = partial(valve.spent, rate=rate, requests=REQUESTS * len(taken), now=now)
            await self._standings.change_standing(name, lambda one: spend(one))
        return tuple(taken)

    async def _forget(self, now: datetime) -> None:
        """Remove what a service that was killed left behind: numbers of people are not kept for nothing."""
        if now - self._forgot_at >= KEPT:
            self._forgot_at = now
            await self._store.forget(before=now - KEPT)

    async def _writes_wait(self, name: str) -> bool:
        now = self._clock.now()
        queue = await self._works.queue(kind=kind_of(name), now=now, since=now)
        return queue.oldest_due_at is not None

    async def answer(self, name: str, one: LookUpAnswer) -> None:
        """Take what a CRM answered. Raises NotFound."""
        self._must_know(name)
        now = self._clock.now()
        if one.answer is Answer.OK:
            await self._store.answer(name, one.number, one.found, at=now)
            self._on_answer()
        else:
            log.info("%s did not say who has a number: %s %s", name, one.answer, one.message)
        if one.answer in TOLD:
            tell = partial(
                valve.answered,
                answer=one.answer,
                now=now,
                chance=self._chance(),
                message=one.message,
                pause_seconds=one.pause_seconds,
            )
            await self._standings.change_standing(name, lambda standing: tell(standing))

    def _must_know(self, name: str) -> None:
        if name not in self._names:
            known = ", ".join(sorted(self._names)) or "none"
            raise NotFound(f"there is no CRM {name!r}; there are: {known}")
