"""Recordings as samples: whatever their form, and clear words for what is none."""

import io
import tracemalloc
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cti.errors import BrokenSound, FileMissing
from cti.model.queries import RecordingFacts
from cti.model.recordings import SoundFormat
from cti.recording.archive import Archive
from cti.recording.peaks import MOST_BUCKETS, bucket_ms, peaks_of
from cti.recording.plan import ArchivePlan
from cti.recording.sound_files import decoded
from cti.recording.wav import wav_head
from tests.unit.recording.keeping import Bench, key, voices, wav_of

FACTS = RecordingFacts(path="a.wav")


def archive(folder: Path, content: bytes, name: str = "a.wav") -> Archive:
    (folder / name).write_bytes(content)
    return Archive.open(ArchivePlan(folder=folder))


def other_wav(channels: int = 1, rate: int = 16_000, width: int = 2) -> bytes:
    with io.BytesIO() as file:
        with wave.open(file, "wb") as wav:
            wav.setnchannels(channels)
            wav.setframerate(rate)
            wav.setsampwidth(width)
            wav.writeframes(bytes(channels * width * rate))
        return file.getvalue()


WAV = wav_of(voices(1.0))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "the file is empty", id="zero bytes"),
        pytest.param(WAV[:20_000], "is cut off: 19956 bytes of 32000 bytes", id="truncated"),
        pytest.param(WAV[:43], "its head is not whole", id="cut off in the head"),
        pytest.param(WAV[:30], "its head is not whole", id="cut off in fmt"),
        pytest.param(b"RIFX" + WAV[4:], "does not begin with RIFF", id="no RIFF"),
        pytest.param(b"<html>" * 99, "does not begin with RIFF", id="a page"),
        pytest.param(WAV[:20] + b"\x55\x00" + WAV[22:], "is not PCM", id="mp3 in wav"),
        pytest.param(WAV[:12] + b"LIST" + WAV[16:], "no chunk 'fmt'", id="no fmt"),
        pytest.param(other_wav(), "has 1 channels; a recording has 2", id="mono"),
        pytest.param(other_wav(channels=3), "has 3 channels", id="three channels"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(BrokenSound, match=told):
        archive(tmp_path, content).read_sound(FACTS)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"a\.wav is not in its place"):
        Archive.open(ArchivePlan(folder=tmp_path)).read_sound(FACTS)


@pytest.mark.parametrize("form", [SoundFormat.FLAC, SoundFormat.OPUS])
@pytest.mark.parametrize("content", [b"", WAV, b"\x00" * 5000])
def test_what_is_no_flac_and_no_opus_is_named(tmp_path: Path, form: SoundFormat, content: bytes) -> None:
    with pytest.raises(BrokenSound):
        archive(tmp_path, content).read_sound(replace(FACTS, format=form))


@pytest.mark.parametrize(
    ("form", "kind"), [(SoundFormat.FLAC, ("FLAC", "PCM_16")), (SoundFormat.OPUS, ("OGG", "OPUS"))]
)
def test_a_compressed_file_that_was_cut_off_is_noticed(
    tmp_path: Path, form: SoundFormat, kind: tuple[str, str]
) -> None:
    with io.BytesIO() as file:
        soundfile.write(file, voices(20.0), 8000, format=kind[0], subtype=kind[1])
        content = file.getvalue()
    facts = replace(FACTS, format=form, seconds=20.0)
    assert archive(tmp_path, content).read_sound(facts)[0].shape == (160_000, 2)
    for left in (0.9, 0.5, 0.1, 0.01):
        with pytest.raises(BrokenSound):
            archive(tmp_path, content[: round(left * len(content))]).read_sound(facts)


def test_a_wav_of_another_program_is_read_too(tmp_path: Path) -> None:
    samples, rate = archive(tmp_path, other_wav(channels=2)).read_sound(FACTS)
    assert (samples.shape, samples.dtype, rate) == ((16_000, 2), np.int16, 16_000)
    samples, _ = archive(tmp_path, other_wav()).read_sound(FACTS, channels=None)
    assert samples.shape == (16_000, 1)


async def test_blocks_are_the_whole(tmp_path: Path) -> None:
    bench = Bench(tmp_path, keys=key("a"))
    facts = await bench.keep(voices(5.0))
    with bench.archive().open_sound(facts) as sound:
        assert (sound.rate, sound.channels, sound.frames) == (8000, 2, 40_000)
        blocks = list(sound.blocks(9000))
    assert [len(block) for block in blocks] == [9000] * 4 + [4000]
    assert np.array_equal(np.concatenate(blocks), voices(5.0))


class Hours:
    """A WAV file of three hours that takes no memory: each frame is its own number."""

    def __init__(self, hours: float) -> None:
        self.sound = round(hours * 3600) * 8000 * 4
        self.head = wav_head(self.sound)
        self.size = len(self.head) + self.sound

    def read(self, start: int, length: int) -> bytes:
        end = min(start + length, self.size)
        head = self.head[start:end]
        first, last = max(start - 44, 0), max(end - 44, 0)
        frames = np.arange(first // 4, -(-last // 4), dtype="<u4").tobytes()
        return head + frames[first % 4 : first % 4 + last - first]


def test_three_hours_keep_memory_flat() -> None:
    source, frames = Hours(3.0), 0
    tracemalloc.start()
    try:
        with decoded(source, SoundFormat.WAV) as sound:
            for block in sound.blocks():
                if frames == 131_072 * 40:
                    numbers = block.view("<u4").reshape(-1)
                    assert np.array_equal(numbers, np.arange(frames, frames + len(block)))
                frames += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frames == 3 * 3600 * 8000
    assert peak < 8_000_000


def test_peaks_are_the_lowest_and_the_highest_of_each_bucket() -> None:
    samples = np.zeros((2000, 2), np.int16)
    samples[10] = (32_767, -32_768)
    samples[900] = (-256, 511)
    samples[1999] = (1, 300)
    blocks = [samples[:700], samples[700:701], samples[701:]]
    peaks = peaks_of(blocks, rate=8000, channels=2, seconds=0.25)
    assert peaks.bucket_ms == 100
    assert peaks.of_channel(0) == ([0, -1, 0], [127, 0, 0])
    assert peaks.of_channel(1) == ([-128, 0, 0], [0, 1, 1])
    assert peaks_of([], rate=8000, channels=2, seconds=0).of_channel(1) == ([], [])


@pytest.mark.parametrize(("seconds", "width"), [(0, 100), (1000, 100), (1000.1, 200), (3 * 3600, 1100)])
def test_long_recordings_get_wider_buckets(seconds: float, width: int) -> None:
    assert bucket_ms(seconds) == width
    assert seconds * 1000 / width <= MOST_BUCKETS
