"""The log of deliveries: written, and forgotten after some days. A service.

That a delivery was accepted is gathered and written together with others; a kill may lose that line, never the
delivery. What waits, failed or was held is written before its work is answered: the log is what it is replayed from.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import StorageError
from cti.hooks.ports import HookStore, LinkStore
from cti.model.webhooks import Delivery
from cti.service import Absence, every

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.2
MOST_WAITING: Final = 5000
HOUR_SECONDS: Final = 3600.0
BITE: Final = 1000


class DeliveryLog:
    """Writes what became of deliveries."""

    name = "webhook log"

    def __init__(
        self,
        *,
        store: HookStore,
        links: LinkStore,
        clock: Clock,
        kept: timedelta = timedelta(days=14),
    ) -> None:
        self._store = store
        self._links = links
        self._clock = clock
        self._kept = kept
        self._waiting: list[Delivery] = []
        self._wake = asyncio.Event()
        self._absence = Absence(log, "deliveries are not logged while the database is away")

    async def write(self, one: Delivery) -> None:
        """Write it now. Raises StorageError."""
        await self._store.note([one])

    def note(self, one: Delivery) -> None:
        """Write it soon."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(one)
        self._wake.set()

    async def run(self) -> None:
        """Write and forget for ever; what is left is written when the service ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(every(HOUR_SECONDS, self.forget, name="old deliveries"))
                tasks.create_task(self._write_on(), name=self.name)
        finally:
            with suppress(StorageError):
                await asyncio.shield(self.flush())

    async def _write_on(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GATHER_SECONDS)
            with self._absence.borne():
                await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write what waits. Raises StorageError; then it waits on."""
        batch = self._waiting[:]
        if not batch:
            return
        await self._store.note(batch)
        del self._waiting[: len(batch)]

    async def forget(self) -> None:
        """Remove what is old."""
        now = self._clock.now()
        with self._absence.borne():
            await self._links.forget(before=now)
            gone = BITE
            while gone == BITE:
                gone = await self._store.forget(before=now - self._kept, limit=BITE)
