"""A store of transcripts that keeps no card and ID numbers: they are taken out before anything is written."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from cti.asr.ports import TranscriptStore
from cti.model.secrets import Secret
from cti.model.transcripts import Transcript
from cti.model.work import NewWork
from cti.search.redaction import redacted

KindsOf = Callable[[str], Awaitable[Collection[Secret]]]
"""Says which numbers may not be kept of a call, by its id."""


class RedactingTranscripts:
    """A `TranscriptStore` before another one."""

    def __init__(self, *, store: TranscriptStore, kinds_of: KindsOf) -> None:
        self._store = store
        self._kinds_of = kinds_of

    async def save(self, transcript: Transcript, then: Sequence[NewWork] = ()) -> int:
        """See the port."""
        clean, _ = redacted(transcript, await self._kinds_of(transcript.call_id))
        return await self._store.save(clean, then)

    async def current(self, call_id: str) -> Transcript | None:
        """See the port."""
        return await self._store.current(call_id)

    async def versions(self, call_id: str) -> Sequence[Transcript]:
        """See the port."""
        return await self._store.versions(call_id)

    async def version(self, call_id: str, version: int) -> Transcript | None:
        """See the port."""
        return await self._store.version(call_id, version)

    async def forget(self, call_ids: Sequence[str]) -> int:
        """See the port."""
        return await self._store.forget(call_ids)
