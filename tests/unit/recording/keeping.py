"""A recording in an archive with two places, and the desk of those who change how it is kept."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from cti.model.queries import RecordingFacts
from cti.model.recordings import Place, SoundFormat
from cti.model.work import COMPRESS_RECORDING, ROTATE_RECORDING, UPLOAD_RECORDING, Work
from cti.recording.archive import Archive
from cti.recording.file_store import FolderStore
from cti.recording.keeper import RecordingKeeper
from cti.recording.keys import KeyRing
from cti.recording.locks import CallLocks
from cti.recording.ports import FileStore, Samples
from cti.recording.wav import wav_head
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_recordings import MemoryRecordings
from tests.fakes.memory_tables import MemoryTables

CALL = "0123456789abcdef0123456789abcdef"
RATE = 8000


def key(name: str, byte: int = 1) -> str:
    return f"{name}:{base64.b64encode(bytes([byte] * 32)).decode()}"


def voices(seconds: float = 3.0, rate: int = RATE) -> Samples:
    """Return a tone on each channel with pauses in it, never the same twice."""
    at = np.arange(round(seconds * rate)) / rate
    loud = (np.sin(2 * np.pi * at / 1.7) > -0.3) * 8000
    left, right = np.sin(2 * np.pi * 440 * at) * loud, np.sin(2 * np.pi * (600 + 50 * at) * at) * loud
    return np.stack((left, right), axis=1).astype("<i2")


def wav_of(samples: Samples) -> bytes:
    sound = samples.astype("<i2").tobytes()
    return wav_head(len(sound)) + sound


@dataclass
class Bench:
    """All that keeping needs, over a folder."""

    root: Path
    keys: str = ""
    with_s3: bool = False

    def __post_init__(self) -> None:
        self.tables = MemoryTables()
        self.store = MemoryRecordings(self.tables)
        self.clock, self.locks = FakeClock(NOW), CallLocks()
        self.local, self.far = self.root / "kept", self.root / "far"

    def archive(self, keys: str | None = None) -> Archive:
        stores: dict[Place, FileStore] = {Place.LOCAL: FolderStore(self.local)}
        if self.with_s3:
            stores[Place.S3] = FolderStore(self.far)
        return Archive(stores=stores, keys=KeyRing.read(self.keys if keys is None else keys))

    def keeper(self, keys: str | None = None, **more: Any) -> RecordingKeeper:
        return RecordingKeeper(
            store=self.store,
            archive=self.archive(keys),
            clock=self.clock,
            locks=self.locks,
            spool=self.local / ".spool",
            **more,
        )

    async def keep(self, samples: Samples | None = None, call_id: str = CALL, **more: Any) -> RecordingFacts:
        """Keep a recording as the collector does."""
        samples = voices() if samples is None else samples
        kept = self.archive().write(Place.LOCAL, f"2026/{call_id}", SoundFormat.WAV, [wav_of(samples)])
        facts = RecordingFacts(
            path=kept.path,
            seconds=len(samples) / RATE,
            size_bytes=kept.size_bytes,
            sha256=kept.sha256,
            key_id=kept.key_id,
            **{"recorded_at": NOW, **more},
        )
        self.tables.calls[call_id] = a_call(id=call_id)
        await self.store.save_recording(call_id, facts, at=NOW)
        return facts

    def files(self) -> list[str]:
        """Return all files, those of the far place with its name before them."""
        found = [(folder, path) for folder in (self.local, self.far) for path in folder.rglob("*")]
        return sorted(
            f"{'far:' if folder == self.far else ''}{path.relative_to(folder)}"
            for folder, path in found
            if path.is_file()
        )

    def kinds(self) -> list[str]:
        return [row.wish.kind for row in self.tables.works.values()]

    async def facts(self, call_id: str = CALL) -> RecordingFacts:
        facts = await self.store.recording(call_id)
        assert facts is not None
        return facts


def work(kind: str, call_id: str = CALL) -> Work:
    return Work(
        id=1,
        kind=kind,
        key=call_id,
        version=1,
        payload={"call_id": call_id},
        attempts=1,
        lease="",
        leased_until=NOW + timedelta(seconds=60),
    )


COMPRESS, UPLOAD, ROTATE = (work(kind) for kind in (COMPRESS_RECORDING, UPLOAD_RECORDING, ROTATE_RECORDING))
