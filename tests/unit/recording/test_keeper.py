"""Recordings that become smaller, move, and get another key; killed at each step."""

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cti.errors import GiveUp, RecordingError, WrongKey
from cti.model.recordings import Place, SoundFormat
from cti.model.work import COMPRESS_RECORDING, UPLOAD_RECORDING
from tests.builders import NOW
from tests.unit.recording.keeping import CALL, COMPRESS, ROTATE, UPLOAD, Bench, key, voices, work

FORMS = [SoundFormat.FLAC, SoundFormat.OPUS]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("keys", ["", key("a")], ids=["plain", "sealed"])
async def test_a_recording_becomes_smaller_and_stays_as_long(
    tmp_path: Path, form: SoundFormat, keys: str
) -> None:
    bench = Bench(tmp_path, keys=keys)
    before = await bench.keep()
    await bench.keeper(compress=form).compress(COMPRESS)
    after = await bench.facts()
    sealed = ".sealed" if keys else ""
    assert bench.files() == [f"2026/{CALL}.{form.value}{sealed}"]
    assert after.format is form
    assert after.size_bytes is not None
    assert before.size_bytes is not None
    assert after.size_bytes < 0.7 * before.size_bytes
    assert bench.archive().problem(after) is None
    samples, rate = bench.archive().read_sound(after)
    assert (samples.shape, rate) == (voices().shape, 8000)
    if form is SoundFormat.FLAC:
        assert np.array_equal(samples, voices())
    else:
        for channel in (0, 1):
            assert np.corrcoef(samples[:, channel], voices()[:, channel])[0, 1] > 0.9
    await bench.keeper(compress=form).compress(COMPRESS)
    assert await bench.facts() == after


async def test_where_nothing_is_compressed_the_recording_only_moves_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_s3=True)
    before = await bench.keep()
    await bench.keeper(compress=None).compress(COMPRESS)
    assert await bench.facts() == before
    assert bench.kinds() == [UPLOAD_RECORDING]


async def test_a_recording_that_was_compressed_is_moved_afterwards(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_s3=True)
    await bench.keep()
    await bench.keeper(compress=SoundFormat.FLAC).compress(COMPRESS)
    assert bench.kinds() == [UPLOAD_RECORDING]
    await bench.keeper().upload(UPLOAD)
    assert bench.files() == [f"far:2026/{CALL}.flac"]
    assert (await bench.facts()).place is Place.S3


async def test_what_was_moved_first_is_compressed_where_it_lies(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_s3=True, keys=key("a"))
    await bench.keep()
    await bench.keeper().upload(UPLOAD)
    await bench.keeper(compress=SoundFormat.OPUS).compress(COMPRESS)
    assert bench.files() == [f"far:2026/{CALL}.opus.sealed"]
    assert bench.archive().problem(await bench.facts()) is None


async def test_the_local_file_stays_when_the_other_one_is_not_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, with_s3=True)
    before = await bench.keep()
    keeper = bench.keeper()
    far = keeper._archive._stores[Place.S3]
    put = far.put

    def loses_some(path: str, chunks: object) -> int:
        return put(path, [b"".join(chunks)[:-9]])  # type: ignore[call-overload]

    monkeypatch.setattr(far, "put", loses_some)
    with pytest.raises(RecordingError, match="was not kept as it was written"):
        await keeper.upload(UPLOAD)
    assert await bench.facts() == before
    assert bench.archive().problem(before) is None
    monkeypatch.undo()
    await keeper.upload(UPLOAD)
    assert bench.files() == [f"far:2026/{CALL}.wav"]


async def test_a_new_key_takes_over_and_the_old_one_can_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path, keys=key("old", 1))
    before = await bench.keep()
    both = f"{key('new', 2)},{key('old', 1)}"
    await bench.keeper(both).rotate(ROTATE)
    after = await bench.facts()
    assert (after.key_id, after.sha256, after.path) == ("new", before.sha256, before.path)
    assert bench.archive(key("new", 2)).problem(after) is None
    with pytest.raises(WrongKey, match="encrypted with the key 'new'; known are: old"):
        bench.archive(key("old", 1)).open_source(after)
    await bench.keeper(both).rotate(ROTATE)
    assert await bench.facts() == after


async def test_what_was_not_encrypted_is_when_there_is_a_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    before = await bench.keep()
    await bench.keeper(key("new")).rotate(ROTATE)
    after = await bench.facts()
    assert after == replace(before, path=f"2026/{CALL}.wav.sealed", key_id="new")
    assert bench.files() == [after.path]


async def test_without_the_old_key_a_recording_is_left_as_it_is(tmp_path: Path) -> None:
    bench = Bench(tmp_path, keys=key("old", 1))
    before = await bench.keep()
    with pytest.raises(RecordingError, match="encrypted with the key 'old'; known are: new"):
        await bench.keeper(key("new", 2)).rotate(ROTATE)
    assert await bench.facts() == before
    assert bench.archive().problem(before) is None


