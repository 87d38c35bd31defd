"""What transcription needs of the rest."""

from collections.abc import Sequence
from typing import Protocol

from cti.model.transcripts import Transcript
from cti.model.work import NewWork


class TranscriptStore(Protocol):
    """Where transcripts are kept, with their search index in step."""

    async def save(self, transcript: Transcript, then: Sequence[NewWork] = ()) -> int:
        """Write it as the call's current one with its segments, index and further work, in one transaction.

        Returns its version. One of the same fingerprint is there already: nothing is written and its version returned
        (the job ran twice). Times are kept to the millisecond. Raises NotFound for a call that is not there, BadInput
        for more segments than a transcript may have, StorageError.
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

    async def forget(self, call_ids: Sequence[str]) -> int:
        """Delete all versions of these calls with their index, and say how many. Raises StorageError."""
        ...
