"""`Feed` by a Redis Stream: work comes from there, verdicts go to the service, then the entry is deleted.

In this order, so that an entry that is gone means: the table knows. A worker that dies leaves its entry behind; another
one claims it when nothing was heard of it for a while.
"""

import logging
from collections.abc import Sequence
from typing import Final

from cti.asr.redis_stream import Entry, RedisAway, WorkStream
from cti.asr.worker_ports import Feed
from cti.model.transcripts import Transcript
from cti.model.work import Work

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 2.0
CLAIM_SECONDS: Final = 60.0
"""A worker says every 15 s that it is alive."""
MOST_DELIVERIES: Final = 6
"""A recording that so many workers died of is not given to another one."""


class StreamFeed:
    """Redis for the way there, `verdicts` (the API, or the table) for the way back."""

    def __init__(
        self,
        *,
        stream: WorkStream,
        verdicts: Feed,
        worker: str,
        wait_seconds: float = WAIT_SECONDS,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        """`worker`: unique among all workers."""
        self._stream = stream
        self._verdicts = verdicts
        self._worker = worker
        self._wait_seconds = wait_seconds
        self._claim_seconds = claim_seconds
        self._held: dict[int, Entry] = {}

    async def take(self, limit: int) -> list[Work]:
        """See the port; gives one at most. What dead workers left goes first: it has waited longest."""
        entries = await self._asked_for()
        taken = []
        for entry in entries:
            if entry.deliveries > MOST_DELIVERIES:
                error = f"{entry.deliveries - 1} workers died of it"
                await self._verdicts.failed(entry.work, error, for_good=True)
                await self._stream.remove([entry.id])
            else:
                self._held[entry.work.id] = entry
                taken.append(entry.work)
        return taken

    async def _asked_for(self) -> list[Entry]:
        try:
            claimed = await self._stream.claim(self._worker, idle_seconds=self._claim_seconds)
            return claimed or await self._stream.next(self._worker, wait_seconds=self._wait_seconds)
        except RedisAway as away:
            if "NOGROUP" not in str(away):
                raise
            await self._stream.make_group()  # Redis lost its memory; the feeder fills it again
            return []

    async def keep(self, works: Sequence[Work]) -> set[int]:
        """See the port. An entry that is gone though we hold it: finished by another worker, or lost with Redis.

        It cannot be told which, so the run goes on: at worst it is done twice, and stored once.
        """
        entries = [self._held[work.id] for work in works if work.id in self._held]
        if entries:
            await self._stream.renew(self._worker, [entry.id for entry in entries])
        return set()

    async def begin(self, work: Work, fingerprint: str) -> bool:
        """See the port."""
        go = await self._verdicts.begin(work, fingerprint)
        if not go:
            await self._forget(work)
        return go

    async def done(self, work: Work, transcript: Transcript) -> int | None:
        """See the port."""
        version = await self._verdicts.done(work, transcript)
        await self._forget(work)
        return version

    async def failed(self, work: Work, error: str, *, for_good: bool) -> None:
        """See the port."""
        await self._verdicts.failed(work, error, for_good=for_good)
        await self._forget(work)

    async def give_back(self, work: Work) -> None:
        """See the port. The feeder puts it in again."""
        await self._verdicts.give_back(work)
        await self._forget(work)

    async def live_calls(self) -> int | None:
        """See the port."""
        return await self._stream.calls()

    async def _forget(self, work: Work) -> None:
        """Delete the entry. Redis being away is no fault of the work: the feeder deletes it later."""
        entry = self._held.pop(work.id, None)
        if entry is None:
            return
        try:
            await self._stream.remove([entry.id])
        except RedisAway as away:
            log.warning("call %s: its entry stays in the stream for now: %s", work.key, away)
