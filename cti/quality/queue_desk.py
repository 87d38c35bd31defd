"""The review queue: claimed, given back, filled by hand and by draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from cti.clock import Clock
from cti.errors import BadInput, Conflict, NotFound
from cti.model.priorities import BY_HAND, SAMPLED
from cti.model.reviews import QueuePlace, QueueSource, QueueState
from cti.quality.ports import QueueStore
from cti.quality.sampling import draw, span_of_week, week_of

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a draw came to."""

    week: str
    seed: str
    quota: int
    calls: int
    """That could have been drawn."""
    drawn: tuple[str, ...]
    """Ids; the same whenever it is asked with this seed."""
    added: int
    """That were not in the queue before, nor reviewed."""


class QueueDesk:
    """The use cases of the review queue."""

    def __init__(
        self,
        *,
        store: QueueStore,
        clock: Clock,
        zone: ZoneInfo,
        hold: timedelta,
        least_seconds: float,
        seed: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._hold = hold
        self._least_seconds = least_seconds
        self._seed = seed

    async def claim(self, reviewer: str, *, campaign_id: int | None = None) -> QueuePlace | None:
        """Give the reviewer a call to review; None: nothing waits."""
        now = self._clock.now()
        return await self._store.claim(reviewer, campaign_id=campaign_id, until=now + self._hold, now=now)

    async def release(self, place_id: int, *, reviewer: str) -> None:
        """Give a call back. Raises Conflict when he does not hold it."""
        if not await self._store.release(place_id, reviewer):
            raise Conflict(f"you do not hold the place {place_id} of the queue")

    async def put(self, call_id: str, *, by: str, reason: str) -> int:
        """Put one call in by hand, before all others; 0 when it was in the queue or reviewed before."""
        return await self._store.put(
            [call_id],
            source=QueueSource.HAND,
            reason=reason or f"asked for by {by}",
            priority=BY_HAND,
            at=self._clock.now(),
        )

    async def drop(self, place_id: int) -> None:
        """Take a waiting call out. Raises NotFound."""
        if not await self._store.drop(place_id, at=self._clock.now()):
            raise NotFound(f"no call waits at the place {place_id} of the queue")

    async def places(
        self,
        *,
        state: QueueState | None = QueueState.WAITING,
        campaign_id: int | None = None,
        after: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> Sequence[QueuePlace]:
        """List places as they will be given out."""
        return await self._store.places(state=state, campaign_id=campaign_id, after=after, limit=limit)

    async def draw(
        self, *, quota: int, week: str | None = None, seed: str | None = None, campaign_id: int | None = None
    ) -> Drawn:
        """Draw calls of a week that is over, so many of each agent; drawing again adds nothing new.

        Raises BadInput for a week that is none or not over: calls that come later would change the draw.
        """
        now = self._clock.now()
        week = week or week_of(now - _WEEK, self._zone)
        seed = self._seed if seed is None else seed
        since, until = span_of_week(week, self._zone)
        if until > now:
            raise BadInput(f"week: {week} is not over; a draw is made of whole weeks")
        calls = await self._store.drawable(
            since=since, until=until, campaign_id=campaign_id, least_seconds=self._least_seconds
        )
        drawn = tuple(call.call_id for call in draw(calls, seed=seed, week=week, quota=quota))
        added = await self._store.put(
            drawn, source=QueueSource.SAMPLE, reason=f"drawn of {week}", priority=SAMPLED, at=now
        )
        return Drawn(week=week, seed=seed, quota=quota, calls=len(calls), drawn=drawn, added=added)
