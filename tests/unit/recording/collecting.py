"""A collector on real files in a folder of the test, and one call of two seconds."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cti.bus import EventBus
from cti.model.events import Event
from cti.model.queries import RecordingFacts
from cti.model.work import COLLECT_RECORDING, Work
from cti.recording.archive import Archive
from cti.recording.collector import RecordingCollector
from cti.recording.plan import ArchivePlan
from cti.recording.wav import wav_head
from tests.builders import a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_recordings import MemoryRecordings
from tests.fakes.memory_tables import MemoryTables

CALL = "0123456789abcdef0123456789abcdef"
NAME = f"2026/11/23/{CALL}"
ANSWERED = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENDED = ANSWERED + timedelta(seconds=2)
SOUND = bytes(range(256)) * 250  # two seconds
KEPT = RecordingFacts(
    path=f"{NAME}.wav",
    seconds=2.0,
    size_bytes=64_044,
    sha256=hashlib.sha256(wav_head(len(SOUND)) + SOUND).hexdigest(),
    recorded_at=ANSWERED,
)


class Facts(MemoryRecordings):
    """The store of recordings in memory, with one call; remembers what was saved, fails when told to."""

    def __init__(self) -> None:
        self.tables = MemoryTables()
        super().__init__(self.tables)
        self.tables.calls[CALL] = a_call(id=CALL, placed_at=ANSWERED, campaign_id=4)
        self.saved: list[tuple[str, RecordingFacts]] = []
        self.fault: Exception | None = None

    async def save_recording(self, call_id: str, facts: RecordingFacts, **more: Any) -> None:
        if self.fault:
            raise self.fault
        await super().save_recording(call_id, facts, **more)
        self.saved.append((call_id, facts))


class Desk:
    """A collector with all that it touches."""

    def __init__(self, folder: Path, *, kept: Path | None = None, keys: str = "", **more: Any) -> None:
        self.node, self.kept = folder / "node", kept or folder / "kept"
        self.node.mkdir()
        self.raw, self.wav = self.node / f"{NAME}.raw", self.kept / f"{NAME}.wav"
        self.clock = FakeClock(ENDED + timedelta(seconds=1))
        self.facts, self.events = Facts(), list[Event]()
        self.archive = Archive.open(ArchivePlan(folder=self.kept, keys=keys))
        bus = EventBus()
        bus.tap(self.events.append)
        self.collector = RecordingCollector(
            store=self.facts,
            bus=bus,
            clock=self.clock,
            raw_folders={"pbx": self.node},
            archive=self.archive,
            settle_seconds=0,
            **more,
        )

    def record(self, sound: bytes = SOUND) -> None:
        self.raw.parent.mkdir(parents=True, exist_ok=True)
        self.raw.write_bytes(sound)

    async def collect(self, *, attempts: int = 1, **change: Any) -> None:
        payload = {"call_id": CALL, "node": "pbx", "name": NAME}
        payload |= {"answered_at": ANSWERED.isoformat(), "ended_at": ENDED.isoformat(), **change}
        work = Work(
            id=1,
            kind=COLLECT_RECORDING,
            key=CALL,
            version=1,
            payload=payload,
            attempts=attempts,
            lease="",
            leased_until=ENDED,
        )
        await self.collector.collect(work)

    async def collect_late(self) -> None:
        """Long after the call and after some runs: what is not there now will not come."""
        self.clock.advance(300)
        await self.collect(attempts=9)

    def files_kept(self) -> list[Path]:
        return [path for path in self.kept.rglob("*") if path.is_file()]


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]
