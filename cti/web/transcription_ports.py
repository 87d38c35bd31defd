"""What the API needs of transcription."""

from collections.abc import Sequence
from typing import Protocol

from cti.asr.worker_ports import Feed
from cti.model.transcription_standing import DeadRecording, TranscriptionStanding


class Transcription(Protocol):
    """The desk of transcription."""

    @property
    def feed(self) -> Feed:
        """Where workers of other processes are fed from."""
        ...

    def noted(self, worker: str) -> None:
        """Take note that a worker asked."""
        ...

    async def standing(self) -> TranscriptionStanding:
        """Return how it stands. Raises StorageError."""
        ...

    async def dead(self) -> Sequence[DeadRecording]:
        """List the dead letters, newest first. Raises StorageError."""
        ...

    async def order(self, call_id: str, *, model: str | None, language: str | None) -> None:
        """Have a call's recording transcribed (again), soon.

        None means: as the call's campaign has it. Raises NotFound for a call or a recording that is not there,
        StorageError.
        """
        ...

    async def revive(self, work_id: int) -> bool:
        """Make a dead letter due again; False when there is none of that id. Raises StorageError."""
        ...

    async def revive_all(self) -> int:
        """Make all dead letters due again; return how many. Raises StorageError."""
        ...
