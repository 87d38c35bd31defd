"""The desk tells of new dead letters, and of each once."""

from datetime import timedelta

from cti.bus import EventBus
from cti.model.events import Event, TranscriptionDead
from cti.model.transcription import transcribe_work
from cti.model.work import TRANSCRIBE, NewWork
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.transcription import a_transcription_desk


async def died(store: MemoryStore, key: str, error: str) -> None:
    await store.work.add([transcribe_work(key, {})], now=NOW)
    (work,) = await store.work.lease(kinds=[TRANSCRIBE], limit=1, now=NOW, lease_for=timedelta(seconds=9))
    await store.work.bury(work, error=error, now=NOW)


async def test_each_new_dead_letter_is_told_once_and_old_ones_not_after_a_restart() -> None:
    store, bus, told = MemoryStore(), EventBus(), list[Event]()
    bus.tap(told.append)
    await died(store, "old", "x")
    desk = a_transcription_desk(store, bus, FakeClock())

    await desk.step()
    await died(store, "c1", "1 channel")
    await desk.step()
    await desk.step()

    assert told == [TranscriptionDead(call_id="c1", reason="1 channel", at=NOW)]
    await desk.revive_all()
    await desk.step()
    await died(store, "c1", "1 channel again")
    await desk.step()
    assert [event.reason for event in told if isinstance(event, TranscriptionDead)][1:] == ["1 channel again"]


async def test_dead_letters_of_other_kinds_are_not_touched() -> None:
    store = MemoryStore()
    desk = a_transcription_desk(store, EventBus(), FakeClock())
    await store.work.add([NewWork(kind="other", key="k", payload={})], now=NOW)
    (work,) = await store.work.lease(kinds=["other"], limit=1, now=NOW, lease_for=timedelta(seconds=9))
    await store.work.bury(work, error="x", now=NOW)
    assert not await desk.revive(work.id)
    assert await desk.revive_all() == 0
    assert await desk.dead() == []


async def test_a_worker_that_was_not_heard_of_for_long_is_no_longer_named() -> None:
    store, clock = MemoryStore(), FakeClock()
    desk = a_transcription_desk(store, EventBus(), clock)
    desk.noted("w1")
    clock.advance(100)
    desk.noted("w2")
    assert (await desk.standing()).seen == ["w1", "w2"]
    clock.advance(60)
    assert (await desk.standing()).seen == ["w2"]
