"""The head of a WAV file."""

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import RecordingError
from cti.recording.wav import (
    FRAME_BYTES,
    HEAD_BYTES,
    MOST_SOUND_BYTES,
    sound_seconds,
    wav_head,
    whole_frames,
)


def test_python_s_own_reader_opens_it_and_finds_two_channels() -> None:
    left, right = b"\x01\x00", b"\xff\x7f"
    sound = (left + right) * 8000
    with wave.open(io.BytesIO(wav_head(len(sound)) + sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        assert file.getnframes() == 8000
        assert file.readframes(1) == left + right


def test_the_riff_size_counts_all_that_follows_it() -> None:
    assert int.from_bytes(wav_head(400)[4:8], "little") == HEAD_BYTES - 8 + 400


@pytest.mark.parametrize("sound", [0, FRAME_BYTES, MOST_SOUND_BYTES])
def test_sizes_fit_the_32_bits_of_the_format(sound: int) -> None:
    assert int.from_bytes(wav_head(sound)[40:44], "little") == sound


def test_more_than_the_format_can_count_is_refused() -> None:
    with pytest.raises(RecordingError, match="do not fit a WAV file"):
        wav_head(MOST_SOUND_BYTES + FRAME_BYTES)


def test_half_a_frame_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="whole number of frames"):
        wav_head(FRAME_BYTES + 1)


@given(st.integers(0, MOST_SOUND_BYTES))
def test_a_cut_off_frame_is_left_out_and_nothing_else(size: int) -> None:
    assert 0 <= size - whole_frames(size) < FRAME_BYTES


def test_a_second_is_32000_bytes() -> None:
    assert sound_seconds(80_000) == 2.5
