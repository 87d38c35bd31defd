"""What becomes of a recording's work in the table."""

from typing import Any

import pytest

from cti.asr.table_feed import LEASE, PLAN, Follow, all_of
from cti.model.calls import Call
from cti.model.transcription import transcribe_work
from cti.model.work import COMPRESS_RECORDING, JUDGE_QUALITY, TRANSCRIBE, NewWork, Work
from tests.builders import NOW, a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.transcription import a_table_feed, a_transcript


class Table:
    """A feed on a table in memory."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FakeClock()
        self.feed = a_table_feed(self.store, self.clock)

    async def recording(self, **wish: Any) -> Call:
        call = a_call()
        await self.store.calls.place([(call, None)])
        await self.store.work.add([transcribe_work(call.id, wish)], now=self.clock.now())
        return call

    async def taken(self) -> Work:
        (work,) = await self.feed.take(5)
        return work

    async def standing(self) -> tuple[int, int, int, int]:
        (counts,) = await self.store.work.counts()
        return counts.waiting, counts.leased, counts.done, counts.dead


def leaves(kind: str) -> Follow:
    return lambda transcript: [
        NewWork(kind=kind, key=transcript.call_id, payload={"call_id": transcript.call_id})
    ]


@pytest.fixture
def table() -> Table:
    return Table()


async def test_a_transcript_is_stored_and_its_work_done(table: Table) -> None:
    call = await table.recording()
    work = await table.taken()
    assert await table.feed.begin(work, "f1")
    assert await table.feed.done(work, a_transcript(call.id)) == 1
    assert await table.standing() == (0, 0, 1, 0)


async def test_the_higher_priority_goes_first(table: Table) -> None:
    await table.recording()
    urgent = await table.recording(priority=5)
    (work,) = await table.feed.take(1)
    assert work.key == urgent.id


async def test_what_follows_a_transcript_is_written_once(table: Table) -> None:
    feed = a_table_feed(
        table.store, table.clock, follow=all_of(leaves(COMPRESS_RECORDING), leaves(JUDGE_QUALITY))
    )
    call = await table.recording()
    work = await table.taken()
    await feed.done(work, a_transcript(call.id))
    await feed.done(work, a_transcript(call.id))
    kinds = [COMPRESS_RECORDING, JUDGE_QUALITY]
    followed = await table.store.work.lease(kinds=kinds, limit=9, now=later(1), lease_for=LEASE)
    assert sorted((one.kind, one.key, one.version) for one in followed) == [
        (k, call.id, 1) for k in sorted(kinds)
    ]
    assert followed[0].payload == {"call_id": call.id}


async def test_a_lost_lease_stores_nothing_and_ends_nothing(table: Table) -> None:
    call = await table.recording()
    stalled = await table.taken()
    table.clock.advance(61)
    other = await table.taken()
    assert await table.feed.keep([stalled]) == {stalled.id}
    assert await table.feed.keep([other]) == set()
    assert not await table.feed.begin(stalled, "f1")
    assert await table.feed.done(stalled, a_transcript(call.id)) is None
    assert await table.feed.done(other, a_transcript(call.id)) == 1
    assert await table.feed.done(stalled, a_transcript(call.id)) == 1
    assert len(await table.store.transcripts.versions(call.id)) == 1


async def test_a_failure_is_tried_again_later_and_later_and_then_buried(table: Table) -> None:
    await table.recording()
    pauses = []
    for _ in range(PLAN.attempts):
        work = await table.taken()
        failed_at = table.clock.now()
        await table.feed.failed(work, "the engine fails", for_good=False)
        while not (
            await table.store.work.queue(kind=TRANSCRIBE, now=table.clock.now(), since=NOW)
        ).oldest_due_at:
            if (await table.standing())[3]:
                break
            table.clock.advance(1)
        pauses.append((table.clock.now() - failed_at).total_seconds())
    assert pauses == [10, 20, 40, 80, 160, 0]
    (dead,) = await table.store.work.dead(kind=TRANSCRIBE)
    assert dead.error == "the engine fails"


async def test_what_can_never_be_transcribed_is_buried_at_once(table: Table) -> None:
    await table.recording()
    await table.feed.failed(await table.taken(), "1 channel", for_good=True)
    assert await table.standing() == (0, 0, 0, 1)


async def test_what_kills_every_worker_is_buried_by_who_takes_it_next(table: Table) -> None:
    await table.recording()
    for _ in range(PLAN.attempts):
        await table.taken()
        table.clock.advance(61)
    assert await table.feed.take(5) == []
    (dead,) = await table.store.work.dead(kind=TRANSCRIBE)
    assert dead.error == f"its worker died in each of {PLAN.attempts} runs; last known: nothing"


async def test_a_transcript_of_a_call_that_is_gone_is_buried(table: Table) -> None:
    await table.store.work.add([transcribe_work("gone", {})], now=NOW)
    assert await table.feed.done(await table.taken(), a_transcript("gone")) is None
    (dead,) = await table.store.work.dead(kind=TRANSCRIBE)
    assert dead.error is not None
    assert "cannot be stored: there is no call gone" in dead.error


async def test_a_newer_wish_that_came_meanwhile_is_done_after_it(table: Table) -> None:
    call = await table.recording()
    work = await table.taken()
    await table.store.work.add([transcribe_work(call.id, {"model": "big"})], now=NOW)
    await table.feed.done(work, a_transcript(call.id))
    assert (await table.taken()).payload["model"] == "big"
