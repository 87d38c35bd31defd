"""A worker with its threads, over a table in memory and a scribe that hears what the test wants."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cti.asr import worker as worker_module
from cti.asr.brake import Brake
from cti.asr.table_feed import LEASE, TableFeed
from cti.asr.worker import Hangs, TranscriptionWorker
from cti.errors import BadInput, EngineError, GiveUp, StorageError
from cti.model.transcription import transcribe_work
from cti.model.transcripts import Transcript
from cti.model.work import TRANSCRIBE, Work
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.transcription import FakeScribe, FakeScribes, a_table_feed
from tests.waiting import PATIENCE_SECONDS, patience, until, until_in_a_thread


class Files:
    """The recordings: one file with the call's id as text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.missing: set[str] = set()

    @asynccontextmanager
    async def fetched(self, call_id: str) -> AsyncIterator[Path]:
        if call_id in self.missing:
            raise GiveUp(f"call {call_id} has no recording")
        path = self._folder / call_id
        path.write_text(call_id)
        yield path


class Flaky:
    """A feed whose way is away as often as told."""

    def __init__(self, feed: TableFeed) -> None:
        self._feed = feed
        self.away = {"take": 0, "done": 0, "keep": 0}
        self.kept = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def _ask(self, name: str) -> None:
        if self.away[name]:
            self.away[name] -= 1
            raise StorageError("away", temporary=True)

    async def take(self, limit: int) -> list[Work]:
        self._ask("take")
        return await self._feed.take(limit)

    async def keep(self, works: Sequence[Work]) -> set[int]:
        self.kept += 1
        self._ask("keep")
        return await self._feed.keep(works)

    async def done(self, work: Work, transcript: Transcript) -> int | None:
        self._ask("done")
        return await self._feed.done(work, transcript)


