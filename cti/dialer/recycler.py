"""Puts those a list is done with back into its queue, by outcome or disposition; in bites, so that calls go on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from cti.clock import Clock
from cti.dialer.queue_ports import QueueStore

BITE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycled:
    """What became of it, or what would."""

    by_outcome: Mapping[str, int]
    """Entries by the outcome of their last attempt."""
    moved: int
    """How many were put back; 0 of a dry run."""


class Recycler:
    """Recycles lists."""

    def __init__(self, *, store: QueueStore, clock: Clock, on_due: Callable[[], None] = lambda: None) -> None:
        """`on_due` is called when there is somebody to dial again."""
        self._store = store
        self._clock = clock
        self._on_due = on_due

    async def recycle(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str], dry_run: bool
    ) -> Recycled:
        """Put them back, each once however often he is done meanwhile. Raises NotFound, StorageError.

        After an error what was moved stays moved; asking again goes on with the others.
        """
        counts = await self._store.recyclable(list_id, outcomes=outcomes, dispositions=dispositions)
        moved = 0 if dry_run else await self._move(list_id, outcomes, dispositions)
        return Recycled(by_outcome=counts, moved=moved)

    async def _move(self, list_id: int, outcomes: Collection[str], dispositions: Collection[str]) -> int:
        moved, after = 0, 0
        while True:
            bite = await self._store.recycle(
                list_id,
                outcomes=outcomes,
                dispositions=dispositions,
                after=after,
                limit=BITE,
                at=self._clock.now(),
            )
            moved += len(bite)
            if bite:
                self._on_due()
            if len(bite) < BITE:
                return moved
            after = bite[-1]
