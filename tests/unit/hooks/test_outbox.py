"""Events that no transaction tells of become work a moment later."""

import asyncio
import itertools
from typing import Any

import pytest

from cti.bus import EventBus
from cti.errors import StorageError
from cti.hooks import outbox as module
from cti.hooks.outbox import HookOutbox
from cti.model.calls import CallState
from cti.model.events import CallMoved, Event, NodeLost
from cti.model.work import NewWork
from cti.service import running
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

LOST = NodeLost(node="pbx", reason="gone", at=NOW)


KEYS = itertools.count()


def tell(event: Event) -> list[NewWork]:
    return [NewWork(kind="webhook.deliver", key=f"1/{next(KEYS)}", payload={})]


def an_outbox(store: MemoryStore) -> HookOutbox:
    return HookOutbox(tell=tell, work=store.work, clock=FakeClock())


async def test_what_is_told_is_written_also_when_the_service_ends_at_once() -> None:
    store, bus = MemoryStore(), EventBus()
    outbox = an_outbox(store)
    bus.tap(outbox.tap)
    async with running(outbox):
        await asyncio.sleep(0)
        bus.publish(LOST)
    assert len(store.tables.works) == 1


async def test_what_has_a_transaction_of_its_own_is_passed_over() -> None:
    store = MemoryStore()
    outbox = an_outbox(store)
    outbox.tap(CallMoved(before=CallState.DIALING, call=a_call(state=CallState.RINGING), at=NOW))
    await outbox.flush()
    assert store.tables.works == {}


async def test_while_the_database_is_away_it_waits_and_what_has_no_room_is_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    store = MemoryStore()
    outbox, add = an_outbox(store), store.work.add

    async def away(works: object, *, now: object) -> None:
        raise StorageError("away", temporary=True)

    store.work.add = away  # type: ignore[assignment, method-assign]
    for n in range(5):
        outbox.tap(NodeLost(node=f"n{n}", reason="", at=NOW))
    with pytest.raises(StorageError):
        await outbox.flush()
    assert outbox.lost == 2
    store.work.add = add  # type: ignore[method-assign]
    await outbox.flush()
    assert len(store.tables.works) == 3
