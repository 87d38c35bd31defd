"""Deletes recordings when the time of their class is over. A service; one step a day, and one at the start.

Claim, file, row: the claim keeps a hold from coming in between; a kill after it leaves a claimed row, which the next
step takes up first, and deleting a file that is gone already does nothing. Nothing is left behind for ever.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import RecordingError, StorageError
from cti.model.queries import RecordingFacts
from cti.model.recordings import RetentionClass, name_of_key
from cti.recording.archive import Archive
from cti.recording.locks import CallLocks
from cti.recording.ports import RecordingStore
from cti.service import every

log = logging.getLogger(__name__)

DAY_SECONDS: Final = 86_400.0
BITE: Final = 100
"""Recordings that are claimed at once: a backlog holds neither the database nor the disk for long."""


def cutoffs(classes: Sequence[RetentionClass], default: str, now: datetime) -> dict[str, datetime]:
    """Return by class up to which moment recordings are to go; under "" stands what was kept without a class."""
    found = {one.name: now - timedelta(days=one.days) for one in classes}
    return found | ({"": found[default]} if default in found else {})


class RetentionKeeper:
    """Deletes what is past its time."""

    name = "retention of recordings"

    def __init__(
        self,
        *,
        store: RecordingStore,
        archive: Archive,
        clock: Clock,
        locks: CallLocks,
        classes: Sequence[RetentionClass] = (),
        default: str = "",
        bite: int = BITE,
    ) -> None:
        self._store = store
        self._archive = archive
        self._clock = clock
        self._locks = locks
        self._classes = tuple(classes)
        self._default = default
        self._bite = bite

    async def run(self) -> None:
        """Delete once a day until cancelled."""
        await every(DAY_SECONDS, self.step, name=self.name)

    async def step(self) -> int:
        """Delete all that is past its time; return how many files went. One that cannot go now is left for later."""
        deleted, failed = 0, set[str]()
        while True:
            now = self._clock.now()
            try:
                begun = await self._store.begin_deleting(
                    cutoffs(self._classes, self._default, now), limit=self._bite + len(failed), at=now
                )
                fresh = [(call_id, facts) for call_id, facts in begun if call_id not in failed]
                for call_id, facts in fresh:
                    if await self._delete(call_id, facts):
                        deleted += 1
                    else:
                        failed.add(call_id)
            except StorageError as error:
                log.warning("recordings cannot be deleted now: %s", error)
                break
            if not fresh:
                break
        if deleted:
            log.info("%d recordings were deleted: their time was over", deleted)
        return deleted

    async def _delete(self, call_id: str, facts: RecordingFacts) -> bool:
        async with self._locks.held(call_id):
            try:
                await asyncio.to_thread(self._archive.remove_all, name_of_key(facts.path or ""))
            except RecordingError as error:
                log.error("the recording of call %s cannot be deleted: %s", call_id, error)
                return False
            await self._store.finish_deleting(call_id, at=self._clock.now())
        return True
