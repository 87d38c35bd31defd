"""Which entries of a list may be put back into its queue: questions for `SqlQueue`."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, case, false, func, or_, select, update

from cti.contacts.ranking import TRY
from cti.model.contacts import EntryState
from cti.model.standing import PLANNED
from cti.storage import tables
from cti.storage.entry_columns import OWNER_KEY

_entries, _calls = tables.list_entries.c, tables.calls.c
_OUTCOME: Final = func.coalesce(_entries.last_outcome, _calls.outcome)
_HOW_MANY: Final[Any] = func.count()
_TABLES: Final = tables.list_entries.outerjoin(tables.calls, _calls.id == _entries.call_id).join(
    tables.contacts, tables.contacts.c.id == _entries.contact_id
)


def _over(outcomes: Collection[str], dispositions: Collection[str]) -> ColumnElement[bool]:
    """Return the condition: done by what the dialer found out, not because somebody or a law forbids him."""
    chosen = [_OUTCOME.in_(sorted(outcomes))] if outcomes else []
    chosen += [_calls.disposition.in_(sorted(dispositions))] if dispositions else []
    return (
        (_entries.campaign_id == bindparam("campaign"))
        & (_entries.list_id == bindparam("list"))
        & (_entries.state == EntryState.DONE.value)
        & or_(_entries.reason.is_(None), _entries.reason.in_(sorted(PLANNED)))
        & tables.contacts.c.stopped_at.is_(None)
        & or_(false(), *chosen)
    )


def counted(outcomes: Collection[str], dispositions: Collection[str]) -> Select[Any]:
    """Ask how many there are, by outcome."""
    return (
        select(_OUTCOME.label("outcome"), _HOW_MANY.label("entries"))
        .select_from(_TABLES)
        .where(_over(outcomes, dispositions))
        .group_by(_OUTCOME)
        .order_by(_OUTCOME)
    )


def bite(outcomes: Collection[str], dispositions: Collection[str]) -> Select[Any]:
    """Ask for the first `at_most` of them behind entry `after`."""
    return (
        select(_entries.id)
        .select_from(_TABLES)
        .where(_over(outcomes, dispositions), _entries.id > bindparam("after"))
        .order_by(_entries.id)
        .limit(bindparam("at_most"))
        .with_for_update(of=tables.list_entries, skip_locked=True, key_share=True)
    )


BACK: Final = (
    update(tables.list_entries)
    .where(_entries.id.in_(bindparam("entry_ids", expanding=True)), _entries.state == EntryState.DONE.value)
    .values(
        state=EntryState.PENDING.value,
        tries=0,
        failures=0,
        call_id=None,
        due_at=None,
        reason=None,
        reason_detail=None,
        reason_at=None,
        priority=_entries.priority - _entries.raised,
        raised=0,
        # as if never tried: only tries take a rank so far (`ranking.rank_after`)
        rank=case((_entries.rank >= TRY, _entries.rank - _entries.tries * TRY), else_=_entries.rank),
        owner_key=OWNER_KEY,
        fresh_since=bindparam("moment"),
    )
)
"""They begin anew: neither attempts nor outcomes from before count for the retry rules. The law still counts them."""
