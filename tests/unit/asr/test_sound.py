"""Sound files, good and bad."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cti.asr.pipeline import transcribe
from cti.asr.sound import cut_short, open_sound
from cti.asr.telephone import telephone
from cti.errors import BadInput
from cti.model.transcripts import Speaker
from tests.unit.asr.speaking import FakeEngine, sounds


def write(path: Path, *channels: np.ndarray, rate: int = 8000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.stack(channels, axis=1).tobytes())
    return path


@pytest.fixture
def left() -> np.ndarray:
    return sounds((1, 2), seconds=4)


def test_any_place_of_a_channel_can_be_read(tmp_path: Path, left: np.ndarray) -> None:
    with open_sound(write(tmp_path / "a.wav", left, left[::-1])) as sound:
        assert (sound.rate, sound.channels, sound.frames, sound.problem) == (8000, 2, 32000, None)
        assert np.array_equal(sound.read(1, 100, 50), left[::-1][100:150])
        assert np.array_equal(sound.read(0, 31990, 50), left[31990:])
        assert not len(sound.read(0, 99999, 50))
        with pytest.raises(BadInput, match="there is no channel 2"):
            sound.read(2, 0, 1)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "ULAW"), ("WAV", "ALAW"), ("FLAC", "PCM_16"), ("OGG", "OPUS"), ("OGG", "VORBIS")],
)
def test_other_forms_are_read_too(tmp_path: Path, kind: str, subtype: str) -> None:
    left, right = sounds((1, 2), seconds=4), sounds((2.5, 3.5), seconds=4)
    soundfile.write(tmp_path / "a", np.stack([left, right], axis=1), 8000, format=kind, subtype=subtype)
    engine = FakeEngine()
    with open_sound(tmp_path / "a") as sound:
        heard = transcribe(sound, engine=engine, listener=engine)
    assert [one.speaker for one in heard.segments] == [Speaker.CUSTOMER, Speaker.AGENT]
    assert heard.seconds == pytest.approx(4.0, abs=0.05)


def test_sound_that_is_no_file_is_read_too(tmp_path: Path, left: np.ndarray) -> None:
    held = io.BytesIO(write(tmp_path / "a.wav", left).read_bytes())
    with open_sound(held, "call 1") as sound:
        assert sound.frames == 32000


@pytest.mark.parametrize(("rate", "heard"), [(11025, 8000), (22050, 16000), (44100, 16000), (48000, 16000)])
def test_other_rates_are_brought_to_one_of_two(tmp_path: Path, rate: int, heard: int) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(rate * 3) / rate)).astype(np.int16)
    with open_sound(write(tmp_path / "a.wav", tone, rate=rate)) as sound:
        assert (sound.rate, sound.frames) == (heard, 3 * heard)
        whole = sound.read(0, 0, 3 * heard)
        assert len(whole) == 3 * heard
        piece = sound.read(0, heard, 2000)
        assert np.abs(whole[heard : heard + 2000].astype(int) - piece).max() < 300


def test_a_file_cut_short_is_read_as_far_as_it_goes_and_told(tmp_path: Path, left: np.ndarray) -> None:
    path = write(tmp_path / "a.wav", left)
    path.write_bytes(path.read_bytes()[:30001])
    engine = FakeEngine()
    with open_sound(path) as sound:
        assert sound.frames == (30001 - 44) // 2
        heard = transcribe(sound, engine=engine, listener=engine, speakers=(Speaker.AGENT,))
    assert heard.problem == "the file is cut short: 29957 bytes of sound are there, its head says 64000"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty", id="zero bytes"),
        pytest.param(b"\0" * 5000, "no sound file", id="zeros"),
        pytest.param(b"RIFF\0\0\0\0WAVE", "no sound file", id="a head and nothing else"),
        pytest.param(b"RIFX" + b"abcd" * 100, "no sound file", id="a wrong head"),
        pytest.param(
            b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff" + b"1" * 90, "no sound file", id="no form told"
        ),
        pytest.param(b"<html>" * 50, "no sound file", id="a page"),
    ],
)
def test_what_is_no_sound_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=f"bad.wav: .*{message}"), open_sound(path):
        pass


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(BadInput, match=r"none\.wav: cannot be read: No such file"),
        open_sound(tmp_path / "none.wav"),
    ):
        pass
    with pytest.raises(BadInput, match="cannot be read"), open_sound(tmp_path):
        pass


def test_a_rate_below_a_telephone_s_is_refused(tmp_path: Path, left: np.ndarray) -> None:
    path = write(tmp_path / "slow.wav", left, rate=4000)
    with pytest.raises(BadInput, match=r"slow\.wav: 4000 samples a second; at least 8000"), open_sound(path):
        pass


def test_a_head_that_tells_no_length_is_not_called_short() -> None:
    head = b"RIFF\0\0\0\0WAVE" + struct.pack("<4sI", b"fmt ", 16) + b"\0" * 16
    assert cut_short(head + struct.pack("<4sI", b"data", 0xFFFFFFFF), 10_000) is None
    assert cut_short(head + struct.pack("<4sI", b"data", 100), 144) is None
    assert cut_short(head + struct.pack("<4sI", b"data", 101), 144) is not None
    assert cut_short(b"fLaC" + b"\0" * 100, 104) is None


def test_a_telephone_keeps_what_is_said_below_4_khz() -> None:
    wide = (9000 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)).astype(np.int16)
    narrow = telephone(wide, 16000)
    assert len(narrow) == 8000
    assert np.abs(narrow[500:7500].astype(int) - wide[::2][500:7500]).max() < 400
