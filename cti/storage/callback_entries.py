"""How callbacks move the entries by which their contacts are called, in a transaction that is open already."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.callbacks import Callback, CallbackState, NewCallback
from cti.model.contacts import EntryState
from cti.model.standing import PLANNED
from cti.model.verdicts import SkipReason
from cti.storage import tables
from cti.storage.callback_rows import when_of
from cti.storage.entry_columns import OWNER_KEY, ZONE

_contacts, _entries = tables.contacts.c, tables.list_entries.c
_LIST: Final = "callbacks"
"""Name of the list that a campaign gets for contacts that stand in none of its lists."""
REOPENED: Final = frozenset({*PLANNED, SkipReason.CALLBACK_LATER})
"""Reasons that a callback overrules. Whoever was stopped, or is refused by law for good, stays out."""

_NOT_DIALING: Final = _entries.state != EntryState.DIALING.value
_LANE: Final = case((bindparam("lane") > 0, bindparam("lane")), else_=OWNER_KEY)
"""The agent whose callback it is; 0: the contact's owner's."""

_HAVE: Final = update(tables.list_entries).where(_entries.id == bindparam("entry")).values(owner_key=_LANE)
"""Into the lane of whoever is to call."""

_WAIT: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), _NOT_DIALING)
    .values(
        state=EntryState.WAITING.value,
        due_at=bindparam("due"),
        reason=SkipReason.CALLBACK_LATER.value,
        reason_detail=bindparam("words"),
        reason_at=bindparam("moment"),
        priority=_entries.priority - _entries.raised + bindparam("new_raised"),
        raised=bindparam("new_raised"),
    )
)
"""Until the callback is due. One that is being dialed does so when its call has ended."""

_CALL: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), _NOT_DIALING)
    .values(
        state=EntryState.PENDING.value,
        due_at=None,
        reason=None,
        reason_detail=None,
        reason_at=None,
    )
)
"""It is due. It was raised when it was planned."""

_LET_GO: Final = (
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


async def must_be_callable(connection: AsyncConnection, contact_id: int) -> None:
    """Raise NotFound, or Conflict when the contact is stopped."""
    question = select(_contacts.id, _contacts.stopped_at).where(_contacts.id == contact_id)
    row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise NotFound(f"there is no contact {contact_id}")
    if row.stopped_at is not None:
        raise Conflict(f"contact {contact_id} is stopped; reopen him first")


async def entry_of(connection: AsyncConnection, new: NewCallback, at: datetime) -> int:
    """Return the contact's newest entry in the campaign; make one when he has none. Raises NotFound (campaign)."""
    known = (
        select(_entries.id)
        .where(_entries.contact_id == new.contact_id, _entries.campaign_id == new.campaign_id)
        .order_by(_entries.id.desc())
        .limit(1)
    )
    if (found := await connection.scalar(known)) is not None:
        return int(found)
    campaign = select(tables.campaigns.c.id).where(tables.campaigns.c.id == new.campaign_id)
    if await connection.scalar(campaign) is None:
        raise NotFound(f"there is no campaign {new.campaign_id}")
    row = insert(tables.list_entries).values(
        list_id=await _list_of(connection, new.campaign_id, at),
        campaign_id=new.campaign_id,
        contact_id=new.contact_id,
        state=EntryState.DONE.value,
    )
    entry_id = int((await connection.execute(row.returning(_entries.id))).scalar_one())
    fresh = update(tables.list_entries).where(_entries.id == entry_id)
    await connection.execute(fresh.values(rank=entry_id, zone=ZONE, owner_key=OWNER_KEY))
    return entry_id


async def _list_of(connection: AsyncConnection, campaign_id: int, at: datetime) -> int:
    known = select(tables.lists.c.id).where(
        tables.lists.c.campaign_id == campaign_id, tables.lists.c.name == _LIST
    )
    if (found := await connection.scalar(known)) is not None:
        return int(found)
    row = insert(tables.lists).values(
        campaign_id=campaign_id, name=_LIST, source="callbacks", taken=0, created_at=at
    )
    return int((await connection.execute(row.returning(tables.lists.c.id))).scalar_one())


async def into_lane(connection: AsyncConnection, entry_ids: Iterable[int], agent_id: int | None) -> None:
    """Put entries into the lane of the agent who is to call; None: each into its contact's owner's."""
    rows = [{"entry": entry_id, "lane": agent_id or 0} for entry_id in entry_ids]
    if rows:
        await connection.execute(_HAVE, rows)


async def wait(connection: AsyncConnection, one: Callback, *, raised: int, at: datetime) -> None:
    """Have the entry wait for its callback, raised by so much, in the lane of whoever is to call."""
    await into_lane(connection, [one.entry_id], one.agent_id)
    waiting = {
        "entry": one.entry_id,
        "due": one.due_at,
        "words": f"callback {one.id}: {when_of(one)}",
        "moment": at,
        "new_raised": raised,
    }
    await connection.execute(_WAIT, waiting)


async def call(connection: AsyncConnection, callbacks: Iterable[Callback]) -> None:
    """Have the entries of what fell due be dialed."""
    rows = [{"entry": one.entry_id} for one in callbacks]
    if rows:
        await connection.execute(_CALL, rows)


async def let_go(connection: AsyncConnection, one: Callback, *, at: datetime) -> None:
    """Settle the entry of a settled callback: pending as before when that was cancelled and nobody tried, else done."""
    tries = await connection.scalar(select(_entries.tries).where(_entries.id == one.entry_id))
    untried = not tries and one.state is CallbackState.CANCELLED
    gone = {
        "entry": one.entry_id,
        "becomes": (EntryState.PENDING if untried else EntryState.DONE).value,
        "why": None if untried else SkipReason.REACHED.value,
        "words": None if untried else f"callback {one.id} is {one.state.value}",
        "moment": None if untried else at,
    }
    await connection.execute(_LET_GO, gone)


async def callable_among(connection: AsyncConnection, entry_ids: Sequence[int]) -> set[int]:
    """Return those entries that may be dialed, or are: all but those that somebody or a law has taken out."""
    allowed = (
        (_entries.state != EntryState.DONE.value)
        | _entries.reason.is_(None)
        | _entries.reason.in_(sorted(REOPENED))
    )
    question = select(_entries.id).where(_entries.id.in_(entry_ids), allowed)
    return set((await connection.execute(question)).scalars()) if entry_ids else set()
