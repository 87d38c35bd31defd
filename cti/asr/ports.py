"""What transcription needs of the rest."""

from collections.abc import Sequence
from typing import Protocol

from cti.model.transcripts import Transcript
from cti.model.work import NewWork


class TranscriptStore(Protocol):
    """Where transcripts are kept, with their search index in step."""

    async def save(self, transcript: Transcript, then: Sequence[NewWork] = ()) -> int:
        """Write it as the call's current one with its segments and index, in one transaction; return its version.

        `then` is the work that follows a new transcript, written with it. One of the same fingerprint is there already:
        nothing is written, no work either, and its version returned (the work ran twice).
        Raises NotFound for a call that is not there, StorageError.
        """
        ...

    async def current(self, call_id: str) -> Transcript | None:
        """Return the newest version. Raises StorageError."""
        ...

    async def versions(self, call_id: str) -> Sequence[Transcript]:
        """Return all, newest first, without segments and voices. Raises StorageError."""
        ...

    async def version(self, call_id: str, version: int) -> Transcript | None:
        """Return one. Raises StorageError."""
        ...
