"""A store of recordings' facts that also writes which work the fact leaves behind, in the same transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.queries import RecordingFacts
from cti.model.work import NewWork


class RecordingStore(Protocol):
    """Where the facts go."""

    async def save_recording(
        self, call_id: str, facts: RecordingFacts, *, at: datetime, works: Sequence[NewWork] = ()
    ) -> None: ...


class FollowedRecordings:
    """Adds work to each recording's facts."""

    def __init__(self, store: RecordingStore, follow: Callable[[str, datetime], Sequence[NewWork]]) -> None:
        self._store = store
        self._follow = follow

    async def save_recording(
        self, call_id: str, facts: RecordingFacts, *, at: datetime, works: Sequence[NewWork] = ()
    ) -> None:
        """Write facts and work."""
        more = self._follow(call_id, at) if facts.path is not None else ()
        await self._store.save_recording(call_id, facts, at=at, works=(*works, *more))
