"""`Sounds` from where recordings are kept, whatever the place, form and key: for workers that see it themselves."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from cti.errors import GiveUp, RecordingError
from cti.model.queries import RecordingFacts
from cti.recording.archive import Archive


class Facts(Protocol):
    """Where the facts of recordings are kept."""

    async def recording(self, call_id: str) -> RecordingFacts | None:
        """Return what is known of a call's recording, None when nothing is. Raises StorageError."""
        ...


class ArchiveSounds:
    """Copies a recording, decrypted, into a file of its own: an engine reads here and there, several times."""

    def __init__(self, *, facts: Facts, archive: Archive) -> None:
        self._facts = facts
        self._archive = archive

    @asynccontextmanager
    async def fetched(self, call_id: str) -> AsyncIterator[Path]:
        """See the port."""
        facts = await self._facts.recording(call_id)
        if facts is None or facts.path is None:
            why = f": {facts.problem}" if facts and facts.problem else ""
            raise GiveUp(f"call {call_id} has no recording{why}")
        if facts.deleting_at is not None:
            raise GiveUp(f"the recording of call {call_id} was deleted: its time was over")
        with tempfile.TemporaryDirectory(prefix="waihu-sound-") as folder:
            path = Path(folder) / "sound"
            await asyncio.to_thread(self._copy, facts, path)
            yield path

    def _copy(self, facts: RecordingFacts, path: Path) -> None:
        try:
            with path.open("wb") as file:
                file.writelines(self._archive.chunks(facts))
        except OSError as error:
            raise RecordingError(
                f"the recording cannot be copied to {path.parent}: {error.strerror}"
            ) from error
