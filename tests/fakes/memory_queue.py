"""`QueueStore` in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from cti.model.contacts import Candidate, EntryState
from cti.model.standing import Lane, Parked
from cti.storage.reason_rows import skipped_row
from tests.fakes.memory_tables import Entry, MemoryTables, Reason


class MemoryQueue:
    """The entries of the other twins, in order."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def lanes(self, campaign_id: int, *, owners: Collection[int]) -> list[Lane]:
        lanes: dict[tuple[int, str], Lane] = {}
        for entry in self._pending(campaign_id):
            if entry.owner_key in owners:
                lane = Lane(
                    owner_id=entry.owner_key,
                    zone=entry.zone,
                    entry_id=entry.id,
                    priority=entry.priority,
                    rank=entry.rank,
                )
                lanes.setdefault((entry.owner_key, entry.zone), lane)
        return sorted(lanes.values(), key=lambda lane: lane.place)

    async def heads(
        self, campaign_id: int, lanes: Sequence[Lane], *, limit: int, skip: Collection[int] = ()
    ) -> list[Candidate]:
        wanted = {(lane.owner_id, lane.zone) for lane in lanes}
        found = [
            self._tables.candidate(entry)
            for entry in self._pending(campaign_id)
            if (entry.owner_key, entry.zone) in wanted and entry.id not in skip
        ]
        return found[:limit]

    async def park(self, parked: Sequence[Parked], *, at: datetime) -> int:
        last = {one.candidate.entry_id: one for one in parked}
        mine = [one for key, one in last.items() if self._is_pending(key)]
        for one in mine:
            entry = self._tables.entries[one.candidate.entry_id]
            entry.state, entry.due_at, entry.reason = one.state, one.until, one.reason.value
            entry.reason_detail, entry.reason_at = one.detail, at
            self._tables.reasons.append(Reason(id=self._tables.new_id(), **skipped_row(one, at=at)))
        return len(mine)

    async def wake(self, now: datetime, *, limit: int) -> Mapping[int, int]:
        due = [
            entry
            for entry in self._tables.entries.values()
            if entry.state is EntryState.WAITING and entry.due_at is not None and entry.due_at <= now
        ]
        due.sort(key=lambda entry: (entry.due_at, entry.id))
        for entry in due[:limit]:
            entry.state, entry.due_at = EntryState.PENDING, None
            entry.reason = entry.reason_detail = entry.reason_at = None
        return Counter(entry.campaign_id for entry in due[:limit])

    def _pending(self, campaign_id: int) -> list[Entry]:
        found = [
            entry
            for entry in self._tables.entries.values()
            if entry.campaign_id == campaign_id and entry.state is EntryState.PENDING
        ]
        return sorted(found, key=lambda entry: (-entry.priority, entry.rank, entry.id))

    def _is_pending(self, entry_id: int) -> bool:
        entry = self._tables.entries.get(entry_id)
        return entry is not None and entry.state is EntryState.PENDING
