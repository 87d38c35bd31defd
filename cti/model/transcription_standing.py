"""How transcription stands: for the status page, the command line and /health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRecording:
    """A recording that is not transcribed, and is not tried again by itself."""

    work_id: int
    call_id: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionStanding:
    """The queue and who works at it."""

    waiting: int
    """Recordings that wait, those that are due later included."""
    running: int
    """Leased: by a worker, or by the feeder of Redis while they wait in the stream."""
    dead: int
    done_last_hour: int
    oldest_due_at: datetime | None
    """Since when that waits which is due for the longest; None: nothing is."""
    workers_wanted: int = 0
    """Processes of this daemon's own."""
    workers_alive: int = 0
    seen: Sequence[str] = ()
    """Workers that asked the API within the last minutes."""
    redis: str | None = None
    """`ok`, `away`, or None: there is none."""
