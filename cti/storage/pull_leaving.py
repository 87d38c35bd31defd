"""How entries leave their list when the CRM's record is over, come back, and wake once it was read again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.contacts import Candidate, EntryState
from cti.model.standing import Parked
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.portable import one_of
from cti.storage.pull_cases import Case
from cti.storage.queue_rows import candidates
from cti.storage.reason_rows import skipped_row

_entries, _callbacks = tables.list_entries.c, tables.callbacks.c
_QUEUED: Final = (EntryState.PENDING, EntryState.WAITING)
_CANDIDATES: Final = candidates().where(one_of(_entries.id, "entry_ids"))
_LEAVE: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), _entries.state.in_([state.value for state in _QUEUED]))
    .values(
        state=EntryState.DONE.value,
        due_at=None,
        reason=SkipReason.CRM_OVER.value,
        reason_detail=bindparam("words"),
        reason_at=bindparam("moment"),
    )
)
_PROMISED: Final = (
    select(func.min(_callbacks.due_at))
    .where(_callbacks.entry_id == _entries.id, tables.still_open)
    .correlate(tables.list_entries)
    .scalar_subquery()
)
_OVER: Final = (_entries.state == EntryState.DONE.value, _entries.reason == SkipReason.CRM_OVER.value)
_STALE: Final = (_entries.state == EntryState.WAITING.value, _entries.reason == SkipReason.CRM_STALE.value)
_NOTHING: Final = {"due_at": None, "reason": None, "reason_detail": None, "reason_at": None}
_TO_CALLBACK: Final = (
    update(tables.list_entries)
    .where(one_of(_entries.id, "entry_ids"), *_OVER, _PROMISED.is_not(None))
    .values(
        state=EntryState.WAITING.value,
        due_at=_PROMISED,
        reason=SkipReason.CALLBACK_LATER.value,
        reason_detail=None,
    )
)
_BACK: Final = (
    update(tables.list_entries)
    .where(one_of(_entries.id, "entry_ids"), *_OVER)
    .values(state=EntryState.PENDING.value, **_NOTHING)
)
_WAKE: Final = (
    update(tables.list_entries)
    .where(one_of(_entries.id, "entry_ids"), *_STALE)
    .values(state=EntryState.PENDING.value, **_NOTHING)
)


def over_words(over: str, target: str) -> str:
    """Return why an entry is not dialed, for people."""
    return f"{over.replace('_', ' ')} in {target}"


async def leave(connection: AsyncConnection, cases: Sequence[Case], *, target: str, at: datetime) -> int:
    """End the entries of records that are over, with the reason; return how many. A call that is under way goes on."""
    leaving = [
        (case, case.entry.id) for case in cases if case.entry is not None and case.entry.state in _QUEUED
    ]
    if not leaving:
        return 0
    ids = [entry_id for _, entry_id in leaving]
    rows: dict[int, Any] = {
        row["entry_id"]: row for row in (await connection.execute(_CANDIDATES, {"entry_ids": ids})).mappings()
    }
    ends, reasons = [], []
    for case, entry_id in leaving:
        case.left = True
        words = over_words(case.heard.over or "", target)
        ends.append({"entry": entry_id, "words": words, "moment": at})
        candidate = Candidate(**rows[entry_id])
        reasons.append(
            skipped_row(Parked(candidate=candidate, reason=SkipReason.CRM_OVER, detail=words), at=at)
        )
    await connection.execute(_LEAVE, ends)
    await connection.execute(insert(tables.entry_reasons), reasons)
    return len(leaving)


async def come_back(connection: AsyncConnection, cases: Sequence[Case]) -> int:
    """Open entries again that had ended because their records were over; return how many."""
    back = [
        case
        for case in cases
        if case.entry is not None
        and case.entry.state is EntryState.DONE
        and case.entry.reason == SkipReason.CRM_OVER.value
    ]
    if not back:
        return 0
    for case in back:
        case.back = True
    asked = {"entry_ids": [case.entry.id for case in back if case.entry is not None]}
    await connection.execute(_TO_CALLBACK, asked)
    await connection.execute(_BACK, asked)
    return len(back)


async def wake(connection: AsyncConnection, entry_ids: Sequence[int]) -> None:
    """Let entries be dialed that were held back until their records were read again."""
    if entry_ids:
        await connection.execute(_WAKE, {"entry_ids": sorted(set(entry_ids))})
