"""RTP packets of PCMU (RFC 3550, RFC 3551). Pure."""

import struct
from typing import Final

from lab.softphone.audio import FRAME

_HEADER: Final = struct.Struct("!BBHII")
_VERSION: Final = 0x80
_MARKER: Final = 0x80
PCMU: Final = 0


def pack(payload: bytes, *, sequence: int, timestamp: int, source: int, first: bool = False) -> bytes:
    """Return a packet. `first` marks the start of speech."""
    kind = PCMU | (_MARKER if first else 0)
    return _HEADER.pack(_VERSION, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, source) + payload


def payload(packet: bytes) -> bytes | None:
    """Return the voice of a PCMU packet; None for anything else (RTCP, telephone events, junk)."""
    if len(packet) <= _HEADER.size or packet[0] & 0xC0 != _VERSION or packet[1] & 0x7F != PCMU:
        return None
    start = _HEADER.size + 4 * (packet[0] & 0x0F)
    return packet[start:] or None


def cut(voice: bytes, position: int) -> tuple[bytes, int]:
    """Return the next 20 ms of a voice that repeats for ever, and where to go on."""
    frame = voice[position : position + FRAME]
    while len(frame) < FRAME:
        frame += voice[: FRAME - len(frame)]
    return frame, (position + FRAME) % len(voice)