class Desk:
    """A worker and all around it."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.store, self.clock, self.brake = MemoryStore(), FakeClock(), Brake()
        self.feed, self.files, self.scribe = (
            Flaky(a_table_feed(self.store, self.clock)),
            Files(folder),
            FakeScribe(),
        )
        self.other = FakeScribe(model="big", fingerprint="f2")
        values: dict[str, Any] = {"idle_seconds": 0.01, "away_seconds": (0.01, 0.01), "keep_seconds": 0.01}
        self.worker = TranscriptionWorker(
            feed=self.feed,
            sounds=self.files,
            scribes=FakeScribes({"echo": self.scribe, "big": self.other}),
            clock=self.clock,
            brake=self.brake,
            **values | given,
        )

    async def recordings(self, count: int = 1, **wish: Any) -> list[str]:
        calls = [a_call() for _ in range(count)]
        await self.store.calls.place([(call, None) for call in calls])
        await self.store.work.add([transcribe_work(call.id, wish) for call in calls], now=NOW)
        return [call.id for call in calls]

    async def until(self, there: Callable[[int, int, int, int], bool]) -> None:
        """Let the worker run until the counts (waiting, leased, done, dead) are so."""
        running = asyncio.create_task(self.worker.run())
        try:
            async with patience():
                while not there(*await self.counts()):
                    assert not running.done(), running.exception()
                    await asyncio.sleep(0.005)
        finally:
            self.worker.stop()
            await running

    async def counts(self) -> tuple[int, int, int, int]:
        for one in await self.store.work.counts():
            if one.kind == TRANSCRIBE:
                return one.waiting, one.leased, one.done, one.dead
        return 0, 0, 0, 0

    async def error(self) -> str:
        (dead,) = await self.store.work.dead(kind=TRANSCRIBE)
        return dead.error or ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_all_recordings_become_transcripts(desk: Desk) -> None:
    ids = await desk.recordings(7)
    await desk.until(lambda waiting, leased, done, dead: done == 7)
    for call_id in ids:
        (version,) = await desk.store.transcripts.versions(call_id)
        assert (version.engine, version.model, version.fingerprint) == ("fake", "echo", "f1")
        current = await desk.store.transcripts.current(call_id)
        assert current is not None
        assert current.segments[0].shown == call_id
    assert desk.worker.stored == 7


async def test_each_thread_makes_one_ear_and_keeps_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, threads=3)
    together = threading.Barrier(3)
    desk.scribe.during = lambda still: together.wait(PATIENCE_SECONDS) and None
    await desk.recordings(9)
    await desk.until(lambda waiting, leased, done, dead: done == 9)
    assert (desk.scribe.ears, len(desk.scribe.threads)) == (3, 3)


async def test_the_model_is_the_one_that_the_order_names(desk: Desk) -> None:
    (call_id,) = await desk.recordings(model="big")
    await desk.until(lambda waiting, leased, done, dead: done == 1)
    assert [one.fingerprint for one in await desk.store.transcripts.versions(call_id)] == ["f2"]


async def test_what_is_there_already_is_not_heard_again(desk: Desk) -> None:
    (call_id,) = await desk.recordings()
    await desk.until(lambda waiting, leased, done, dead: done == 1)
    again = Desk(desk.files._folder)
    again.feed, again.store = desk.feed, desk.store
    again.worker._feed = desk.feed
    await desk.store.work.add([transcribe_work(call_id, {})], now=NOW)
    await again.until(lambda waiting, leased, done, dead: done == 2)
    assert again.scribe.heard == []


@pytest.mark.parametrize(
    "fault", [BadInput("the recording has 1 channel; 2 channels are needed"), GiveUp("no such thing")]
)
async def test_sound_that_can_never_be_transcribed_is_a_dead_letter_and_the_rest_goes_on(
    desk: Desk, fault: Exception
) -> None:
    bad, *_ = await desk.recordings(3)
    desk.scribe.faults[bad] = fault
    await desk.until(lambda waiting, leased, done, dead: (done, dead) == (2, 1))
    assert await desk.error() == str(fault)


async def test_a_recording_that_is_not_there_is_a_dead_letter(desk: Desk) -> None:
    (call_id,) = await desk.recordings()
    desk.files.missing.add(call_id)
    await desk.until(lambda waiting, leased, done, dead: dead == 1)
    assert "has no recording" in await desk.error()


async def test_a_model_that_the_settings_do_not_name_is_a_dead_letter(desk: Desk) -> None:
    await desk.recordings(model="huge")
    await desk.until(lambda waiting, leased, done, dead: dead == 1)
    assert await desk.error() == "there is no model 'huge'"


@pytest.mark.parametrize("fault", [EngineError("it stumbled"), RuntimeError("a bug")])
async def test_an_engine_that_fails_is_given_a_new_ear_and_the_work_again_later(
    desk: Desk, fault: Exception
) -> None:
    bad, *_ = await desk.recordings(2)
    desk.scribe.faults[bad] = fault
    await desk.until(lambda waiting, leased, done, dead: (waiting, leased, done) == (1, 0, 1))
    assert desk.scribe.ears == 2
    desk.clock.advance(11)
    (work,) = await desk.store.work.lease(kinds=[TRANSCRIBE], limit=9, now=desk.clock.now(), lease_for=LEASE)
    assert (work.attempts, work.error) == (2, str(fault))


async def test_a_feed_that_is_away_costs_no_work_and_no_transcript(desk: Desk) -> None:
    desk.feed.away = {"take": 3, "done": 4, "keep": 2}
    (call_id,) = await desk.recordings()
    await desk.until(lambda waiting, leased, done, dead: done == 1)
    assert desk.scribe.heard == [call_id]


async def test_leases_are_renewed_while_a_thread_listens(desk: Desk) -> None:
    await desk.recordings()
    desk.scribe.during = lambda still: until_in_a_thread(lambda: desk.feed.kept >= 3)
    await desk.until(lambda waiting, leased, done, dead: done == 1)
    assert desk.feed.kept >= 3


async def test_a_run_whose_lease_is_lost_ends_and_tells_nothing(desk: Desk) -> None:
    (call_id,) = await desk.recordings()
    heard = threading.Event()

    def listen(still: Callable[[], None]) -> None:
        heard.set()
        while True:
            still()

    desk.scribe.during = listen
    running = asyncio.create_task(desk.worker.run())
    await asyncio.to_thread(heard.wait, PATIENCE_SECONDS)
    desk.clock.advance(61)
    (other,) = await desk.store.work.lease(kinds=[TRANSCRIBE], limit=1, now=desk.clock.now(), lease_for=LEASE)
    await until(lambda: desk.worker._slots[0].work is None)
    assert await desk.store.work.extend(other, now=desk.clock.now(), lease_for=LEASE)
    assert await desk.store.transcripts.current(call_id) is None
    desk.worker.stop()
    await running


async def test_told_to_end_it_gives_back_what_runs_uncounted(desk: Desk) -> None:
    await desk.recordings(2)
    listening = threading.Event()

    def listen(still: Callable[[], None]) -> None:
        listening.set()
        while True:
            still()

    desk.scribe.during = listen
    running = asyncio.create_task(desk.worker.run())
    await asyncio.to_thread(listening.wait, PATIENCE_SECONDS)
    desk.worker.stop()
    await running
    assert await desk.counts() == (2, 0, 0, 0)
    works = await desk.store.work.lease(kinds=[TRANSCRIBE], limit=9, now=NOW, lease_for=LEASE)
    assert [work.attempts for work in works] == [1, 1]


async def test_told_to_finish_it_does_what_runs_to_its_end(desk: Desk) -> None:
    await desk.recordings(2)
    loop = asyncio.get_running_loop()
    desk.scribe.during = lambda still: loop.call_soon_threadsafe(desk.worker.finish) and None
    await desk.worker.run()
    assert await desk.counts() == (1, 0, 1, 0)


async def test_nothing_is_begun_while_the_brake_is_drawn(desk: Desk) -> None:
    await desk.recordings()
    desk.brake.set(True)
    running = asyncio.create_task(desk.worker.run())
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert desk.scribe.heard == []
    desk.brake.set(False)
    await until(lambda: desk.scribe.heard)
    desk.worker.stop()
    await running


async def test_a_recording_that_takes_too_long_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LIMIT_SECONDS", -2.0)
    await desk.recordings()
    desk.scribe.seconds = 1.0
    await desk.until(
        lambda waiting, leased, done, dead: bool(desk.scribe.heard) and (waiting, leased) == (1, 0)
    )
    desk.clock.advance(11)
    (work,) = await desk.store.work.lease(kinds=[TRANSCRIBE], limit=1, now=desk.clock.now(), lease_for=LEASE)
    assert work.error is not None
    assert "was not transcribed within" in work.error


async def test_a_thread_that_hangs_in_the_engine_ends_the_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HANG_SECONDS", -1000.0)
    await desk.recordings()
    freed = threading.Event()

    def hang(still: Callable[[], None]) -> None:
        still()
        freed.wait(PATIENCE_SECONDS)

    desk.scribe.during = hang
    with pytest.raises(ExceptionGroup) as raised:
        await desk.worker.run()
    freed.set()
    assert raised.group_contains(Hangs, match="does not come back")
