"""`ReasonStore` in memory."""

from dataclasses import asdict
from datetime import datetime

from cti.model.contacts import Candidate, EntryState
from cti.model.standing import ReasonKind
from cti.model.whys import LaneCount, ReasonCount, Standing, ToldReason
from tests.fakes.memory_tables import Entry, MemoryTables


class MemoryReasons:
    """Reads the entries of the other twins."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def standings(self, *, number: str | None = None, contact_id: int | None = None) -> list[Standing]:
        return [
            self._standing(entry)
            for entry in self._tables.entries.values()
            if (number and self._has(entry.contact_id, number))
            or (not number and entry.contact_id == contact_id)
        ]

    async def history(
        self, *, number: str | None = None, contact_id: int | None = None, limit: int
    ) -> list[ToldReason]:
        found = [
            ToldReason(**asdict(one) | {"kind": ReasonKind(one.kind)})
            for one in self._tables.reasons
            if (one.number == number if number else one.contact_id == contact_id)
        ]
        return found[::-1][:limit]

    async def reason_counts(self, campaign_id: int) -> list[ReasonCount]:
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in self._of(campaign_id):
            if entry.state in (EntryState.WAITING, EntryState.DONE):
                groups.setdefault((entry.state, entry.reason or ""), []).append(entry)
        return [
            ReasonCount(
                state=EntryState(state),
                reason=reason or None,
                entries=len(entries),
                next_at=min((one.due_at for one in entries if one.due_at), default=None),
            )
            for (state, reason), entries in sorted(groups.items())
        ]

    async def lane_counts(self, campaign_id: int) -> list[LaneCount]:
        lanes: dict[tuple[int, str], int] = {}
        for entry in self._of(campaign_id):
            if entry.state is EntryState.PENDING:
                key = (entry.owner_key, entry.zone)
                lanes[key] = lanes.get(key, 0) + 1
        return [
            LaneCount(owner_id=owner, zone=zone, entries=count)
            for (owner, zone), count in sorted(lanes.items())
        ]

    async def samples(
        self,
        campaign_id: int,
        state: EntryState,
        *,
        reason: str | None = None,
        owner_id: int | None = None,
        zone: str | None = None,
        limit: int,
    ) -> list[Standing]:
        found = [entry for entry in self._of(campaign_id) if entry.state is state]
        if state is EntryState.PENDING:
            found = [entry for entry in found if (entry.owner_key, entry.zone) == (owner_id, zone)]
            found.sort(key=lambda entry: (-entry.priority, entry.rank, entry.id))
        else:
            found = [entry for entry in found if entry.reason == reason]
            found.sort(key=lambda entry: entry.due_at.timestamp() if entry.due_at else 0.0)
        return [self._standing(entry) for entry in found[:limit]]

    async def before(self, candidate: Candidate, *, owner_id: int, limit: int) -> int:
        mine = (-candidate.priority, candidate.rank, candidate.entry_id)
        return min(
            limit,
            sum(
                (-entry.priority, entry.rank, entry.id) < mine
                for entry in self._of(candidate.campaign_id)
                if entry.state is EntryState.PENDING
                and (entry.owner_key, entry.zone) == (owner_id, candidate.zone)
            ),
        )

    async def forget(self, before: datetime, *, limit: int) -> int:
        count = 0
        while self._tables.reasons and count < limit and self._tables.reasons[0].at < before:
            self._tables.reasons.pop(0)
            count += 1
        return count

    def _of(self, campaign_id: int) -> list[Entry]:
        return [entry for entry in self._tables.entries.values() if entry.campaign_id == campaign_id]

    def _has(self, contact_id: int, number: str) -> bool:
        return any(one.e164 == number for one in self._tables.contacts[contact_id].numbers)

    def _standing(self, entry: Entry) -> Standing:
        return Standing(
            candidate=self._tables.candidate(entry),
            state=entry.state,
            owner_id=entry.owner_key,
            due_at=entry.due_at,
            reason=entry.reason,
            detail=entry.reason_detail or "",
            reason_at=entry.reason_at,
            call_id=entry.call_id,
        )
