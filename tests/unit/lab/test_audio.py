"""Voices: coding, tones, what counts as heard, packets."""

import random
from pathlib import Path

import pytest

from lab.softphone import audio, rtp, sdp


@pytest.mark.parametrize(
    ("sample", "code"), [(0, 0xFF), (-1, 0x7F), (32767, 0x80), (-32768, 0x00), (1000, 0xCE)]
)
def test_samples_are_coded_as_g711_says(sample: int, code: int) -> None:
    assert audio.encode([sample]) == bytes([code])


def test_every_code_comes_back_as_itself() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is the other zero
    assert audio.encode(audio.decode(codes)) == codes


@pytest.mark.parametrize("frequency", [400, 600, 1000, 2100])
def test_a_tone_is_heard_and_others_are_not(frequency: int) -> None:
    voice = audio.tone(frequency)
    assert audio.share_of_tone(voice, frequency) == 1
    assert all(audio.share_of_tone(voice, other) == 0 for other in (500, 800, 1400) if other != frequency)


def test_silence_and_noise_are_not_tones() -> None:
    noise = audio.encode([random.Random(1).randint(-8000, 8000) for _ in range(audio.RATE)])
    assert not audio.is_sound(audio.SILENCE)
    assert audio.is_sound(noise[: audio.FRAME])
    assert audio.share_of_tone(audio.SILENCE * 50, 600) == 0
    assert audio.share_of_tone(noise, 600) == 0


def test_a_tone_joins_on_to_itself() -> None:
    voice, position, frames = audio.tone(600), 0, []
    for _ in range(75):
        frame, position = rtp.cut(voice, position)
        frames.append(frame)
    assert audio.share_of_tone(b"".join(frames), 600) == 1


def test_a_voice_shorter_than_a_packet_is_repeated() -> None:
    assert rtp.cut(b"abc", 2) == (b"c" + b"abc" * 53, 0)


def test_a_packet_gives_back_its_voice() -> None:
    packet = rtp.pack(b"voice", sequence=70_000, timestamp=2**33, source=5, first=True)
    assert rtp.payload(packet) == b"voice"
    assert packet[1] == 0x80


@pytest.mark.parametrize("junk", [b"", b"\x80" * 12, b"\x80\x65" + bytes(20), b"\x00" * 30])
def test_what_is_no_voice_is_none(junk: bytes) -> None:
    assert rtp.payload(junk) is None


def test_a_wav_file_keeps_the_voice(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "voice.wav", audio.tone(600))
    assert audio.read_wav(tmp_path / "voice.wav") == audio.tone(600)


def test_where_voice_goes_stands_in_the_description() -> None:
    offer = sdp.describe("127.0.0.1", 4000, version=1, direction="sendonly")
    assert sdp.voice_address(offer) == ("127.0.0.1", 4000)
    assert sdp.MIRRORED[sdp.direction(offer)] == "recvonly"
    assert sdp.voice_address(offer.replace("4000", "0")) is None
    assert sdp.voice_address("") is None
