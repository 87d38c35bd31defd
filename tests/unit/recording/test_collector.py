"""Collecting recordings, on real files in a folder of the test."""

import base64
import errno
import hashlib
import json
import os
import subprocess
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.bus import EventBus
from cti.errors import DiskFull, GiveUp, NotFound, RecordingError, StorageError
from cti.hooks.subscriptions import works_of
from cti.model.events import Event, RecordingMissing, RecordingReady
from cti.model.queries import RecordingFacts
from cti.model.recordings import Place
from cti.model.telling import Tell
from cti.model.vocabulary import told
from cti.model.webhooks import Webhook
from cti.model.work import COLLECT_RECORDING, Work
from cti.recording.archive import Archive
from cti.recording.collector import RecordingCollector
from cti.recording.plan import ArchivePlan
from cti.recording.wav import wav_head
from cti.recording.works import compress_work
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


def a_tell() -> Tell:
    """Return what one webhook makes of events that asked for all of the call's campaign."""
    hook = Webhook(
        id=1,
        name="crm",
        url="https://crm.example",
        events=("recording.*",),
        campaign_ids=(4,),
        secret="whsec_x",
        state_at=ENDED,
        created_at=ENDED,
    )
    return lambda event: works_of(event, [hook], now=ENDED)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


async def test_a_raw_file_becomes_a_wav_file_with_both_sides(desk: Desk) -> None:
    desk.record()
    await desk.collect()
    with wave.open(str(desk.wav)) as kept:
        assert (kept.getnchannels(), kept.getframerate(), kept.getnframes()) == (2, 8000, 16_000)
        assert kept.readframes(16_000) == SOUND
    assert desk.facts.saved == [(CALL, KEPT)]
    assert desk.events == [
        RecordingReady(
            call_id=CALL,
            path=f"{NAME}.wav",
            seconds=2.0,
            size_bytes=64_044,
            at=desk.clock.now(),
            campaign_id=4,
        )
    ]
    assert not desk.raw.exists()


@pytest.mark.parametrize(
    ("sound", "types"),
    [
        (SOUND, ["recording.ready"]),
        (SOUND[:20_000], ["recording.ready", "recording.missing"]),
        (None, ["recording.missing"]),
    ],
)
async def test_what_is_told_is_written_with_the_facts_under_the_same_ids(
    tmp_path: Path, sound: bytes | None, types: list[str]
) -> None:
    woken: list[int] = []
    desk = Desk(tmp_path, tell=a_tell(), on_work=lambda: woken.append(1))
    if sound is not None:
        desk.record(sound)
    await desk.collect_late()
    works = [row.wish for row in desk.facts.tables.works.values()]
    assert [work.payload["type"] for work in works] == types
    assert [work.payload["event_id"] for work in works] == [
        known.id for one in desk.events if (known := told(one))
    ]
    campaigns = {json.loads(work.payload["body"])["data"]["campaign_id"] for work in works}
    assert campaigns == {4}
    assert woken == [1]


async def test_what_could_not_be_stored_is_not_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tell=a_tell())
    desk.record()
    desk.facts.fault = StorageError("locked", temporary=True)
    with pytest.raises(StorageError):
        await desk.collect()
    assert (desk.facts.tables.works, desk.events) == ({}, [])


async def test_the_raw_file_stays_when_it_is_to_be_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path, keep_raw=True)
    desk.record()
    await desk.collect()
    assert desk.raw.read_bytes() == SOUND


async def test_a_last_frame_that_was_cut_off_is_left_out(desk: Desk) -> None:
    desk.record(SOUND + b"\x01\x02\x03")
    await desk.collect()
    assert desk.wav.stat().st_size == 44 + len(SOUND)


@pytest.mark.parametrize("sound", [None, b"", SOUND[:20_000]], ids=["missing", "empty", "too short"])
async def test_what_may_still_come_is_waited_for(desk: Desk, sound: bytes | None) -> None:
    if sound is not None:
        desk.record(sound)
    with pytest.raises(RecordingError):
        await desk.collect()
    assert desk.facts.saved == []
    assert desk.events == []


