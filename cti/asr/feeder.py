"""Keeps a Redis Stream filled from the work table. A service of the daemon.

The rows stay leased in the table while their entries are open, and this service renews the leases. When it is restarted
it takes up what is in the stream; when Redis loses everything it puts in again what it still holds; when it dies for
long the leases run out, and the rows are leased and put in anew. In no case is anything lost, and what comes twice is
stored once.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from cti.asr.redis_stream import RedisAway, WorkStream
from cti.asr.worker_ports import Feed
from cti.errors import CtiError
from cti.model.work import Work
from cti.service import every

log = logging.getLogger(__name__)

STEP_SECONDS: Final = 1.0
KEEP_SECONDS: Final = 15.0
"""Leases last 60 s, and a step may take some times 10 s while Redis hangs."""
AHEAD: Final = 32
"""Entries that are open at one time: a stream knows no priority, so what waits in it cannot be overtaken."""


class StreamFeeder:
    """Leases rows and puts them into the stream."""

    name = "feeder of transcription"

    def __init__(
        self,
        *,
        stream: WorkStream,
        table: Feed,
        live_calls: Callable[[], int],
        ahead: int = AHEAD,
        keep_seconds: float = KEEP_SECONDS,
        step_seconds: float = STEP_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._table = table
        self._live_calls = live_calls
        self._ahead = ahead
        self._keep_seconds = keep_seconds
        self._step_seconds = step_seconds
        self._fed: dict[int, Work] = {}
        """Rows that we hold; each has an entry, unless Redis lost it."""
        self._monotonic = monotonic
        self._kept_at = monotonic()
        self.away = False
        """Whether Redis, or the database, could not be asked the last time."""

    async def run(self) -> None:
        """Feed for ever."""
        await every(self._step_seconds, self.step, name=self.name)

    async def step(self) -> None:
        """Compare what we hold with what is open, and fill up."""
        try:
            if self._monotonic() - self._kept_at >= self._keep_seconds:
                await self._keep(list(self._fed.values()))  # also, and above all, while Redis is away
                self._kept_at = self._monotonic()
            await self._stream.make_group()
            await self._stream.tell_calls(self._live_calls())
            await self._compare()
            await self._fill()
        except (RedisAway, CtiError) as error:
            if not self.away:
                log.warning("transcription is not fed by Redis now: %s", error)
            self.away = True
            return
        if self.away:
            log.info("transcription is fed by Redis again")
        self.away = False

    async def _compare(self) -> None:
        open_now = {entry.work.id: entry for entry in await self._stream.entries()}
        known = self._fed
        strangers = [entry for number, entry in open_now.items() if not _same(known.get(number), entry.work)]
        if strangers:
            # of a run before this one, or put in again after the row went on to another lease
            lost = await self._table.keep([entry.work for entry in strangers])
            await self._stream.remove([entry.id for entry in strangers if entry.work.id in lost])
            self._fed |= {entry.work.id: entry.work for entry in strangers if entry.work.id not in lost}
        missing = [work for number, work in self._fed.items() if number not in open_now]
        if missing:
            # finished, failed, given back; or Redis lost it, and then it is still ours
            for work in await self._keep(missing):
                await self._stream.add(work)

    async def _fill(self) -> None:
        room = self._ahead - len(self._fed)
        if room <= 0:
            return
        for work in await self._table.take(room):
            self._fed[work.id] = work
            await self._stream.add(work)

    async def _keep(self, works: list[Work]) -> list[Work]:
        """Renew leases; forget what is no longer ours and return what is."""
        lost = await self._table.keep(works)
        for number in lost:
            self._fed.pop(number, None)
        return [work for work in works if work.id not in lost]


def _same(held: Work | None, seen: Work) -> bool:
    return held is not None and held.lease == seen.lease
