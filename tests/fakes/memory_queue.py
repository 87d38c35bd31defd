"""`QueueStore` in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from cti.contacts.ranking import TRY
from cti.errors import NotFound
from cti.model.contacts import Candidate, EntryState
from cti.model.standing import PLANNED, Lane, Parked
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
        self,
        campaign_id: int,
        *,
        owners: Collection[int],
        closed_zones: Collection[str] = (),
        limit: int,
        skip: Collection[int] = (),
    ) -> list[Candidate]:
        found = [
            self._tables.candidate(entry)
            for entry in self._pending(campaign_id)
            if entry.owner_key in owners and entry.zone not in closed_zones and entry.id not in skip
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

    async def recyclable(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str] = ()
    ) -> Mapping[str, int]:
        return Counter(
            entry.last_outcome or "" for entry in self._recyclable(list_id, outcomes, dispositions)
        )

    async def recycle(
        self,
        list_id: int,
        *,
        outcomes: Collection[str],
        dispositions: Collection[str] = (),
        after: int,
        limit: int,
        at: datetime,
    ) -> list[int]:
        found = self._recyclable(list_id, outcomes, dispositions)
        bite = [entry for entry in found if entry.id > after][:limit]
        for entry in bite:
            entry.rank -= entry.tries * TRY if entry.rank >= TRY else 0.0
            entry.state, entry.tries, entry.failures, entry.call_id = EntryState.PENDING, 0, 0, None
            entry.due_at = entry.reason = entry.reason_detail = entry.reason_at = None
            entry.priority -= entry.raised
            entry.raised, entry.fresh_since = 0, at
            entry.owner_key = self._tables.ownerships[entry.contact_id].owner or 0
        return [entry.id for entry in bite]

    async def has_other_numbers(self, campaign_id: int) -> bool:
        return any(
            len(self._tables.contacts[entry.contact_id].numbers) > 1
            for entry in self._tables.entries.values()
            if entry.campaign_id == campaign_id
        )

    def _recyclable(
        self, list_id: int, outcomes: Collection[str], dispositions: Collection[str]
    ) -> list[Entry]:
        if list_id not in self._tables.lists:
            raise NotFound(f"there is no list {list_id}")
        found = [
            entry
            for entry in self._tables.entries.values()
            if entry.list_id == list_id
            and entry.state is EntryState.DONE
            and (entry.reason is None or entry.reason in PLANNED)
            and (entry.last_outcome in outcomes or self._said(entry) in dispositions)
        ]
        return sorted(found, key=lambda entry: entry.id)

    def _said(self, entry: Entry) -> str | None:
        verdict = self._tables.verdicts.get(entry.call_id or "")
        return verdict.disposition if verdict else None

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
