"""Collecting recordings where something breaks: kills at each step, disks that are full, files that stay."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cti.errors import DiskFull, RecordingError, StorageError
from cti.model.events import RecordingReady
from cti.model.recordings import Place
from tests.unit.recording.collecting import CALL, ENDED, KEPT, SOUND, Desk, kinds


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


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
