"""Writes down who was refused, a little later than it was said. A service.

Whoever waits for the next contacts to dial does not wait for this write, and on SQLite, where one writes at a time, the
attempts that follow from the choice go first. Until it is written an entry is still pending in the store, so a process
that dies in between only asks about it anew; `held` says whom a choice must pass over meanwhile.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cti.dialer.queue_ports import QueueStore
from cti.model.standing import Parked
from cti.service import Absence, every

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.1


class Parker:
    """Keeps the refusals of some 100 ms and writes them in one go."""

    name = "parker"

    def __init__(self, *, store: QueueStore) -> None:
        self._store = store
        self._kept: dict[int, tuple[Parked, datetime]] = {}
        self._absence = Absence(log, "refused contacts are not written down while the database is away")

    async def park(self, parked: Sequence[Parked], *, at: datetime) -> int:
        """Take refusals to be written; returns at once how many. Never raises."""
        self._kept.update({one.candidate.entry_id: (one, at) for one in parked})
        return len(parked)

    def held(self, campaign_id: int) -> set[int]:
        """Return the entries of a campaign that are refused and still look pending."""
        return {
            entry_id for entry_id, (one, _) in self._kept.items() if one.candidate.campaign_id == campaign_id
        }

    async def run(self) -> None:
        """Write for ever."""
        await every(PAUSE_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Write what is kept; when the database is away it stays kept for the next step."""
        moments = sorted({at for _, at in self._kept.values()})
        with self._absence.borne():
            for moment in moments:
                await self._write(moment)

    async def _write(self, moment: datetime) -> None:
        mine = [one for one, at in self._kept.values() if at == moment]
        await self._store.park(mine, at=moment)
        for one in mine:
            _, at = self._kept.get(one.candidate.entry_id, (one, None))
            if at == moment:
                del self._kept[one.candidate.entry_id]