async def test_a_broken_recording_is_not_spread(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_s3=True)
    before = await bench.keep()
    (bench.local / f"2026/{CALL}.wav").write_bytes(b"RIFF")
    for doing in (
        bench.keeper(compress=SoundFormat.FLAC).compress(COMPRESS),
        bench.keeper().upload(UPLOAD),
        bench.keeper(key("a")).rotate(ROTATE),
    ):
        with pytest.raises(RecordingError, match="is left as it is"):
            await doing
    assert await bench.facts() == before


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "step", ["archive.Archive.write", "keeper.RecordingKeeper._proved", "move_recording", "remove_all", "end"]
)
@pytest.mark.parametrize("what", ["compress", "upload", "rotate"])
async def test_a_kill_at_any_step_is_mended_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, step: str
) -> None:
    keys = f"{key('new', 2)},{key('old', 1)}" if what == "rotate" else ""
    bench = Bench(tmp_path, keys=key("old", 1) if what == "rotate" else "", with_s3=True)
    await bench.keep()
    samples = bench.archive().read_sound(await bench.facts())[0]

    async def run() -> None:
        await getattr(bench.keeper(keys, compress=SoundFormat.FLAC), what)(work(f"recording.{what}"))

    def die(*_: object, **__: object) -> None:
        raise Killed

    if step == "end":
        await run()
    else:
        with monkeypatch.context() as killed:
            place = {
                "move_recording": "tests.fakes.memory_recordings.MemoryRecordings.move_recording",
                "remove_all": "cti.recording.archive.Archive.remove_all",
            }.get(step, f"cti.recording.{step}")
            killed.setattr(place, die)
            with pytest.raises(Killed):
                await run()
    await run()
    facts = await bench.facts()
    [file] = bench.files()
    assert file.removeprefix("far:") == facts.path
    assert bench.archive(keys).problem(facts) is None
    assert np.array_equal(bench.archive(keys).read_sound(facts)[0], samples)
    done = {"compress": facts.format is SoundFormat.FLAC, "upload": facts.place is Place.S3}
    assert done.get(what, facts.key_id == "new")


async def test_all_at_once_on_one_recording_do_not_get_into_each_other_s_way(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_s3=True)
    await bench.keep()
    keeper = bench.keeper(key("a"), compress=SoundFormat.FLAC)
    await asyncio.gather(keeper.upload(UPLOAD), keeper.compress(COMPRESS), keeper.rotate(ROTATE))
    facts = await bench.facts()
    assert (facts.place, facts.format, facts.key_id) == (Place.S3, SoundFormat.FLAC, "a")
    assert bench.files() == [f"far:2026/{CALL}.flac.sealed"]


async def test_what_is_deleted_or_was_never_there_is_nobody_s_work(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_s3=True)
    keeper = bench.keeper(key("a"), compress=SoundFormat.FLAC)
    for _ in range(2):
        await keeper.compress(COMPRESS)
        await keeper.upload(UPLOAD)
        await keeper.rotate(ROTATE)
        await bench.keep(retention="short")
        await bench.store.begin_deleting({"short": NOW.replace(year=2030)}, limit=1, at=NOW)
    assert bench.files() == [f"2026/{CALL}.wav"]
    with pytest.raises(GiveUp):
        await keeper.compress(replace(work(COMPRESS_RECORDING), payload={}))


async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    bench, alarms = Bench(tmp_path), list[str]()
    before = await bench.keep()
    monkeypatch.setattr("cti.recording.files.os.fsync", full)
    with pytest.raises(RecordingError, match="is full"):
        await bench.keeper(compress=SoundFormat.FLAC, disk_full=alarms.append).compress(COMPRESS)
    assert len(alarms) == 1
    assert await bench.facts() == before


async def test_a_service_that_ends_does_not_wait_for_a_long_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, begun, go_on = Bench(tmp_path), threading.Event(), threading.Event()
    before = await bench.keep()
    ended: list[BaseException] = []

    def slowly(blocks: Iterable[object], *_: object, **__: object) -> int:
        begun.set()
        go_on.wait(60)
        try:
            return len(list(blocks))
        except RecordingError as error:
            ended.append(error)
            raise

    monkeypatch.setattr("cti.recording.keeper.encode", slowly)
    keeper = bench.keeper(compress=SoundFormat.FLAC)
    task = asyncio.create_task(keeper.compress(COMPRESS))
    await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await asyncio.to_thread(keeper._threads.shutdown)
    assert [str(error) for error in ended] == ["the service ends; this is done again"]
    assert (await bench.facts(), bench.files()) == (before, [f"2026/{CALL}.wav"])
