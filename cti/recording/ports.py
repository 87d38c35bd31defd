"""What the collector of recordings needs."""

from datetime import datetime
from typing import Protocol

from cti.model.queries import RecordingFacts


class RecordingStore(Protocol):
    """Where the facts of recordings are kept."""

    async def save_recording(self, call_id: str, facts: RecordingFacts, *, at: datetime) -> None:
        """Write what became of a call's recording; again overwrites. Raises NotFound, StorageError."""
        ...