async def test_a_few_runs_are_made_however_long_ago_the_call_was(desk: Desk) -> None:
    desk.clock.advance(86_400)
    with pytest.raises(RecordingError, match="there is no file"):
        await desk.collect(attempts=1)


@pytest.mark.parametrize("sound", [None, b""], ids=["missing", "empty"])
async def test_what_never_comes_is_stored_as_a_problem_and_raises_an_alarm(
    desk: Desk, sound: bytes | None
) -> None:
    if sound is not None:
        desk.record(sound)
    await desk.collect_late()
    [(_, facts)] = desk.facts.saved
    assert facts.path is None
    assert facts.problem
    assert kinds(desk.events) == [RecordingMissing]
    assert desk.files_kept() == []


async def test_a_recording_that_stays_too_short_is_kept_and_raises_an_alarm(desk: Desk) -> None:
    desk.record(SOUND[:20_000])
    await desk.collect_late()
    [(_, facts)] = desk.facts.saved
    assert facts.path == f"{NAME}.wav"
    assert facts.problem == "the recording has 0.62 s of a call of 2.00 s"
    assert kinds(desk.events) == [RecordingReady, RecordingMissing]
    assert desk.wav.stat().st_size == 20_044


async def test_a_recording_longer_than_its_call_is_kept_and_said_to_be(desk: Desk) -> None:
    desk.record(SOUND * 3)
    await desk.collect()
    [(_, facts)] = desk.facts.saved
    assert facts.problem == "the recording has 6.00 s though the call lasted 2.00 s"
    assert kinds(desk.events) == [RecordingReady]


async def test_a_call_that_was_over_at_once_needs_no_recording_and_no_alarm(desk: Desk) -> None:
    desk.clock.advance(300)
    await desk.collect(attempts=9, answered_at=ENDED.isoformat())
    [(_, facts)] = desk.facts.saved
    assert facts.problem == "the call was over before anything was recorded"
    assert desk.events == []


async def test_a_file_that_still_grows_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.record()
    sizes = iter([64_000, 64_320])
    monkeypatch.setattr("cti.recording.collector.size_of", lambda _: next(sizes))
    with pytest.raises(RecordingError, match="still being written"):
        await desk.collect()
    assert desk.raw.exists()


async def test_a_node_without_a_folder_is_named(desk: Desk) -> None:
    with pytest.raises(RecordingError, match="no recordings folder of the node 'other'"):
        await desk.collect(node="other")


async def test_an_order_that_leads_out_of_the_folder_touches_nothing(desk: Desk) -> None:
    with pytest.raises(GiveUp):
        await desk.collect(name="../../../secret")


async def test_a_recording_of_a_call_that_is_not_known_is_not_tried_again(desk: Desk) -> None:
    desk.record()
    desk.facts.fault = NotFound("no call of this id")
    with pytest.raises(GiveUp):
        await desk.collect()
    assert desk.raw.exists()


async def test_the_raw_file_stays_until_the_facts_are_stored(desk: Desk) -> None:
    desk.record()
    desk.facts.fault = StorageError("locked", temporary=True)
    with pytest.raises(StorageError):
        await desk.collect()
    assert desk.raw.exists()
    assert desk.events == []
    desk.facts.fault = None
    await desk.collect()
    assert kinds(desk.events) == [RecordingReady]


async def test_a_run_after_a_kill_behind_the_last_step_finds_all_done(desk: Desk) -> None:
    desk.record()
    await desk.collect()
    await desk.collect()
    assert desk.facts.saved == [(CALL, KEPT)]
    assert kinds(desk.events) == [RecordingReady]


async def test_a_whole_file_without_facts_is_believed(desk: Desk) -> None:
    desk.record()
    await desk.collect()
    desk.facts.tables.recordings.clear()
    outline = desk.facts.tables.recording_peaks.pop(CALL)
    await desk.collect()
    assert desk.facts.saved == [(CALL, KEPT), (CALL, KEPT)]
    assert desk.facts.tables.recording_peaks == {CALL: outline}


