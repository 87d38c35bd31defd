"""Moves entries in memory after an attempt, as `cti.storage.entry_moves` does in a database."""

from dataclasses import replace
from datetime import datetime

from cti.model.callbacks import Callback, CallbackMove, CallbackMoveKind, CallbackState
from cti.model.calls import Call, EndReason, Outcome
from cti.model.standing import EntryAfter, EntryFacts, Plan
from cti.storage.entry_moves import UNREACHED
from tests.fakes.memory_tables import Attempt, Entry, MemoryTables


def move(tables: MemoryTables, entry: Entry, call: Call, *, plan: Plan, at: datetime, first: bool) -> None:
    """Let the entry stand as the plan says."""
    after = plan(_facts(tables, entry, call))
    counted = after.counted and call.outcome is not None
    entry.state, entry.due_at = after.state, after.due_at
    entry.tries -= int(first and not after.counted)
    entry.priority += after.raised - entry.raised
    entry.raised = after.raised
    entry.rank = entry.rank if after.rank is None else after.rank
    if after.number_position != entry.number_position:
        entry.number_position = after.number_position
        number = tables.contacts[entry.contact_id].numbers[after.number_position]
        entry.zone = tables.contact_zones.get(entry.contact_id) or number.zone or ""
    entry.reason = after.reason.value if after.reason else None
    entry.reason_detail = after.detail or None
    entry.reason_at = at if after.reason else None
    if counted and call.outcome:
        entry.last_outcome = call.outcome.value
        entry.failures += int(first and call.outcome in UNREACHED)
        entry.failures = 0 if call.outcome is Outcome.CONNECTED else entry.failures
    _end_callbacks(tables, entry, call, after, at)


def _facts(tables: MemoryTables, entry: Entry, call: Call) -> EntryFacts:
    verdict = tables.verdicts.get(call.id)
    said = verdict.disposition if verdict else None
    counted = [
        one
        for one in tables.attempts.values()
        if one.entry_id == entry.id
        and one.end_reason is not EndReason.NOT_SENT
        and (entry.fresh_since is None or _placed(one) >= entry.fresh_since)
    ]
    mine = [one for one in tables.callbacks.values() if one.entry_id == entry.id]
    since = _first(mine, CallbackState.DUE)
    tries = 0
    if since is not None and call.placed_at >= since:
        tries = sum(
            one.entry_id == entry.id and one.end_reason is not EndReason.NOT_SENT and _placed(one) >= since
            for one in tables.attempts.values()
        )
    promised = [_first(mine, CallbackState.PLANNED), since if not tries else None]
    return EntryFacts(
        entry_id=entry.id,
        campaign_id=entry.campaign_id,
        call=call,
        disposition=said,
        tries=entry.tries,
        same_outcome=len({one.try_number for one in counted if one.outcome == call.outcome}),
        same_disposition=len(
            {
                one.try_number
                for one in counted
                if said is not None and one.call_id in tables.verdicts
                if tables.verdicts[one.call_id].disposition == said
            }
        ),
        number_position=entry.number_position,
        numbers=len(tables.contacts[entry.contact_id].numbers),
        raised=entry.raised,
        promised_at=min((moment for moment in promised if moment is not None), default=None),
        callback_tries=tries,
    )


def _placed(attempt: Attempt) -> datetime:
    assert attempt.placed_at is not None
    return attempt.placed_at


def _first(callbacks: list[Callback], state: CallbackState) -> datetime | None:
    return min((one.due_at for one in callbacks if one.state is state), default=None)


def _end_callbacks(tables: MemoryTables, entry: Entry, call: Call, after: EntryAfter, at: datetime) -> None:
    if after.callback is None:
        return
    for one in list(tables.callbacks.values()):
        if one.entry_id == entry.id and one.state is CallbackState.DUE:
            state = CallbackState(after.callback.value)
            tables.callbacks[one.id] = replace(one, state=state, changed_at=at)
            told = CallbackMove(
                at=at, kind=CallbackMoveKind(state.value), by="dialer", detail=f"call {call.id}"
            )
            tables.callback_moves.setdefault(one.id, []).append(told)
            entry.owner_key = tables.ownerships[entry.contact_id].owner or 0
