"""What recording needs of the rest: where facts are kept, where files lie, who can mute, who decodes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cti.model.calls import Call
from cti.model.queries import RecordingFacts
from cti.model.recordings import HoldStep, Pause, Peaks, RecordedCall
from cti.model.work import NewWork

Samples = NDArray[np.int16]
"""Shape (frames, channels)."""


class RecordingStore(Protocol):
    """Where the facts of recordings are kept. Every method is one transaction and may raise StorageError."""

    async def recorded_call(self, call_id: str) -> RecordedCall | None:
        """Return what a recording's name is made of, None when there is no such call."""
        ...

    async def recording(self, call_id: str) -> RecordingFacts | None:
        """Return what is known of a call's recording, None when nothing is."""
        ...

    async def save_recording(
        self,
        call_id: str,
        facts: RecordingFacts,
        *,
        at: datetime,
        peaks: Peaks | None = None,
        works: Sequence[NewWork] = (),
        ended_at: datetime | None = None,
    ) -> None:
        """Write what became of a call's recording; again overwrites, but never a hold or a deletion.

        With it come its peaks, the work that follows, and the end of a pause that went on to the call's end
        (`ended_at`). Raises NotFound.
        """
        ...

    async def move_recording(
        self,
        call_id: str,
        *,
        before: RecordingFacts,
        after: RecordingFacts,
        now: datetime,
        works: Sequence[NewWork] = (),
    ) -> bool:
        """Write place, form, key, path, size and checksum, and the work that follows.

        False, and nothing is written, when they are no longer as in `before`, or the recording is being deleted.
        """
        ...

    async def recordings_after(
        self, call_id: str, *, limit: int, key_id_is_not: str | None = None
    ) -> list[tuple[str, RecordingFacts]]:
        """List recordings that have a file, by call id from the one after this on ("" for the first).

        With `key_id_is_not` only those that are encrypted with another key, or not at all.
        """
        ...

    async def count_recordings(self, *, key_id_is_not: str | None = None) -> int:
        """Count what `recordings_after` would list in all."""
        ...

    async def add_works(self, works: Sequence[NewWork], *, now: datetime) -> None:
        """Write work that concerns recordings."""
        ...

    async def begin_deleting(
        self, before: Mapping[str, datetime], *, limit: int, at: datetime
    ) -> list[tuple[str, RecordingFacts]]:
        """Claim recordings whose time is over, and list them with those that were claimed before and are not done.

        `before`: by retention class, up to which moment of `recorded_at`. What is held is never claimed.
        """
        ...

    async def finish_deleting(self, call_id: str, *, at: datetime) -> None:
        """Write that its file is gone; its peaks go too, and the row stays."""
        ...

    async def set_hold(self, call_id: str, *, held: bool, by: str, reason: str, at: datetime) -> bool:
        """Set or clear the hold and write the step; False when it stood so already.

        Raises NotFound for a call without a recording, Conflict for one that is being deleted, or is.
        """
        ...

    async def hold_steps(self, call_id: str) -> list[HoldStep]:
        """List the steps, oldest first."""
        ...

    async def retention_counts(self) -> list[tuple[str, bool, int]]:
        """Count recordings that have a file by class and hold."""
        ...

    async def begin_pause(self, call_id: str, *, by: str, at: datetime) -> bool:
        """Write that the recording pauses; False when it does already. Raises NotFound for no such call."""
        ...

    async def end_pause(self, call_id: str, *, at: datetime) -> bool:
        """Write that it goes on; False when it was not paused."""
        ...

    async def drop_pause(self, call_id: str) -> None:
        """Remove the pause that goes on: it never came about."""
        ...

    async def pauses(self, call_id: str) -> list[Pause]:
        """List a call's pauses, oldest first."""
        ...

    async def open_pauses(self) -> dict[str, datetime | None]:
        """Return the calls with a pause that goes on, and when each call ended (None: it is up)."""
        ...

    async def peaks(self, call_id: str) -> Peaks | None:
        """Return the outline, None when there is none."""
        ...


class Source(Protocol):
    """Bytes that can be read from anywhere, however they are kept. Blocks: belongs in a thread."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, length: int) -> bytes:
        """Return so many bytes from `start` on, fewer only at the end. Raises RecordingError."""
        ...


class FileStore(Protocol):
    """Where files lie, each under a key with forward slashes. Every method blocks and raises RecordingError.

    A key that would lead out of the place raises FileMissing.
    """

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Write the file wholly and durably, or not at all; again replaces. Return its size."""
        ...

    def size(self, key: str) -> int | None:
        """Return the file's size, None when there is none."""
        ...

    def read(self, key: str, start: int, length: int) -> bytes:
        """Return so many bytes from `start` on, fewer only at the end."""
        ...

    def remove(self, key: str) -> None:
        """Remove the file; one that is gone already is no error."""
        ...


class Sound(Protocol):
    """A recording that is being read."""

    rate: int
    """Samples a second and channel."""
    channels: int
    frames: int

    def blocks(self, frames: int = 65_536) -> Iterator[Samples]:
        """Give the samples, so many frames at a time, the last block shorter. Raises BrokenSound."""
        ...


class SoundReader(Protocol):
    """Recordings as samples, wherever and however they are kept. Blocks: belongs in a thread or another process.

    Raises BrokenSound (empty, cut off, another form, not `channels`), WrongKey, RecordingError (not there, not to be
    had now).
    """

    def open_sound(self, facts: RecordingFacts, *, channels: int | None = 2) -> AbstractContextManager[Sound]:
        """Open for reading block by block: memory stays flat however long it is."""
        ...

    def read_sound(self, facts: RecordingFacts, *, channels: int | None = 2) -> tuple[Samples, int]:
        """Return all samples, and the rate."""
        ...


class RecordingLines(Protocol):
    """Orders to the exchange that concern a recording."""

    async def mute_recording(self, call: Call, *, muted: bool) -> None:
        """Let the recording of a call that is up hold silence from now on, or sound again.

        Raises NodeDown, NodeRefused (it is not recorded there), NodeSilent.
        """
        ...


class Following(Protocol):
    """What is to follow a collected recording."""

    def __call__(self, call: RecordedCall, facts: RecordingFacts, /) -> Sequence[NewWork]: ...
