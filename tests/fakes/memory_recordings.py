"""`RecordingStore` in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.queries import RecordingFacts
from cti.model.recordings import HoldStep, Pause, Peaks, RecordedCall
from cti.model.work import NewWork
from tests.fakes.memory_tables import MemoryTables


class MemoryRecordings:
    """Facts, pauses, holds and outlines in dictionaries by call."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def recorded_call(self, call_id: str) -> RecordedCall | None:
        call = self._tables.calls.get(call_id)
        if call is None:
            return None
        campaign = self._tables.campaigns.get(call.campaign_id or 0)
        agent = self._tables.agents.get(call.agent_id or 0)
        return RecordedCall(
            call_id=call.id,
            placed_at=call.placed_at,
            node=call.node,
            number=call.number,
            campaign_id=call.campaign_id,
            campaign=campaign.name if campaign else "",
            agent=agent.login if agent else "",
            list_id=call.list_id,
            contact_id=call.contact_id,
            ended_at=call.ended_at,
        )

    async def recording(self, call_id: str) -> RecordingFacts | None:
        return self._tables.recordings.get(call_id)

    async def save_recording(
        self,
        call_id: str,
        facts: RecordingFacts,
        *,
        at: datetime,
        peaks: Peaks | None = None,
        works: Sequence[NewWork] = (),
        ended_at: datetime | None = None,
    ) -> None:
        if call_id not in self._tables.calls:
            raise NotFound(f"there is no call {call_id}")
        before = self._tables.recordings.get(call_id)
        if before is None:
            self._tables.recordings[call_id] = replace(facts, held=False, deleting_at=None, deleted_at=None)
        elif before.deleting_at is None:
            self._tables.recordings[call_id] = replace(facts, held=before.held)
        if peaks is not None:
            self._tables.recording_peaks[call_id] = peaks
        if ended_at is not None:
            await self.end_pause(call_id, at=ended_at)
        self._tables.write_works(works, at)

    async def move_recording(
        self,
        call_id: str,
        *,
        before: RecordingFacts,
        after: RecordingFacts,
        now: datetime,
        works: Sequence[NewWork] = (),
    ) -> bool:
        there = self._tables.recordings.get(call_id)
        if there is None or there.deleting_at is not None or _moving(there) != _moving(before):
            return False
        path, size_bytes, sha256, place, form, key_id = _moving(after)
        self._tables.recordings[call_id] = replace(
            there, path=path, size_bytes=size_bytes, sha256=sha256, place=place, format=form, key_id=key_id
        )
        self._tables.write_works(works, now)
        return True

    async def recordings_after(
        self, call_id: str, *, limit: int, key_id_is_not: str | None = None
    ) -> list[tuple[str, RecordingFacts]]:
        return [(one, facts) for one, facts in self._with_file(key_id_is_not) if one > call_id][:limit]

    async def count_recordings(self, *, key_id_is_not: str | None = None) -> int:
        return len(self._with_file(key_id_is_not))

    async def add_works(self, works: Sequence[NewWork], *, now: datetime) -> None:
        self._tables.write_works(works, now)

    async def begin_deleting(
        self, before: Mapping[str, datetime], *, limit: int, at: datetime
    ) -> list[tuple[str, RecordingFacts]]:
        rows = [(call_id, facts) for call_id, facts in self._tables.recordings.items() if facts.path]
        begun = [call_id for call_id, facts in rows if facts.deleting_at is not None]
        over = [
            (facts.recorded_at, call_id)
            for call_id, facts in rows
            if facts.deleting_at is None
            and not facts.held
            and facts.recorded_at is not None
            and facts.retention in before
            and facts.recorded_at < before[facts.retention]
        ]
        begun = (begun + [call_id for _, call_id in sorted(over)])[:limit]
        for call_id in begun:
            facts = self._tables.recordings[call_id]
            self._tables.recordings[call_id] = replace(facts, deleting_at=facts.deleting_at or at)
        return [(call_id, self._tables.recordings[call_id]) for call_id in begun]

    async def finish_deleting(self, call_id: str, *, at: datetime) -> None:
        facts = self._tables.recordings.get(call_id)
        if facts is not None and facts.deleting_at is not None:
            self._tables.recordings[call_id] = replace(facts, path=None, deleted_at=at)
            self._tables.recording_peaks.pop(call_id, None)

    async def set_hold(self, call_id: str, *, held: bool, by: str, reason: str, at: datetime) -> bool:
        facts = self._tables.recordings.get(call_id)
        if facts is None:
            raise NotFound(f"call {call_id} has no recording (yet)")
        if facts.deleting_at is not None:
            raise Conflict(f"the recording of call {call_id} is being deleted, or was")
        if facts.held == held:
            return False
        self._tables.recordings[call_id] = replace(facts, held=held)
        self._tables.recording_holds[call_id].append(HoldStep(held=held, by=by, reason=reason, at=at))
        return True

    async def hold_steps(self, call_id: str) -> list[HoldStep]:
        return list(self._tables.recording_holds[call_id])

    async def retention_counts(self) -> list[tuple[str, bool, int]]:
        kinds = [(facts.retention, facts.held) for facts in self._tables.recordings.values() if facts.path]
        return [(name, held, kinds.count((name, held))) for name, held in sorted(set(kinds))]

    async def begin_pause(self, call_id: str, *, by: str, at: datetime) -> bool:
        if call_id not in self._tables.calls:
            raise NotFound(f"there is no call {call_id}")
        pauses = self._tables.recording_pauses[call_id]
        if any(pause.ended_at is None for pause in pauses):
            return False
        pauses.append(Pause(began_at=at, by=by))
        return True

    async def end_pause(self, call_id: str, *, at: datetime) -> bool:
        pauses = self._tables.recording_pauses[call_id]
        for place, pause in enumerate(pauses):
            if pause.ended_at is None:
                pauses[place] = replace(pause, ended_at=max(at, pause.began_at))
                return True
        return False

    async def drop_pause(self, call_id: str) -> None:
        pauses = self._tables.recording_pauses[call_id]
        pauses[:] = [pause for pause in pauses if pause.ended_at is not None]

    async def pauses(self, call_id: str) -> list[Pause]:
        return sorted(self._tables.recording_pauses[call_id], key=lambda pause: pause.began_at)

    async def open_pauses(self) -> dict[str, datetime | None]:
        return {
            call_id: self._tables.calls[call_id].ended_at
            for call_id, pauses in self._tables.recording_pauses.items()
            if any(pause.ended_at is None for pause in pauses)
        }

    async def peaks(self, call_id: str) -> Peaks | None:
        return self._tables.recording_peaks.get(call_id)

    def _with_file(self, key_id_is_not: str | None) -> list[tuple[str, RecordingFacts]]:
        return [
            (call_id, facts)
            for call_id, facts in sorted(self._tables.recordings.items())
            if facts.path
            and facts.deleting_at is None
            and (key_id_is_not is None or facts.key_id != key_id_is_not)
        ]


def _moving(facts: RecordingFacts) -> tuple[object, ...]:
    return (facts.path, facts.size_bytes, facts.sha256, facts.place, facts.format, facts.key_id)
