"""A Redis Stream that carries work to workers on other machines; the only importer of redis.

Redis is the wire and not the truth: every entry names a row that is leased in the work table, and an entry that is lost
is added again. So nothing here waits for Redis to be durable. Entries that are done with are deleted, so that the
stream holds what is open and nothing else.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from cti.asr.orders import work_of, work_record
from cti.errors import BadInput, CtiError, SettingsError
from cti.model.work import Work

STREAM: Final = "waihu:transcription"
CALLS: Final = "waihu:live_calls"
GROUP: Final = "workers"
CALLS_LIVE_SECONDS: Final = 30
"""A number of calls that nobody renews means nothing after this."""
SOCKET_SECONDS: Final = 10.0


class RedisAway(CtiError):
    """Redis cannot be reached, or refuses; try again later."""


class Entry:
    """One entry of the stream, as a worker or the feeder holds it."""

    __slots__ = ("deliveries", "id", "work")

    def __init__(self, entry_id: str, work: Work, deliveries: int = 1) -> None:
        self.id = entry_id
        self.work = work
        self.deliveries = deliveries
        """How often it was handed to a worker, this time included."""


class WorkStream:
    """The stream and its one consumer group. Methods raise RedisAway."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def make_group(self) -> None:
        """Make stream and group where they are not there; they are gone when Redis lost its memory."""
        try:
            await _asked(self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True))
        except RedisAway as away:
            if "BUSYGROUP" not in str(away):
                raise

    async def add(self, work: Work) -> str:
        """Append; return the entry's id."""
        return str(await _asked(self._redis.xadd(STREAM, {"work": json.dumps(work_record(work))})))

    async def entries(self) -> list[Entry]:
        """Return all that is open, oldest first; what cannot be read is deleted."""
        rows = await _asked(self._redis.xrange(STREAM))
        return await self._read(rows)

    async def next(self, worker: str, *, wait_seconds: float) -> list[Entry]:
        """Take one entry that nobody has; wait so long for it."""
        said = await _asked(
            self._redis.xreadgroup(
                GROUP, worker, {STREAM: ">"}, count=1, block=max(1, round(wait_seconds * 1000))
            )
        )
        return await self._read([row for _, rows in said or [] for row in rows])

    async def claim(self, worker: str, *, idle_seconds: float) -> list[Entry]:
        """Take one entry over whose worker said nothing for so long."""
        said = await _asked(
            self._redis.xautoclaim(
                STREAM, GROUP, worker, min_idle_time=round(idle_seconds * 1000), count=1, start_id="0-0"
            )
        )
        taken = await self._read([row for row in said[1] if row[1] is not None])
        for entry in taken:
            known = await _asked(self._redis.xpending_range(STREAM, GROUP, entry.id, entry.id, 1))
            if known:
                entry.deliveries = int(known[0]["times_delivered"])
        return taken

    async def renew(self, worker: str, ids: Sequence[str]) -> set[str]:
        """Say that a worker is alive; return which of the entries are still open and his."""
        mine = await _asked(
            self._redis.xclaim(STREAM, GROUP, worker, min_idle_time=0, message_ids=list(ids), justid=True)
        )
        return {str(one) for one in mine}

    async def remove(self, ids: Sequence[str]) -> None:
        """Acknowledge and delete."""
        if ids:
            await _asked(self._redis.xack(STREAM, GROUP, *ids))
            await _asked(self._redis.xdel(STREAM, *ids))

    async def tell_calls(self, count: int) -> None:
        """Tell the workers how many calls are up."""
        await _asked(self._redis.set(CALLS, count, ex=CALLS_LIVE_SECONDS))

    async def calls(self) -> int | None:
        """Return how many calls are up; None: nobody has told lately."""
        told = await _asked(self._redis.get(CALLS))
        return int(told) if told is not None and str(told).isdigit() else None

    async def _read(self, rows: Sequence[tuple[str, dict[str, str]]]) -> list[Entry]:
        found = []
        for entry_id, fields in rows:
            try:
                found.append(Entry(str(entry_id), work_of(json.loads(fields["work"]))))
            except (KeyError, ValueError, TypeError, BadInput):
                await self.remove([str(entry_id)])  # not ours: nobody could ever do it
        return found


@asynccontextmanager
async def open_stream(url: str) -> AsyncIterator[WorkStream]:
    """Open `redis://HOST:PORT/NUMBER` (or rediss://, unix://); connects when first asked. Raises SettingsError."""
    try:
        redis: Redis = Redis.from_url(
            url, decode_responses=True, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS
        )
    except ValueError as error:
        raise SettingsError(f"redis.url: {error}") from None
    try:
        yield WorkStream(redis)
    finally:
        await redis.aclose()


async def _asked(answer: Any) -> Any:
    try:
        return await answer
    except ResponseError as error:
        raise RedisAway(f"Redis refuses: {error}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise RedisAway(f"Redis cannot be reached: {error or type(error).__name__}") from error
