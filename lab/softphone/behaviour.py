"""What a phone does when it is called, and the words for what became of a call there. Values only."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lab.softphone.audio import SILENCE

ANY_SOUND: Final = 0
"""Stands for "whatever is not silence" where a frequency is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a phone does when it is called."""

    answer_after: float | None = 0.0
    """Seconds of ringing before it answers; None rings until the caller gives up."""
    refuse: int | None = None
    """SIP code to refuse with, after `answer_after` seconds."""
    voice: bytes = SILENCE
    """mu-law that it says again and again."""
    record: bool = False
    """Keep what it hears in `PhoneCall.recording`."""


class CallState(StrEnum):
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


class Ending(StrEnum):
    """Who ended a call at the phone."""

    REMOTE = "remote"
    LOCAL = "local"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    DIED = "died"
    """The phone went dead; the other side was not told."""


@dataclass(slots=True)
class Times:
    """When things happened, by `time.monotonic()`; None until they do."""

    invited: float = field(default_factory=time.monotonic)
    answered: float | None = None
    """Our 200 OK left."""
    acknowledged: float | None = None
    first_packet: float | None = None
    first_sound: float | None = None
    ended: float | None = None
