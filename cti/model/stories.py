"""What an Asterisk node itself wrote down of one channel (its CEL file), independent of what AMI told us."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay of the channel in a two-party bridge."""

    peer: str | None
    """Asterisk's name of the other channel."""
    entered_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One channel from start to hang-up, as its node saw it. Times have microseconds."""

    node: str
    channel_id: str
    channel: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    stays: tuple[Stay, ...] = ()
    dropped_at: datetime | None = None
    """The dialplan's own mark that the grace ended with nobody fetching him."""
    answered_by: str | None = None
    """`person`, `machine`, `fax`, `unknown`: the dialplan's own mark of what it detected."""
    detected_at: datetime | None = None
    detection: str | None = None
    """The detector's own words."""
    voicemail_at: datetime | None = None
    """The dialplan's own mark that the voicemail message had been played."""
    ended_at: datetime | None = None
    cause: int | None = None
    """Q.850 cause at hang-up."""
    far_end: bool = False
    """The far end of this channel hung up. Mostly not told of a channel in a bridge, so False says nothing there."""
    last_at: datetime | None = None
    """Time of the newest row; with `ended_at` None, the last sign of life."""
