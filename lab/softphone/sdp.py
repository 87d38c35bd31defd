"""The two lines of a session description that a phone for one codec needs (RFC 4566, RFC 3264). Pure."""

import re
from typing import Final

_ADDRESS = re.compile(r"^c=IN IP4 (\S+)", re.MULTILINE)
_AUDIO = re.compile(r"^m=audio (\d+)", re.MULTILINE)
_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)", re.MULTILINE)
MIRRORED: Final = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


def voice_address(description: str) -> tuple[str, int] | None:
    """Return where the other side wants its voice packets; None when it takes none."""
    host, port = _ADDRESS.search(description), _AUDIO.search(description)
    if not host or not port or port[1] == "0":
        return None
    return host[1], int(port[1])


def direction(description: str) -> str:
    """Return which way the other side wants voice to go."""
    found = _DIRECTION.search(description)
    return found[1] if found else "sendrecv"


def describe(host: str, port: int, *, version: int, direction: str = "sendrecv") -> str:
    """Return our description: PCMU in packets of 20 ms, and telephone events."""
    lines = (
        "v=0",
        f"o=- {port} {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=ptime:20",
        f"a={direction}",
    )
    return "".join(line + "\r\n" for line in lines)
