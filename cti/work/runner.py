"""Runs the work that is due. Knows nothing of what the work is about: each kind has its handler.

A handler may be run twice for one piece of work (a kill, a lease that ran out), so it must be idempotent.
It says "again" by raising anything (`NotYet` when it knows when), "never again" by raising `GiveUp`, "done" by
returning.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cti.clock import Clock
from cti.errors import CtiError, GiveUp, NotYet, StorageError
from cti.model.work import Work
from cti.service import every
from cti.work.backoff import RetryPlan, retry_seconds
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

Handler = Callable[[Work], Awaitable[None]]
_Verdict = Callable[[], Awaitable[bool]]
_Run = tuple[int, str]
"""A row and its lease: a row whose lease ran out may be leased again while its first run still lasts."""

_EXTENSIONS_PER_LEASE: Final = 3
"""A lease is renewed this often before it would run out, so that one or two failures do not lose it."""

_HOUR_SECONDS: Final = 3600.0


class WorkRunner:
    """The service that leases due work, hands it to its handler, and writes down how that went."""

    name = "work runner"

    def __init__(
        self,
        *,
        store: WorkStore,
        handlers: Mapping[str, Handler],
        clock: Clock,
        at_once: int = 64,
        poll_seconds: float = 2.0,
        lease_for: timedelta = timedelta(seconds=60),
        keep_done: timedelta = timedelta(days=7),
        forgets_only: Sequence[str] | None = None,
        plan: RetryPlan | None = None,
        chance: Callable[[], float] = random.random,
        verdict_pause_seconds: float = 1.0,
    ) -> None:
        """`at_once` is large because handlers mostly wait; what is busy belongs in a thread or process.

        `forgets_only`: of which kinds it removes what was done before `keep_done`; None: of all.
        """
        self._store = store
        self._handlers = dict(handlers)
        self._clock = clock
        self._at_once = at_once
        self._poll_seconds = poll_seconds
        self._lease_for = lease_for
        self._keep_done = keep_done
        self._forgets_only = forgets_only
        self._plan = plan or RetryPlan()
        self._chance = chance
        self._verdict_pause_seconds = verdict_pause_seconds
        self._wake = asyncio.Event()
        self._full = False
        """The last look brought as much as there was room for, so there may be more."""
        self._away = False
        self._running: dict[_Run, tuple[Work, asyncio.Task[None]]] = {}

    def wake(self) -> None:
        """Look for due work at once: somebody wrote some."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; what runs then is cancelled too, and is due again when its lease runs out."""
        async with asyncio.TaskGroup() as tasks:
            pause = self._lease_for.total_seconds() / _EXTENSIONS_PER_LEASE
            tasks.create_task(every(pause, self.extend, name="leases of work"), name="leases of work")
            tasks.create_task(every(_HOUR_SECONDS, self.forget, name="old work"), name="old work")
            await every(self._poll_seconds, partial(self.step, tasks), name=self.name, wake=self._wake)

    async def step(self, tasks: asyncio.TaskGroup) -> None:
        """Start as much due work as there is room for."""
        room = self._at_once - len(self._running)
        if room <= 0 or not self._handlers:
            return
        try:
            due = await self._store.lease(
                kinds=sorted(self._handlers), limit=room, now=self._clock.now(), lease_for=self._lease_for
            )
        except StorageError as error:
            if not self._away:
                log.warning("no work is done while the database is away: %s", error)
            self._away = True
            return
        self._away = False
        self._full = len(due) == room
        for work in due:
            task = tasks.create_task(self._one(work), name=f"work {work.kind} {work.key}")
            self._running[work.id, work.lease] = (work, task)

    async def forget(self) -> None:
        """Remove the rows of work that was done long ago; dead letters stay."""
        try:
            before = self._clock.now() - self._keep_done
            await self._store.forget_done(before=before, kinds=self._forgets_only)
        except StorageError as error:
            log.warning("cannot remove old rows of work now: %s", error)

    async def extend(self) -> None:
        """Keep the leases of all that runs; end what is no longer ours, for somebody else has it now."""
        for work, task in list(self._running.values()):
            try:
                ours = await self._store.extend(work, now=self._clock.now(), lease_for=self._lease_for)
            except StorageError as error:
                log.warning("cannot extend the lease of %s %s now: %s", work.kind, work.key, error)
                continue
            if not ours and (work.id, work.lease) in self._running:
                log.warning("%s %s is no longer ours; it is left to whoever has it", work.kind, work.key)
                task.cancel()

    async def _one(self, work: Work) -> None:
        try:
            await self._settle(work, await self._verdict(work))
        except Exception:
            log.exception("%s %s: its lease runs out, then it is run again", work.kind, work.key)
        finally:
            self._running.pop((work.id, work.lease), None)
            # Looking is a transaction, so it is not done for each end: only when more may be due.
            if self._full:
                self._wake.set()

    async def _verdict(self, work: Work) -> _Verdict:
        """Run the handler; return how to write down what came of it."""
        try:
            await self._handlers[work.kind](work)
        except GiveUp as error:
            log.error("%s %s is given up: %s", work.kind, work.key, error)
            return self._buried(work, str(error))
        except NotYet as error:
            log.debug("%s %s again in %.1f s: %s", work.kind, work.key, error.seconds, error)
            again_at = self._clock.now() + timedelta(seconds=error.seconds)
            return partial(self._give_back, work, str(error), again_at)
        except CtiError as error:
            log.warning("%s %s failed in run %d: %s", work.kind, work.key, work.attempts, error)
            return self._failed(work, error)
        except Exception as error:
            log.exception("%s %s failed in run %d", work.kind, work.key, work.attempts)
            return self._failed(work, error)
        return lambda: self._store.finish(work, now=self._clock.now())

    def _failed(self, work: Work, error: Exception) -> _Verdict:
        text = str(error) or type(error).__name__
        # A database that is away says nothing about the work, so it never makes a dead letter.
        blameless = isinstance(error, StorageError) and error.temporary
        if work.attempts >= self._plan.attempts and not blameless:
            log.error("%s %s failed %d times and is given up", work.kind, work.key, work.attempts)
            return self._buried(work, text)
        pause = retry_seconds(work.attempts, plan=self._plan, chance=self._chance())
        return partial(self._give_back, work, text, self._clock.now() + timedelta(seconds=pause))

    async def _give_back(self, work: Work, error: str, due_at: datetime) -> bool:
        now = self._clock.now()
        ours = await self._store.retry(work, error=error, due_at=due_at, now=now)
        asyncio.get_running_loop().call_later(max((due_at - now).total_seconds(), 0.0), self._wake.set)
        return ours

    def _buried(self, work: Work, error: str) -> _Verdict:
        return lambda: self._store.bury(work, error=error, now=self._clock.now())

    async def _settle(self, work: Work, verdict: _Verdict) -> None:
        """Write the verdict; a database that is away is asked again for as long as a lease lasts.

        After that the lease runs out and the work is run again, which its handler bears.
        """
        until = self._clock.monotonic() + self._lease_for.total_seconds()
        while True:
            try:
                if not await verdict():
                    self._wake.set()  # a newer version of it came meanwhile, and is due
                return
            except StorageError as error:
                log.warning("cannot write down how %s %s went: %s", work.kind, work.key, error)
                if not error.temporary or self._clock.monotonic() >= until:
                    return
            await asyncio.sleep(self._verdict_pause_seconds)
