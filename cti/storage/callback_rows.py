"""How callbacks move the entries by which their contacts are called: statements for `SqlCallbacks`."""

from typing import Any, Final

from sqlalchemy import bindparam, case, update

from cti.model.callbacks import Callback, CallbackState
from cti.model.contacts import EntryState
from cti.model.standing import PLANNED
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.entry_columns import OWNER_KEY

_entries = tables.list_entries.c
FIELDS: Final = tuple(tables.callbacks.c)
REOPENED: Final = frozenset({*PLANNED, SkipReason.CALLBACK_LATER})
"""Reasons that a callback overrules. Whoever was stopped, or is refused by law for good, stays out."""

_NOT_DIALING: Final = _entries.state != EntryState.DIALING.value
_RAISE: Final = {
    "priority": _entries.priority - _entries.raised + bindparam("new_raised"),
    "raised": bindparam("new_raised"),
}
_LANE: Final = case((bindparam("lane") > 0, bindparam("lane")), else_=OWNER_KEY)
"""The agent whose callback it is; 0: the contact's owner's."""

HAVE: Final = update(tables.list_entries).where(_entries.id == bindparam("entry")).values(owner_key=_LANE)
"""Into the lane of whoever is to call."""

WAIT: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), _NOT_DIALING)
    .values(
        state=EntryState.WAITING.value,
        due_at=bindparam("due"),
        reason=SkipReason.CALLBACK_LATER.value,
        reason_detail=bindparam("words"),
        reason_at=bindparam("moment"),
        **_RAISE,
    )
)
"""Until the callback is due. One that is being dialed does so when its call has ended."""

CALL: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), _NOT_DIALING)
    .values(
        state=EntryState.PENDING.value,
        due_at=None,
        reason=None,
        reason_detail=None,
        reason_at=None,
        **_RAISE,
    )
)
"""It is due."""

LET_GO: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), _NOT_DIALING)
    .values(
        state=bindparam("becomes"),
        due_at=None,
        reason=bindparam("why"),
        reason_detail=bindparam("words"),
        reason_at=bindparam("moment"),
        owner_key=OWNER_KEY,
        priority=_entries.priority - _entries.raised,
        raised=0,
    )
)
"""The callback is settled: whoever was never tried is pending as before, everybody else is done."""


def callback_of(row: Any) -> Callback:
    """Return the callback of a row with all columns."""
    return Callback(**dict(row) | {"state": CallbackState(row["state"])})
