"""Whether what was recorded fits the call. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cti.errors import BadInput, GiveUp
from cti.model.work import Work
from cti.recording.naming import checked_name
from cti.recording.wav import sound_seconds

_TOLERANCE_SECONDS: Final = 1.0
"""MixMonitor starts a few ms after the answer and ends with the channel: 5.00 s of 5.00 s were measured. The rest
is for a busy node and for clocks read on two machines."""
_TOLERANCE_SHARE: Final = 0.02
"""Of the call's length: frames that the network lost are not in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One recording to be collected, as the work's payload says."""

    call_id: str
    node: str
    name: str
    answered_at: datetime
    ended_at: datetime

    @property
    def expected_seconds(self) -> float:
        return max((self.ended_at - self.answered_at).total_seconds(), 0.0)


def order_of(work: Work) -> Order:
    """Read the payload: `call_id, node, name, answered_at, ended_at`, times in ISO 8601. Raises GiveUp."""
    try:
        texts = {
            key: str(work.payload[key]) for key in ("call_id", "node", "name", "answered_at", "ended_at")
        }
        return Order(
            call_id=texts["call_id"],
            node=texts["node"],
            name=checked_name(texts["name"]),
            answered_at=_moment(texts["answered_at"]),
            ended_at=_moment(texts["ended_at"]),
        )
    except (KeyError, ValueError, BadInput) as error:
        raise GiveUp(f"the order to collect a recording cannot be read: {error}") from error


def too_short(sound_bytes: int, expected_seconds: float) -> str | None:
    """Return a sentence when that much sound cannot be the whole call, else None."""
    if not sound_bytes:
        return "the file is empty" if expected_seconds > _TOLERANCE_SECONDS else None
    seconds = sound_seconds(sound_bytes)
    if expected_seconds - seconds > _tolerance(expected_seconds):
        return f"the recording has {seconds:.2f} s of a call of {expected_seconds:.2f} s"
    return None


def too_long(sound_bytes: int, expected_seconds: float) -> str | None:
    """Return a sentence when there is more sound than there was call, else None."""
    seconds = sound_seconds(sound_bytes)
    if seconds - expected_seconds > _tolerance(expected_seconds):
        return f"the recording has {seconds:.2f} s though the call lasted {expected_seconds:.2f} s"
    return None


def _tolerance(expected_seconds: float) -> float:
    return max(_TOLERANCE_SECONDS, _TOLERANCE_SHARE * expected_seconds)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment
