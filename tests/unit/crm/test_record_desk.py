"""A record that is chosen while the call goes on: what is told of the call from then on names it."""

from dataclasses import replace

from cti.ami.call_tracker import CallTracker
from cti.bus import EventBus
from cti.model.calls import CallState
from cti.model.events import CallMoved, Event
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import a_record_desk
from tests.fakes.memory_store import MemoryStore


async def test_the_call_that_is_followed_has_the_record_too_and_all_hear_of_it() -> None:
    store, bus, tracker = MemoryStore(), EventBus(), CallTracker()
    heard: list[Event] = []
    bus.tap(heard.append)
    call = replace(a_call(), state=CallState.RINGING)
    await store.calls.place([(call, None)])
    tracker.place(call)

    chosen = await a_record_desk(store, bus, FakeClock(), tracker).choose(call.id, "odoo/lead:7")

    followed = tracker.get(call.id)
    assert followed is not None
    assert chosen.crm_ref == followed.crm_ref == "odoo/lead:7"
    assert heard == [CallMoved(before=CallState.RINGING, call=followed, at=NOW)]
