"""Pauses stay true when the exchange, the service or the call ends in between."""

from dataclasses import replace

import pytest

from cti.bus import EventBus
from cti.errors import NodeDown, NodeRefused, NodeSilent, StorageError
from cti.model.calls import CallState
from cti.model.events import Event
from cti.model.recordings import Pause
from cti.recording.pauses import PauseDesk
from tests.builders import NOW, a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.recording_parts import FakeRecordingLines, OpenCallsOf

CALL = "0123456789abcdef0123456789abcdef"


class Desk:
    """A desk with one call that is up and recorded."""

    def __init__(self) -> None:
        self.store, self.lines, self.clock = MemoryStore(), FakeRecordingLines(), FakeClock(NOW)
        self.store.tables.calls[CALL] = a_call(id=CALL, answered_at=NOW, recording="a")
        self.events, bus = list[Event](), EventBus()
        bus.tap(self.events.append)
        self.bus = bus
        self.pauses = self.started()

    def started(self) -> PauseDesk:
        """Return the desk of a service that was just started."""
        return PauseDesk(
            store=self.store.recordings,
            lines=self.lines,
            open_calls=OpenCallsOf(self.store),
            bus=self.bus,
            clock=self.clock,
        )

    async def kept(self) -> list[Pause]:
        return await self.store.recordings.pauses(CALL)

    def call_ends(self) -> None:
        call = self.store.tables.calls[CALL]
        self.store.tables.calls[CALL] = replace(call, state=CallState.ENDED, ended_at=later(60))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("fault", [NodeDown("away"), NodeRefused("No such channel")])
async def test_a_pause_that_did_not_come_about_is_not_kept(desk: Desk, fault: Exception) -> None:
    desk.lines.fault = fault
    with pytest.raises(type(fault)):
        await desk.pauses.pause(CALL, by="anna")
    assert (await desk.kept(), desk.events) == ([], [])


async def test_a_pause_that_stood_before_outlives_a_second_order_that_failed(desk: Desk) -> None:
    await desk.pauses.pause(CALL, by="anna")
    desk.lines.fault = NodeDown("away")
    for again in (desk.pauses.pause, desk.pauses.resume):
        with pytest.raises(NodeDown):
            await again(CALL, by="anna")
    assert await desk.kept() == [Pause(began_at=NOW, by="anna")]


async def test_an_order_that_may_have_arrived_is_given_again(desk: Desk) -> None:
    desk.lines.fault = NodeSilent("no answer")
    with pytest.raises(NodeSilent):
        await desk.pauses.pause(CALL, by="anna")
    await desk.pauses.step()
    assert await desk.kept() == [Pause(began_at=NOW, by="anna")]
    desk.lines.fault = None
    await desk.pauses.step()
    await desk.pauses.step()
    assert desk.lines.orders == [(CALL, True)]


async def test_a_service_that_starts_anew_mutes_once_more_what_was_paused(desk: Desk) -> None:
    await desk.pauses.pause(CALL, by="anna")
    again = desk.started()
    await again.step()
    await again.step()
    assert desk.lines.orders == [(CALL, True), (CALL, True)]
    desk.clock.advance(5)
    assert await again.resume(CALL, by="anna")
    assert await desk.kept() == [Pause(began_at=NOW, ended_at=later(5), by="anna")]


async def test_a_pause_ends_with_its_call(desk: Desk) -> None:
    await desk.pauses.pause(CALL, by="anna")
    desk.call_ends()
    await desk.pauses.step()
    assert await desk.kept() == [Pause(began_at=NOW, ended_at=later(60), by="anna")]
    assert await desk.store.recordings.open_pauses() == {}


async def test_a_database_that_is_away_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> None:
        raise StorageError("away", temporary=True)

    monkeypatch.setattr(desk.store.recordings, "open_pauses", away)
    await desk.pauses.step()
