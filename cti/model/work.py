"""Work for the outside, or for later: one durable row each, whatever the kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

COLLECT_RECORDING: Final = "recording.collect"
"""Kind of the work that a recorded call leaves behind when it ends."""
COMPRESS_RECORDING: Final = "recording.compress"
"""Kind of the work that makes a recording smaller once nobody needs its samples; its key is the call's id."""
UPLOAD_RECORDING: Final = "recording.upload"
"""Kind of the work that moves a recording from the folder to the S3 store; its key is the call's id."""
ROTATE_RECORDING: Final = "recording.rotate"
"""Kind of the work that encrypts a recording with the current key; its key is the call's id."""
TRANSCRIBE: Final = "recording.transcribe"
"""Kind of the work that turns a recording into a transcript; its key is the call's id."""
TELL_TRANSCRIPT: Final = "transcript.tell"
"""Kind of the work that tells that a call has a new transcript; its key is the call's id."""
JUDGE_QUALITY: Final = "quality.judge"
"""Kind of the work that judges a call by its transcript; its key is the call's id."""
FIT_CHANCES: Final = "chances.fit"
"""Kind of the work that learns a campaign's answer chances anew; its key is the campaign's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWork:
    """Work about to be written, in the transaction of what it is about.

    (kind, key) is unique among rows that are not done: writing it again raises `version`, replaces the payload and
    makes the row due, so that several changes become one piece of work.
    """

    kind: str
    """For example `recording.collect`. Each kind has one handler."""
    key: str
    """What it is about, for example a call's id."""
    payload: Mapping[str, Any]
    """JSON values only."""
    due_at: datetime | None = None
    """Not before; None: at once."""
    priority: int = 0
    """Higher first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A row of work, leased to whoever holds this value."""

    id: int
    kind: str
    key: str
    version: int
    payload: Mapping[str, Any]
    attempts: int
    """Runs begun so far, this one included."""
    lease: str
    """Token of this lease; an answer with another token is refused."""
    leased_until: datetime
    error: str | None = None
    """What the run before this one said."""
