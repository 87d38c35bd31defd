"""`Feed` on the work table itself: the one place that knows what becomes of a recording's work.

Everything that is fed otherwise ends here too: the API answers its workers from it, and what Redis carries is leased
from the table and finished in it. So the table stays the truth, and Redis only a wire.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from cti.asr.ports import TranscriptStore
from cti.clock import Clock
from cti.errors import BadInput, NotFound
from cti.model.transcripts import Transcript
from cti.model.work import TRANSCRIBE, NewWork, Work
from cti.work.backoff import RetryPlan, retry_seconds
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
"""A worker that died is missed after so long. It renews the lease every third of it."""
PLAN: Final = RetryPlan(first_seconds=10.0, ceiling_seconds=900.0, attempts=6)
"""A recording that cannot be transcribed costs minutes of a core at each run, so there are few."""

Follow = Callable[[Transcript], Sequence[NewWork]]


def all_of(*hooks: Follow) -> Follow:
    """Return the hook that has all of their work follow."""

    def works(transcript: Transcript) -> list[NewWork]:
        return [work for hook in hooks for work in hook(transcript)]

    return works


async def _unknown() -> int | None:
    return None


class TableFeed:
    """Leases from the table, stores transcripts, writes verdicts. Never waits for work."""

    def __init__(
        self,
        *,
        works: WorkStore,
        transcripts: TranscriptStore,
        clock: Clock,
        follow: Follow = lambda transcript: (),
        live_calls: Callable[[], Awaitable[int | None]] = _unknown,
        lease_for: timedelta = LEASE,
        plan: RetryPlan = PLAN,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`follow` says which work a new transcript leaves behind; it is written in the same transaction."""
        self._works = works
        self._transcripts = transcripts
        self._clock = clock
        self._follow = follow
        self._live_calls = live_calls
        self._lease_for = lease_for
        self._plan = plan
        self._chance = chance

    async def take(self, limit: int) -> list[Work]:
        """See the port. What killed its worker too often is buried here, for nobody else is left to say so."""
        leased = await self._works.lease(
            kinds=(TRANSCRIBE,), limit=limit, now=self._clock.now(), lease_for=self._lease_for
        )
        taken = []
        for work in leased:
            if work.attempts > self._plan.attempts:
                error = f"its worker died in each of {work.attempts - 1} runs; last known: {work.error or 'nothing'}"
                await self._bury(work, error)
            else:
                taken.append(work)
        return taken

    async def keep(self, works: Sequence[Work]) -> set[int]:
        """See the port."""
        now, lost = self._clock.now(), set()
        for work in works:
            if not await self._works.extend(work, now=now, lease_for=self._lease_for):
                lost.add(work.id)
        return lost

    async def begin(self, work: Work, fingerprint: str) -> bool:
        """See the port."""
        if not await self._works.extend(work, now=self._clock.now(), lease_for=self._lease_for):
            return False
        if await self._version_of(work.key, fingerprint) is None:
            return True
        await self._works.finish(work, now=self._clock.now())
        return False

    async def done(self, work: Work, transcript: Transcript) -> int | None:
        """See the port."""
        if not await self._works.extend(work, now=self._clock.now(), lease_for=self._lease_for):
            # finished by the same result, whose answer was lost; or somebody else has it now, and will store his
            return await self._version_of(transcript.call_id, transcript.fingerprint)
        try:
            version = await self._transcripts.save(transcript, then=self._follow(transcript))
        except (NotFound, BadInput) as error:  # the call is gone; more segments than can be kept
            await self._bury(work, f"its transcript cannot be stored: {error}")
            return None
        await self._works.finish(work, now=self._clock.now())
        return version

    async def failed(self, work: Work, error: str, *, for_good: bool) -> None:
        """See the port."""
        if for_good or work.attempts >= self._plan.attempts:
            await self._bury(work, error)
            return
        pause = retry_seconds(work.attempts, plan=self._plan, chance=self._chance())
        now = self._clock.now()
        log.warning("call %s was not transcribed in run %d: %s", work.key, work.attempts, error)
        await self._works.retry(work, error=error, due_at=now + timedelta(seconds=pause), now=now)

    async def give_back(self, work: Work) -> None:
        """See the port."""
        now = self._clock.now()
        await self._works.give_back(work, due_at=now, now=now)

    async def live_calls(self) -> int | None:
        """See the port."""
        return await self._live_calls()

    async def _bury(self, work: Work, error: str) -> None:
        log.error("call %s is not transcribed: %s", work.key, error)
        await self._works.bury(work, error=error, now=self._clock.now())

    async def _version_of(self, call_id: str, fingerprint: str) -> int | None:
        for known in await self._transcripts.versions(call_id):
            if known.fingerprint == fingerprint:
                return known.version
        return None
