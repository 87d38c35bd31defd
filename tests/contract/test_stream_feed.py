"""Work over a real Redis Stream: fed from the table, taken by workers, nothing lost when workers or Redis die."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from cti.asr.feeder import StreamFeeder
from cti.asr.redis_stream import GROUP, STREAM, RedisAway, WorkStream, open_stream
from cti.asr.stream_feed import MOST_DELIVERIES, StreamFeed
from cti.asr.table_feed import LEASE
from cti.model.transcription import transcribe_work
from cti.model.work import TRANSCRIBE, Work
from tests.builders import a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.transcription import a_table_feed, a_transcript
from tests.integration.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]


class Wire:
    """A table in memory, a real stream, a feeder."""

    def __init__(self, stream: WorkStream) -> None:
        self.store, self.clock, self.stream = MemoryStore(), FakeClock(), stream
        self.table = a_table_feed(self.store, self.clock)
        self.feeder = self.a_feeder()

    def a_feeder(self, **given: Any) -> StreamFeeder:
        values: dict[str, Any] = {"ahead": 4, "live_calls": lambda: 7, "monotonic": self.clock.monotonic}
        return StreamFeeder(stream=self.stream, table=self.table, **values | given)

    def worker(self, name: str = "w1", **given: Any) -> StreamFeed:
        values: dict[str, Any] = {"wait_seconds": 0.01, "claim_seconds": 3600.0}
        return StreamFeed(stream=self.stream, verdicts=self.table, worker=name, **values | given)

    async def recordings(self, count: int = 1) -> list[str]:
        calls = [a_call() for _ in range(count)]
        await self.store.calls.place([(call, None) for call in calls])
        await self.store.work.add([transcribe_work(call.id, {}) for call in calls], now=self.clock.now())
        return [call.id for call in calls]

    async def open_keys(self) -> list[str]:
        return sorted(entry.work.key for entry in await self.stream.entries())

    async def counts(self) -> tuple[int, int, int, int]:
        (one,) = await self.store.work.counts()
        return one.waiting, one.leased, one.done, one.dead


@pytest.fixture
async def wire(redis_server: RedisServer) -> AsyncIterator[Wire]:
    async with open_stream(redis_server.url) as stream:
        yield Wire(stream)


async def one(feed: StreamFeed) -> Work:
    (work,) = await feed.take(1)
    return work


async def test_recordings_go_through_the_stream_and_are_gone_from_it_when_done(wire: Wire) -> None:
    ids = await wire.recordings(3)
    await wire.feeder.step()
    worker = wire.worker()
    for _ in ids:
        work = await one(worker)
        assert await worker.begin(work, "f1")
        assert await worker.done(work, a_transcript(work.key)) == 1
    assert await worker.take(1) == []
    assert await wire.open_keys() == []
    assert await wire.counts() == (0, 0, 3, 0)
    assert await worker.live_calls() == 7


async def test_no_more_is_open_than_so_much_ahead(wire: Wire) -> None:
    await wire.recordings(6)
    await wire.feeder.step()
    assert len(await wire.open_keys()) == 4
    worker = wire.worker()
    work = await one(worker)
    await worker.done(work, a_transcript(work.key))
    await wire.feeder.step()
    assert len(await wire.open_keys()) == 4
    assert await wire.counts() == (1, 4, 1, 0)


async def test_two_workers_never_hold_one_recording(wire: Wire) -> None:
    await wire.recordings(2)
    await wire.feeder.step()
    first, second = await one(wire.worker("w1")), await one(wire.worker("w2"))
    assert first.key != second.key
    assert await wire.worker("w3").take(1) == []


async def test_what_a_dead_worker_held_is_claimed_by_another(wire: Wire) -> None:
    await wire.recordings()
    await wire.feeder.step()
    dead = await one(wire.worker("w1"))
    other = wire.worker("w2", claim_seconds=0.0)
    work = await one(other)
    assert work == dead
    assert await other.done(work, a_transcript(work.key)) == 1
    assert await wire.open_keys() == []


async def test_a_worker_that_says_it_is_alive_keeps_its_recording(
    wire: Wire, redis_server: RedisServer
) -> None:
    await wire.recordings()
    await wire.feeder.step()
    alive = wire.worker("w1")
    work = await one(alive)
    async with Redis.from_url(redis_server.url) as redis:

        async def silent_seconds() -> float:
            (pending,) = await redis.xpending_range(STREAM, GROUP, "-", "+", 1)
            return float(pending["time_since_delivered"]) / 1000

        while await silent_seconds() < 0.3:
            await asyncio.sleep(0.05)
        before = time.monotonic()
        assert await alive.keep([work]) == set()
        silent = await silent_seconds()
        assert silent <= time.monotonic() - before + 0.01  # the two clocks tell milliseconds


async def test_a_recording_that_many_workers_died_of_is_a_dead_letter(wire: Wire) -> None:
    await wire.recordings()
    await wire.feeder.step()
    await one(wire.worker("w0"))
    for number in range(1, MOST_DELIVERIES):
        await one(wire.worker(f"w{number}", claim_seconds=0.0))
    assert await wire.worker("last", claim_seconds=0.0).take(1) == []
    (letter,) = await wire.store.work.dead(kind=TRANSCRIBE)
    assert letter.error == f"{MOST_DELIVERIES} workers died of it"
    assert await wire.open_keys() == []


async def test_a_redis_that_lost_everything_is_filled_again(wire: Wire, redis_server: RedisServer) -> None:
    ids = await wire.recordings(3)
    await wire.feeder.step()
    worker = wire.worker()
    held = await one(worker)

    redis_server.stop()
    with pytest.raises(RedisAway):
        await worker.take(1)
    await wire.feeder.step()
    assert wire.feeder.away
    redis_server.start()
    await wire.feeder.step()

    assert not wire.feeder.away
    assert await wire.open_keys() == sorted(ids)
    assert await worker.done(held, a_transcript(held.key)) == 1
    for _ in range(10):
        await wire.feeder.step()
        for work in await worker.take(1):
            if await worker.begin(work, "f1"):
                await worker.done(work, a_transcript(work.key))
    assert await wire.counts() == (0, 0, 3, 0)
    assert await wire.open_keys() == []


async def test_a_worker_makes_the_group_anew_when_redis_lost_it(
    wire: Wire, redis_server: RedisServer
) -> None:
    redis_server.stop()
    redis_server.start()
    assert await wire.worker().take(1) == []


async def test_leases_are_kept_while_redis_is_away(wire: Wire, redis_server: RedisServer) -> None:
    await wire.recordings(2)
    await wire.feeder.step()
    redis_server.stop()
    for _ in range(10):
        wire.clock.advance(20)
        await wire.feeder.step()
    assert await wire.counts() == (0, 2, 0, 0)
    assert (
        await wire.store.work.lease(kinds=[TRANSCRIBE], limit=9, now=wire.clock.now(), lease_for=LEASE) == []
    )


async def test_a_feeder_that_is_restarted_takes_up_what_is_open(wire: Wire) -> None:
    await wire.recordings(3)
    await wire.feeder.step()
    again = wire.a_feeder()
    await again.step()
    assert len(await wire.open_keys()) == 3
    wire.clock.advance(50)
    await again.step()
    wire.clock.advance(50)
    assert await wire.table.keep([entry.work for entry in await wire.stream.entries()]) == set()


async def test_what_a_feeder_left_too_long_ago_is_put_in_anew_under_another_lease(wire: Wire) -> None:
    (call_id,) = await wire.recordings()
    await wire.feeder.step()
    wire.clock.advance(3600)
    again = wire.a_feeder()
    (leased,) = await wire.table.take(1)  # somebody else has it
    await again.step()
    assert await wire.open_keys() == []
    await wire.table.give_back(leased)
    await again.step()
    assert await wire.open_keys() == [call_id]
    worker = wire.worker()
    work = await one(worker)
    assert await worker.begin(work, "f1")


async def test_what_is_given_back_or_fails_comes_again(wire: Wire) -> None:
    await wire.recordings()
    await wire.feeder.step()
    worker = wire.worker()
    await worker.give_back(await one(worker))
    await wire.feeder.step()
    await wire.feeder.step()
    work = await one(worker)
    assert work.attempts == 1
    await worker.failed(work, "it stumbled", for_good=False)
    wire.clock.advance(11)
    await wire.feeder.step()
    await wire.feeder.step()
    assert (await one(worker)).attempts == 2


async def test_what_is_no_work_is_thrown_out_of_the_stream(wire: Wire) -> None:
    await wire.stream.make_group()
    await wire.stream._redis.xadd("waihu:transcription", {"work": "{"})
    await wire.stream._redis.xadd("waihu:transcription", {"other": "1"})
    assert await wire.worker().take(1) == []
    await wire.feeder.step()
    assert await wire.open_keys() == []
