"""`CallStore` in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cti.dialer.call_ports import no_works
from cti.dialer.retry import done_after_one
from cti.errors import NotFound
from cti.model.calls import Call, CallState, Join
from cti.model.contacts import Candidate, EntryState
from cti.model.standing import PLANNED, Plan
from cti.model.work import NewWork
from cti.ownership.effort import Effort, effort
from cti.storage.reason_rows import dialed_row
from tests.fakes.memory_moves import move
from tests.fakes.memory_tables import Attempt, MemoryTables, Reason, Verdict


class MemoryCalls:
    """Calls and attempts in dictionaries."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def place(self, calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        return [call.id for call, candidate in calls if self._place(call, candidate)]

    def _place(self, call: Call, candidate: Candidate | None) -> bool:
        stored = self._tables.calls.get(call.id)
        if stored is not None:
            return stored.state is CallState.PLACING
        if candidate is not None:
            entry = self._tables.entries.get(candidate.entry_id)
            if entry is None or entry.state is not EntryState.PENDING:
                return False
            entry.state, entry.tries, entry.call_id = EntryState.DIALING, entry.tries + 1, call.id
        self._tables.calls[call.id] = call
        self._tables.attempts[call.id] = Attempt(
            call_id=call.id,
            entry_id=candidate.entry_id if candidate else None,
            campaign_id=call.campaign_id,
            placed_at=call.placed_at,
            try_number=call.try_number,
        )
        if candidate is not None:
            told = Reason(id=self._tables.new_id(), **dialed_row(call, candidate))
            self._tables.reasons.append(told)
        return True

    async def save(
        self, calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        for call in calls:
            self._save(call, plan)
        known = [moment for call in calls for moment in (call.ended_at, call.placed_at) if moment]
        self._tables.write_works(works, max(known, default=datetime.now(UTC)))

    def _save(self, call: Call, plan: Plan) -> None:
        stored = self._tables.calls.get(call.id)
        if stored is not None and stored.ended and not call.ended:
            return
        kept = _stays_closed(stored.joins if stored else (), call.joins)
        crm_ref = stored.crm_ref if stored else call.crm_ref
        self._tables.calls[call.id] = replace(call, joins=kept, crm_ref=crm_ref)
        if call.ended:
            self._end(call, plan)

    def _end(self, call: Call, plan: Plan) -> None:
        attempt = self._tables.attempts.setdefault(
            call.id, Attempt(call_id=call.id, entry_id=None, campaign_id=call.campaign_id)
        )
        if attempt.outcome is None:
            self._note_effort(call)
        attempt.outcome, attempt.ended_at = call.outcome, call.ended_at
        attempt.end_reason = call.end_reason
        entry = self._tables.entries.get(attempt.entry_id) if attempt.entry_id is not None else None
        if entry is None or entry.call_id != call.id or entry.state is not EntryState.DIALING:
            return
        move(self._tables, entry, call, plan=plan, at=call.ended_at or call.placed_at, first=True)

    def _note_effort(self, call: Call) -> None:
        made = effort(call)
        if call.contact_id is None or made is None:
            return
        contact = self._tables.ownerships[call.contact_id]
        if made is Effort.FAILURE:
            contact.failures += 1
            return
        ended = call.ended_at or call.placed_at
        contact.failures = 0
        contact.last_talk_at = max(contact.last_talk_at or ended, ended)

    async def open_calls(self) -> list[Call]:
        return sorted(
            (call for call in self._tables.calls.values() if not call.ended), key=lambda call: call.id
        )

    async def get(self, call_id: str) -> Call | None:
        return self._tables.calls.get(call_id)

    async def set_disposition(
        self,
        call_id: str,
        *,
        agent_id: int | None,
        disposition: str,
        note: str,
        at: datetime,
        plan: Plan = done_after_one,
        works: Callable[[str | None], Sequence[NewWork]] = no_works,
    ) -> str | None:
        if call_id not in self._tables.calls:
            raise NotFound(f"there is no call {call_id}")
        known = self._tables.verdicts.get(call_id)
        before = known.disposition if known else None
        self._tables.write_works(works(before), at)
        self._tables.verdicts[call_id] = Verdict(agent_id=agent_id, disposition=disposition, note=note, at=at)
        call, attempt = self._tables.calls[call_id], self._tables.attempts.get(call_id)
        entry = self._tables.entries.get(attempt.entry_id or 0) if attempt else None
        if entry is None or not call.ended or entry.call_id != call_id:
            return before
        if entry.state is not EntryState.DIALING and (entry.reason is None or entry.reason in PLANNED):
            move(self._tables, entry, call, plan=plan, at=at, first=False)
        return before

    async def set_record(
        self, call_id: str, crm_ref: str, *, at: datetime, works: Callable[[Call], Sequence[NewWork]]
    ) -> Call:
        if call_id not in self._tables.calls:
            raise NotFound(f"there is no call {call_id}")
        call = self._tables.calls[call_id] = replace(self._tables.calls[call_id], crm_ref=crm_ref)
        self._tables.write_works(works(call), at)
        return call


def _stays_closed(stored: Sequence[Join], newer: Sequence[Join]) -> tuple[Join, ...]:
    """Return the newer stays, none of them re-opened, and stored ones that the newer do not know."""
    closed = [
        replace(stay, left_at=old.left_at) if stay.left_at is None and old.left_at is not None else stay
        for old, stay in zip(stored, newer, strict=False)
    ]
    return (*closed, *newer[len(closed) :], *stored[len(newer) :])