async def test_what_was_moved_meanwhile_is_not_called_missing(desk: Desk) -> None:
    desk.record()
    await desk.collect()
    moved = replace(KEPT, path="elsewhere.flac", place=Place.S3)
    assert await desk.facts.move_recording(CALL, before=KEPT, after=moved, now=ENDED)
    desk.wav.unlink()
    await desk.collect_late()
    assert await desk.facts.recording(CALL) == moved


async def test_with_a_key_nothing_readable_reaches_the_disk(tmp_path: Path) -> None:
    desk = Desk(tmp_path, keys=f"2026a:{base64.b64encode(bytes(32)).decode()}")
    desk.record()
    await desk.collect()
    [(_, facts)] = desk.facts.saved
    assert facts == replace(KEPT, path=f"{NAME}.wav.sealed", key_id="2026a")
    [kept] = desk.files_kept()
    assert SOUND[:64] not in kept.read_bytes()
    assert desk.archive.problem(facts) is None


async def test_a_file_is_named_by_the_template_and_brings_class_and_work(tmp_path: Path) -> None:
    work = compress_work(CALL)
    desk = Desk(
        tmp_path,
        template=lambda _: "{date}/{number}-{call_id}",
        retention=lambda call: f"class of {call.node}",
        following=lambda call, facts: [work],
    )
    desk.record()
    await desk.collect()
    [(_, facts)] = desk.facts.saved
    assert facts.path == f"2026-11-23/4930901820-{CALL}.wav"
    assert facts.retention == "class of pbx"
    assert [row.wish for row in desk.facts.tables.works.values()] == [work]


async def test_a_pause_ends_with_the_call(desk: Desk) -> None:
    await desk.facts.begin_pause(CALL, by="anna", at=ANSWERED + timedelta(seconds=1))
    desk.record()
    await desk.collect()
    [pause] = await desk.facts.pauses(CALL)
    assert pause.ended_at == ENDED


class Killed(BaseException):
    """The process ends here; nothing after it runs."""


STEPS: list[tuple[str, str]] = [
    ("cti.recording.files.os.fsync", "sound written, not durable"),
    ("cti.recording.files._sync_folder", "renamed, folder not durable"),
    ("cti.recording.collector.remove", "facts stored, raw file still there"),
]


@pytest.mark.parametrize("step", [pytest.param(path, id=name) for path, name in STEPS])
async def test_a_run_after_a_kill_at_any_step_brings_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    desk.record()

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(step, die)
        # A killed process tidies nothing up.
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            await desk.collect()
    await desk.collect()
    assert desk.files_kept() == [desk.wav]
    assert desk.wav.stat().st_size == 44 + len(SOUND)
    assert desk.facts.saved[-1] == (CALL, KEPT)
    assert not desk.raw.exists()


async def test_a_raw_file_that_cannot_be_removed_does_not_undo_the_recording(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.record()

    def refuse(path: Path) -> None:
        raise RecordingError(f"cannot remove {path}: not allowed")

    monkeypatch.setattr("cti.recording.collector.remove", refuse)
    await desk.collect()
    assert kinds(desk.events) == [RecordingReady]


async def test_a_full_disk_is_named_leaves_nothing_behind_and_loses_nothing(
    tmp_path: Path, small_disk: Callable[[], Path]
) -> None:
    folder = small_disk()
    alarms: list[str] = []
    desk = Desk(tmp_path, kept=folder, disk_full=alarms.append)
    desk.record()
    with pytest.raises(DiskFull, match=f"the disk under {folder}.* is full"):
        await desk.collect()
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert desk.raw.read_bytes() == SOUND
    assert desk.facts.saved == []
    assert len(alarms) == 1


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Path]]:
    """A real file system of 16 KiB; where mounting is not allowed, a disk that is full at the first fsync."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0

    def make() -> Path:
        if not mounted:
            monkeypatch.setattr("cti.recording.files.os.fsync", full)
        return folder

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    yield make
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)
