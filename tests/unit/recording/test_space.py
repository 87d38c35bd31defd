"""A full disk stops recording and never a call."""

from pathlib import Path

from cti.bus import EventBus
from cti.model.events import Event, RecordingResumed, RecordingStopped
from cti.recording.space import SpaceWatch, free_bytes
from tests.builders import NOW
from tests.fakes.clock import FakeClock

KEPT, RAW = Path("/kept"), Path("/node")


class Watch:
    """A watch with disks of the test's own."""

    def __init__(self) -> None:
        self.free: dict[Path, int | None] = {KEPT: 5000, RAW: 5000}
        self.clock, self.events, bus = FakeClock(NOW), list[Event](), EventBus()
        bus.tap(self.events.append)
        self.watch = SpaceWatch(
            bus=bus,
            clock=self.clock,
            folder=KEPT,
            raw_folders={"pbx": RAW},
            least_free_bytes=1000,
            free=lambda folder: self.free[folder],
        )

    async def look(self, kept: int | None = None, raw: int | None = None) -> tuple[bool, bool]:
        """Look at disks with so much room; return whether calls on `pbx` and on another node are recorded."""
        self.free |= {KEPT: kept if kept is not None else self.free[KEPT]}
        self.free |= {RAW: raw if raw is not None else self.free[RAW]}
        await self.watch.step()
        return self.watch.may_record("pbx"), self.watch.may_record("other")

    def told(self) -> list[tuple[type[Event], str]]:
        return [
            (type(event), event.node)
            for event in self.events
            if isinstance(event, RecordingStopped | RecordingResumed)
        ]


async def test_recording_stops_once_and_goes_on_only_with_some_room_to_spare() -> None:
    desk = Watch()
    assert await desk.look() == (True, True)
    assert await desk.look(kept=999) == (False, False)
    assert await desk.look(kept=10) == (False, False)
    assert "/kept has 999 bytes free" in desk.watch.stopped[""]
    assert await desk.look(kept=1100) == (False, False)
    assert await desk.look(kept=1250) == (True, True)
    assert await desk.look(kept=1100) == (True, True)
    assert desk.told() == [(RecordingStopped, ""), (RecordingResumed, "")]


async def test_a_node_s_full_disk_stops_recording_there_alone() -> None:
    desk = Watch()
    assert await desk.look(raw=0) == (False, True)
    assert await desk.look(raw=5000) == (True, True)
    assert desk.told() == [(RecordingStopped, "pbx"), (RecordingResumed, "pbx")]


async def test_a_write_that_failed_is_an_alarm_although_there_seems_to_be_room() -> None:
    desk = Watch()
    desk.watch.disk_full("the disk under /kept is full")
    assert await desk.look() == (False, False)
    desk.watch.disk_full("the disk under /kept is full")
    desk.clock.advance(61)
    assert await desk.look() == (True, True)
    assert desk.told() == [(RecordingStopped, ""), (RecordingResumed, "")]


async def test_a_disk_that_nobody_can_ask_changes_nothing() -> None:
    desk = Watch()
    desk.free[KEPT] = None
    assert await desk.look() == (True, True)


def test_the_room_of_a_folder_that_is_not_there_yet_is_that_above_it(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "there") is not None
