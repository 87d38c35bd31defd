"""What is asked of records that were pulled, all day long: each question is answered from an index."""

from typing import Final

from sqlalchemy import bindparam, func, select

from cti.model.contacts import EntryState
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.portable import one_of

_records, _entries = tables.crm_records.c, tables.list_entries.c
OF_ENTRIES: Final = select(_records.pull, _records.entry_id, _records.over, _records.seen_at).where(
    one_of(_records.entry_id, "entry_ids"), tables.with_entry
)
"""Of any pull: a condition would tempt SQLite to read all records of one, and an entry has one or two."""
_OF_PULL: Final = func.coalesce(_records.pull, "") == bindparam("of_pull")
"""Spelled so that the entry is looked for, not the pull; see above."""
HELD_BACK: Final = (
    select(_records.ref)
    .join_from(tables.list_entries, tables.crm_records, _records.entry_id == _entries.id)
    .where(
        _entries.campaign_id == bindparam("campaign"),
        _entries.state == EntryState.WAITING.value,
        _entries.reason == SkipReason.CRM_STALE.value,
        _OF_PULL,
        tables.with_entry,
        _records.over.is_(None),
        _records.seen_at < bindparam("before"),
    )
    .limit(bindparam("at_most"))
)
NEXT: Final = (
    select(_records.ref)
    .where(
        one_of(_records.entry_id, "entry_ids"),
        tables.with_entry,
        _OF_PULL,
        _records.over.is_(None),
        _records.seen_at < bindparam("before"),
    )
    .order_by(_records.seen_at)
    .limit(bindparam("at_most"))
)
OPEN: Final = (
    select(_records.ref)
    .join_from(tables.crm_records, tables.list_entries, _entries.id == _records.entry_id)
    .where(
        _records.pull == bindparam("of_pull"),
        _records.ref > bindparam("after"),
        _records.over.is_(None),
        _entries.state != EntryState.DONE.value,
    )
    .order_by(_records.ref)
    .limit(bindparam("at_most"))
)
PROBLEMS: Final = (
    select(tables.crm_records)
    .where(_records.pull == bindparam("of_pull"), _records.ref > bindparam("after"), tables.with_problem)
    .order_by(_records.ref)
    .limit(bindparam("at_most"))
)
FOLLOW_UPS: Final = (
    select(_records.ref, _records.contact_id, _records.follow_up_at, _records.said)
    .where(_records.pull == bindparam("of_pull"), tables.follow_up_waits)
    .order_by(_records.follow_up_since)
    .limit(bindparam("at_most"))
)
