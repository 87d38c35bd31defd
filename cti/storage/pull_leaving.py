"""How entries leave their list when the CRM's record is over, come back, and wake once it was read again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.crm_cases import QUEUED, Case, over_words
from cti.contacts.crm_records import Memory
from cti.model.contacts import Candidate, EntryState
from cti.model.standing import Parked
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.portable import one_of
from cti.storage.queue_rows import candidates
from cti.storage.reason_rows import skipped_row

_entries, _callbacks, _records = tables.list_entries.c, tables.callbacks.c, tables.crm_records.c
_CANDIDATES: Final = candidates().where(one_of(_entries.id, "entry_ids"))
_LEAVE: Final = (
    update(tables.list_entries)
    # no list of states: a statement with one cannot be carried out for many rows at once
    .where(_entries.id == bindparam("entry"), or_(*(_entries.state == state.value for state in QUEUED)))
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

_SEEN: Final = (
    update(tables.crm_records)
    .where(_records.pull == bindparam("of_pull"), one_of(_records.ref, "refs"))
    .values(seen_at=bindparam("now"))
)


async def leave(connection: AsyncConnection, cases: Sequence[Case], *, target: str, at: datetime) -> None:
    """End the entries of records that are over, with the reason."""
    leaving = [(case, case.entry.id) for case in cases if case.leaves and case.entry is not None]
    if not leaving:
        return
    found = await connection.execute(_CANDIDATES, {"entry_ids": [entry_id for _, entry_id in leaving]})
    rows: dict[int, Any] = {row["entry_id"]: row for row in found.mappings()}
    ends, reasons = [], []
    for case, entry_id in leaving:
        words = over_words(case.heard.over or "", target)
        ends.append({"entry": entry_id, "words": words, "moment": at})
        parked = Parked(candidate=Candidate(**rows[entry_id]), reason=SkipReason.CRM_OVER, detail=words)
        reasons.append(skipped_row(parked, at=at))
    await connection.execute(_LEAVE, ends)
    await connection.execute(insert(tables.entry_reasons), reasons)


async def come_back(connection: AsyncConnection, cases: Sequence[Case]) -> None:
    """Open entries again that had ended because their records were over; one with a callback waits for that."""
    back = [case.entry.id for case in cases if case.returns and case.entry is not None]
    if back:
        await connection.execute(_TO_CALLBACK, {"entry_ids": back})
        await connection.execute(_BACK, {"entry_ids": back})


async def seen_again(
    connection: AsyncConnection, pull: str, older: Sequence[Memory], *, at: datetime
) -> None:
    """Note that these were asked for by name, though what came is older than what is known (a backup was restored).

    Else they would be held back, and asked for, without end.
    """
    if older:
        await connection.execute(
            _SEEN, {"of_pull": pull, "refs": sorted(one.ref for one in older), "now": at}
        )
        await wake(connection, [one.entry_id for one in older if one.entry_id is not None])


async def wake(connection: AsyncConnection, entry_ids: Sequence[int]) -> None:
    """Let entries be dialed that were held back until their records were read again."""
    if entry_ids:
        await connection.execute(_WAKE, {"entry_ids": sorted(set(entry_ids))})
