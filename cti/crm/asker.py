"""Asks CRMs which records have a number, and waits for the answers: the service's side. A service.

It holds no key of a CRM: a question is a row that the process beside it takes, as soon as it can. Whoever asks waits
for seconds at most and goes on without; nothing is asked twice, and no answer outlives some minutes.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.crm.look_up_ports import Key, LookUpStore
from cti.errors import StorageError
from cti.model.look_ups import Found, can_be_looked_up, names_a_record
from cti.model.pops import STALE_AFTER
from cti.service import Absence

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.25
"""How often it is looked for answers while some are waited for; where the process asks us we are told at once."""
REMEMBERED: Final = timedelta(minutes=5)
"""The same person is called again, or the call goes to another agent: the CRM is not asked again."""
MOST_REMEMBERED: Final = 500
FORGET_SECONDS: Final = 30.0
"""How often it is looked for what was remembered for long enough, while nothing else is to be done."""
REST: Final = timedelta(minutes=1)
"""A target of which nobody took a question (its adapter cannot look, it is away, its calls need all it takes) is
asked nothing for so long."""


class Asker:
    """Numbers that are looked up."""

    name = "look-ups in CRMs"

    def __init__(
        self,
        *,
        store: LookUpStore,
        targets: Sequence[str],
        clock: Clock,
        all_targets: Sequence[str] | None = None,
        on_ask: Callable[[], None] = lambda: None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        """`targets`: those that are asked, `all_targets`: those whose records a call may name; `on_ask` wakes whoever
        takes questions in this process, `on_end` sends him away."""
        self._store = store
        self._targets = tuple(targets)
        self.known_targets = tuple(targets if all_targets is None else all_targets)
        self._clock = clock
        self._on_ask = on_ask
        self._on_end = on_end
        self._asked: dict[Key, tuple[datetime, asyncio.Future[Found | None]]] = {}
        self._remembered: dict[Key, tuple[datetime, Found]] = {}
        self._rests_until: dict[str, datetime] = {}
        self._wake = asyncio.Event()
        self._absence = Absence(log, "numbers are not looked up while the database is away")

    async def find(self, number: str, *, crm_ref: str | None, within: float) -> Found | None:
        """Return the records that CRMs say have this number, after `within` seconds at most.

        None: nothing was asked (the call names its record already, the number is none, nobody is there to ask) or
        nobody answered. Never raises for a CRM or a database that is away.
        """
        if not can_be_looked_up(number) or names_a_record(crm_ref, self.known_targets):
            return None
        now = self._clock.now()
        asking = [one for one in self._targets if now >= self._rests_until.get(one, now)]
        answers = [found for one in asking if (found := self._recalled((one, number), now)) is not None]
        answers += await self._answers([(one, number) for one in asking], now, within)
        if not answers:
            return None
        records = tuple(record for found in answers for record in found.records)
        return Found(records=records, more=any(found.more for found in answers))

    def _recalled(self, key: Key, now: datetime) -> Found | None:
        until, found = self._remembered.get(key, (now, None))
        return found if now < until else None

    async def _answers(self, keys: Sequence[Key], now: datetime, within: float) -> list[Found]:
        """Ask for what is neither remembered nor asked already, and return what is answered in time."""
        wanted = [key for key in keys if self._recalled(key, now) is None]
        new = [key for key in wanted if key not in self._asked]
        for key in new:
            self._asked[key] = (now, asyncio.get_running_loop().create_future())
        waiting = [self._asked[key][1] for key in wanted]
        if new and not await self._ask(new, now):
            return []
        if not waiting:
            return []
        # not cancelled when the time is over: others may wait for the same
        done, _ = await asyncio.wait(waiting, timeout=within)
        return [found for one in done if (found := one.result()) is not None]

    async def _ask(self, keys: Sequence[Key], now: datetime) -> bool:
        try:
            await self._store.ask(keys, at=now)
        except StorageError as error:
            log.warning("a number is not looked up: %s", error)
            for key in keys:
                self._settle(key, None)
            return False
        self._on_ask()
        self._wake.set()
        return True

    def answered(self) -> None:
        """Say that there is an answer to be fetched."""
        self._wake.set()

    async def run(self) -> None:
        """Fetch answers until cancelled."""
        try:
            await self._fetch()
        finally:
            self._on_end()

    async def _fetch(self) -> None:
        with suppress(StorageError):
            await self._store.forget(before=self._clock.now())  # of an earlier life
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            self._wake.clear()
            with self._absence.borne():
                await self.step()

    def _pause(self) -> float | None:
        if self._asked:
            return POLL_SECONDS
        return FORGET_SECONDS if self._remembered else None

    async def step(self) -> None:
        """Fetch what is answered, and give up what nobody waits for any more. Raises StorageError."""
        now = self._clock.now()
        self._remembered = {key: one for key, one in self._remembered.items() if now < one[0]}
        for key, found in (await self._store.collect()).items():
            self._remember(key, found, now)
            self._settle(key, found)
        late = [key for key, (at, _) in self._asked.items() if now - at >= STALE_AFTER]
        untaken = await self._store.withdraw(late)
        for key in late:
            self._settle(key, None)
        for target in {target for target, _ in untaken}:
            log.info("%s: nobody looks numbers up there now; it is not asked for a minute", target)
            self._rests_until[target] = now + REST

    def _remember(self, key: Key, found: Found, now: datetime) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = (now + REMEMBERED, found)

    def _settle(self, key: Key, found: Found | None) -> None:
        _, answer = self._asked.pop(key, (None, None))
        if answer is not None and not answer.done():
            answer.set_result(found)
