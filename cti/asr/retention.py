"""Deletes transcripts when the time of their recordings' class is over. A service; one step a day, one at the start.

It looks at what is there, not at what was deleted today: a transcript that was made late, or that a kill left behind,
goes with the next step.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from cti.clock import Clock
from cti.errors import StorageError
from cti.model.recordings import RetentionClass
from cti.service import every

log = logging.getLogger(__name__)

DAY_SECONDS: Final = 86_400.0
BITE: Final = 20
"""Calls per transaction: the index of each is rewritten, and with SQLite nobody else writes meanwhile."""


class KeptTexts(Protocol):
    """Where transcripts are kept."""

    async def past(
        self, before: Mapping[str, datetime], *, after: int, limit: int
    ) -> Sequence[tuple[int, str]]:
        """List the next calls behind this key whose transcripts are past their time, with their keys, oldest first.

        `before`: by retention class of the recording, up to which moment of `recorded_at`. What is held is never
        among them. Raises StorageError.
        """
        ...

    async def forget(self, call_ids: Sequence[str]) -> int:
        """Delete all versions of these calls with their index, and say how many. Raises StorageError."""
        ...


class Judgements(Protocol):
    """What was found in transcripts."""

    async def forget(self, call_ids: Sequence[str]) -> int:
        """Delete judgements with their hits, and say how many. Raises StorageError."""
        ...


def text_cutoffs(classes: Sequence[RetentionClass], default: str, now: datetime) -> dict[str, datetime]:
    """Return by class up to which moment transcripts are to go; under "" stands what was kept without a class."""
    found = {one.name: now - timedelta(days=one.days_of_text) for one in classes}
    return found | ({"": found[default]} if default in found else {})


class TranscriptRetention:
    """Deletes what is past its time."""

    name = "retention of transcripts"

    def __init__(
        self,
        *,
        store: KeptTexts,
        judgements: Judgements,
        clock: Clock,
        classes: Sequence[RetentionClass],
        default: str = "",
        bite: int = BITE,
    ) -> None:
        """`default`: the class of recordings that have none; empty: these are kept."""
        self._store = store
        self._judgements = judgements
        self._clock = clock
        self._classes = tuple(classes)
        self._default = default
        self._bite = bite

    async def run(self) -> None:
        """Delete once a day until cancelled."""
        await every(DAY_SECONDS, self.step, name=self.name)

    async def step(self) -> int:
        """Delete all that is past its time; return of how many calls. What a database refuses is left for later."""
        before = text_cutoffs(self._classes, self._default, self._clock.now())
        deleted, after = 0, 0
        try:
            while found := await self._store.past(before, after=after, limit=self._bite):
                calls = [call_id for _, call_id in found]
                # what quotes a transcript goes before it: a kill in between leaves one that is found again
                await self._judgements.forget(calls)
                await self._store.forget(calls)
                deleted, after = deleted + len(calls), found[-1][0]
        except StorageError as error:
            log.warning("transcripts cannot be deleted now: %s", error)
        if deleted:
            log.info("the transcripts of %d calls were deleted: their time was over", deleted)
        return deleted
