"""A new transcript is told, wherever it was made."""

from dataclasses import replace
from typing import Any

import pytest

from cti.asr.announcer import Announcer, tell_work
from cti.bus import EventBus
from cti.errors import StorageError
from cti.model.events import Event, TranscriptReady
from cti.model.vocabulary import told as word_of
from cti.model.work import NewWork, Work
from tests.builders import a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.talk import a_transcript


def the_work(call_id: str) -> Work:
    new = tell_work(call_id)
    return Work(
        id=1,
        kind=new.kind,
        key=new.key,
        version=1,
        payload=new.payload,
        attempts=1,
        lease="mine",
        leased_until=later(60),
    )


def a_tell(event: Event) -> list[NewWork]:
    known = word_of(event)
    assert known is not None
    return [NewWork(kind="webhook.deliver", key=f"1/{known.id}", payload={})]


class Away:
    """A table of work whose database is away."""

    async def add(self, works: object, *, now: object) -> None:
        raise StorageError("away", temporary=True)


def an_announcer(store: MemoryStore, bus: EventBus, **given: Any) -> Announcer:
    async def campaign_of(call_id: str) -> int:
        return 7

    parts: dict[str, Any] = {"works": store.work, "clock": FakeClock(), "campaign_of": campaign_of}
    return Announcer(**{"store": store.transcripts, "bus": bus} | parts | given)


async def test_the_newest_version_is_told_and_a_forgotten_one_is_not() -> None:
    store, bus, told = MemoryStore(), EventBus(), list[Event]()
    bus.tap(told.append)
    call = a_call()
    store.tables.calls[call.id] = call
    first = a_transcript(call.id)
    await store.transcripts.save(first)
    await store.transcripts.save(replace(first, fingerprint="another", model="better"))
    announcer = an_announcer(store, bus)

    await announcer.tell(the_work(call.id))
    await announcer.tell(the_work("0" * 32))

    assert told == [
        TranscriptReady(
            call_id=call.id,
            version=2,
            model="better",
            language=first.language,
            at=first.made_at,
            campaign_id=7,
        )
    ]


async def test_webhooks_are_written_before_the_work_is_done_and_again_under_the_same_id() -> None:
    store, bus, told = MemoryStore(), EventBus(), list[Event]()
    bus.tap(told.append)
    call = a_call()
    store.tables.calls[call.id] = call
    await store.transcripts.save(a_transcript(call.id))
    clock, woken = FakeClock(), list[int]()
    announcer = an_announcer(store, bus, clock=clock, tell=a_tell, on_work=lambda: woken.append(1))

    await announcer.tell(the_work(call.id))
    clock.advance(300)  # killed before it was written that this is done
    await announcer.tell(the_work(call.id))

    first, again = [known.id for one in told if (known := word_of(one))]
    assert first == again
    assert {row.wish.key for row in store.tables.works.values()} == {f"1/{first}"}
    assert woken == [1, 1]


async def test_what_cannot_be_written_for_webhooks_is_not_told_either() -> None:
    store, bus, told = MemoryStore(), EventBus(), list[Event]()
    bus.tap(told.append)
    call = a_call()
    store.tables.calls[call.id] = call
    await store.transcripts.save(a_transcript(call.id))
    away = Away()
    with pytest.raises(StorageError):
        await an_announcer(store, bus, works=away, tell=a_tell).tell(the_work(call.id))
    assert told == []
