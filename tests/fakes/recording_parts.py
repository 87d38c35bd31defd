"""What the API needs of recordings: the real desk over a folder, with the exchange played."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cti.bus import EventBus
from cti.model.calls import Call
from cti.model.recordings import RetentionClass
from cti.recording.archive import Archive
from cti.recording.desk import RecordingDesk
from cti.recording.pauses import PauseDesk
from cti.recording.plan import ArchivePlan
from cti.recording.space import SpaceWatch
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

CLASSES = (RetentionClass(name="short", days=30), RetentionClass(name="long", days=3650))


@dataclass
class FakeRecordingLines:
    """Remembers what was muted; raises what it is told to."""

    orders: list[tuple[str, bool]] = field(default_factory=list)
    fault: Exception | None = None

    async def mute_recording(self, call: Call, *, muted: bool) -> None:
        if self.fault is not None:
            raise self.fault
        self.orders.append((call.id, muted))


@dataclass
class OpenCallsOf:
    """The calls of a store that are up."""

    store: MemoryStore

    def open_calls(self) -> list[Call]:
        return [call for call in self.store.tables.calls.values() if not call.ended]


@dataclass
class Room:
    """How many bytes are free; a test changes it."""

    free: int | None = 10**12

    def __call__(self, folder: Path) -> int | None:
        return self.free


def recording_parts(store: MemoryStore, folder: Path, bus: EventBus, clock: FakeClock) -> dict[str, Any]:
    """Return what the API needs of recordings, by its fields."""
    return {
        "recordings": RecordingDesk(
            store=store.recordings,
            archive=Archive.open(ArchivePlan(folder=folder)),
            clock=clock,
            classes=CLASSES,
            default="short",
        ),
        "pauses": PauseDesk(
            store=store.recordings,
            lines=FakeRecordingLines(),
            open_calls=OpenCallsOf(store),
            bus=bus,
            clock=clock,
        ),
        "space": SpaceWatch(
            bus=bus, clock=clock, folder=folder, raw_folders={}, least_free_bytes=1000, free=Room()
        ),
    }
