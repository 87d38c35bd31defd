"""A new transcript is told, wherever it was made."""

from dataclasses import replace

from cti.asr.announcer import Announcer, tell_work
from cti.bus import EventBus
from cti.model.events import Event, TranscriptReady
from cti.model.work import Work
from tests.builders import NOW, a_call, later
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


async def test_the_newest_version_is_told_and_a_forgotten_one_is_not() -> None:
    store, bus, told = MemoryStore(), EventBus(), list[Event]()
    bus.tap(told.append)
    call = a_call()
    store.tables.calls[call.id] = call
    first = a_transcript(call.id)
    await store.transcripts.save(first)
    await store.transcripts.save(replace(first, fingerprint="another", model="better"))
    announcer = Announcer(store=store.transcripts, bus=bus, clock=FakeClock())

    await announcer.tell(the_work(call.id))
    await announcer.tell(the_work("0" * 32))

    assert told == [
        TranscriptReady(call_id=call.id, version=2, model="better", language=first.language, at=NOW)
    ]
