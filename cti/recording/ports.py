"""What the collector of recordings needs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cti.model.queries import RecordingFacts
from cti.model.work import NewWork


class RecordingStore(Protocol):
    """Where the facts of recordings are kept."""

    async def save_recording(
        self, call_id: str, facts: RecordingFacts, *, at: datetime, works: Sequence[NewWork] = ()
    ) -> None:
        """Write what became of a call's recording, and the work that follows; again overwrites.

        Raises NotFound, StorageError.
        """
        ...
