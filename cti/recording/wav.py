"""The head of a WAV file: what turns Asterisk's raw sound into something a player opens. Pure.

Only the one form that we record: 16-bit PCM, 8 kHz, two channels (left the customer, right the agent).
"""

import struct
from typing import Final

from cti.errors import RecordingError

RATE: Final = 8000
"""Samples a second and channel; the rate of Asterisk's `.raw`."""
CHANNELS: Final = 2
FRAME_BYTES: Final = CHANNELS * 2
"""One sample of each channel."""
HEAD_BYTES: Final = 44

_SIZES_BEFORE_SOUND: Final = HEAD_BYTES - 8
"""What RIFF's own size counts beside the sound: everything after that size field."""
MOST_SOUND_BYTES: Final = (0xFFFFFFFF - _SIZES_BEFORE_SOUND) // FRAME_BYTES * FRAME_BYTES
"""RIFF sizes have 32 bits; this is 37 hours."""

_HEAD: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


def whole_frames(size_bytes: int) -> int:
    """Return how many of these bytes of sound are whole frames; a file cut off anywhere may end within one."""
    return size_bytes - size_bytes % FRAME_BYTES


def sound_seconds(sound_bytes: int) -> float:
    """Return how long that much sound lasts."""
    return sound_bytes / (RATE * FRAME_BYTES)


def wav_head(sound_bytes: int) -> bytes:
    """Return the 44 bytes that go before the sound. Raises RecordingError when it is too long for a WAV file.

    Layout: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0" (1991), WAVE form, PCM.
    """
    if sound_bytes % FRAME_BYTES:
        raise ValueError(f"{sound_bytes} bytes are no whole number of frames")
    if sound_bytes > MOST_SOUND_BYTES:
        raise RecordingError(
            f"{sound_bytes} bytes of sound do not fit a WAV file (at most {MOST_SOUND_BYTES})"
        )
    pcm, bits, format_bytes = 1, 16, 16
    return _HEAD.pack(
        *(b"RIFF", _SIZES_BEFORE_SOUND + sound_bytes, b"WAVE"),
        *(b"fmt ", format_bytes, pcm, CHANNELS, RATE, RATE * FRAME_BYTES, FRAME_BYTES, bits),
        *(b"data", sound_bytes),
    )


_NEEDED: Final = (b"fmt ", b"data")
HEAD_LOOK: Final = 4096
"""How much of a file `wav_problem` wants to see: other programs put other chunks before the sound."""


def wav_problem(head: bytes, file_bytes: int) -> str | None:
    """Return what is wrong with a WAV file of any rate, from its first `HEAD_LOOK` bytes and its size; else None."""
    if not file_bytes:
        return "the file is empty"
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return "this is no WAV file: it does not begin with RIFF and WAVE"
    at, seen = 12, set[bytes]()
    while at + 8 <= len(head):
        name, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        seen.add(name)
        if name == b"fmt " and head[at + 8 : at + 10] not in (
            b"\x01\x00",
            b"\xfe\xff",
            b"\x06\x00",
            b"\x07\x00",
        ):
            return "the sound is not PCM, A-law or mu-law"
        if name == b"data":
            there = file_bytes - at - 8
            if there < size:
                return f"the file is cut off: {there} bytes of {size} bytes of sound are there"
            break
        at += 8 + size + size % 2
    missing = [name.decode().strip() for name in _NEEDED if name not in seen]
    return f"its head is not whole: there is no chunk {missing[0]!r}" if missing else None
