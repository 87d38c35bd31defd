"""Moves list entries after an attempt, as a plan says, within the transaction that saves the call."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.calls import Call, EndReason, Outcome
from cti.model.contacts import EntryState
from cti.model.standing import PLANNED, CallbackEnd, EntryAfter, EntryFacts, Plan
from cti.storage import tables
from cti.storage.entry_columns import OWNER_KEY, ZONE

UNREACHED: Final = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.MACHINE})
"""Outcomes that count as a failure to reach somebody; a technical failure says nothing about him."""

_entries, _attempts, _calls, _callbacks = (
    tables.list_entries.c,
    tables.attempts.c,
    tables.calls.c,
    tables.callbacks.c,
)
_other: Final = tables.attempts.alias("other")
_said: Final = tables.calls.alias("said")
_COUNTED: Final = and_(
    _other.c.entry_id == _entries.id,
    func.coalesce(_other.c.end_reason, "") != EndReason.NOT_SENT.value,
    or_(_entries.fresh_since.is_(None), _other.c.placed_at >= _entries.fresh_since),
)
_TRIES: Final = func.count(_other.c.try_number.distinct())
"""An attempt that goes on by another trunk has the number of the one that failed, and is no further try."""
_OPEN_CALLBACK: Final = and_(_callbacks.entry_id == _entries.id, tables.still_open)


def _facts() -> Select[Any]:
    here = (tables.list_entries, tables.attempts, tables.calls)

    def due_at(state: str) -> Any:
        question = select(func.min(_callbacks.due_at)).where(_OPEN_CALLBACK, _callbacks.state == state)
        return question.correlate(tables.list_entries).scalar_subquery()

    same_outcome = select(_TRIES).where(_COUNTED, _other.c.outcome == _attempts.outcome)
    same_disposition = (
        select(_TRIES)
        .join_from(_other, _said, _said.c.id == _other.c.call_id)
        .where(_COUNTED, _said.c.disposition == _calls.disposition)
    )
    numbers = select(func.count()).where(tables.numbers.c.contact_id == _entries.contact_id)
    return (
        select(
            _attempts.call_id,
            _entries.id.label("entry_id"),
            _entries.campaign_id,
            _entries.tries,
            _entries.number_position,
            _entries.raised,
            _calls.disposition,
            same_outcome.correlate(*here).scalar_subquery().label("same_outcome"),
            case(
                (_calls.disposition.is_(None), 0), else_=same_disposition.correlate(*here).scalar_subquery()
            ).label("same_disposition"),
            numbers.correlate(tables.list_entries).scalar_subquery().label("numbers"),
            due_at("planned").label("planned_at"),
            due_at("due").label("due_since"),
        )
        .join_from(
            tables.attempts,
            tables.list_entries,
            and_(_entries.id == _attempts.entry_id, _entries.call_id == _attempts.call_id),
        )
        .join(tables.calls, _calls.id == _attempts.call_id)
        .where(_attempts.call_id.in_(bindparam("call_ids", expanding=True)))
        .order_by(_entries.id)
        .with_for_update(of=tables.list_entries, key_share=True)
    )


_BEING_DIALED: Final = _facts().where(_entries.state == EntryState.DIALING.value)
_ENDED_BEFORE: Final = _facts().where(
    _entries.state.in_([EntryState.PENDING.value, EntryState.WAITING.value, EntryState.DONE.value]),
    or_(_entries.reason.is_(None), _entries.reason.in_(sorted(PLANNED))),
)
_FOR_CALLBACK: Final = select(func.count()).where(
    _attempts.entry_id == bindparam("entry"),
    func.coalesce(_attempts.end_reason, "") != EndReason.NOT_SENT.value,
    _attempts.placed_at >= bindparam("since"),
)
_MOVE: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"))
    .values(
        state=bindparam("becomes"),
        tries=_entries.tries - bindparam("uncounted"),
        due_at=bindparam("due"),
        priority=_entries.priority - _entries.raised + bindparam("new_raised"),
        raised=bindparam("new_raised"),
        rank=func.coalesce(bindparam("new_rank", type_=_entries.rank.type), _entries.rank),
        number_position=bindparam("position"),
        reason=bindparam("why"),
        reason_detail=bindparam("words"),
        reason_at=bindparam("moment"),
        last_outcome=func.coalesce(
            bindparam("outcome", type_=_entries.last_outcome.type), _entries.last_outcome
        ),
        failures=case((bindparam("reached"), 0), else_=_entries.failures + bindparam("failed")),
    )
)
_FOLLOW_ZONE: Final = update(tables.list_entries).where(_entries.id == bindparam("entry")).values(zone=ZONE)
_FOLLOW_OWNER: Final = (
    update(tables.list_entries).where(_entries.id == bindparam("entry")).values(owner_key=OWNER_KEY)
)
_DUE_CALLBACKS: Final = select(_callbacks.id).where(
    _callbacks.entry_id == bindparam("entry"), tables.still_open, _callbacks.state == "due"
)
_END_CALLBACK: Final = (
    update(tables.callbacks)
    .where(_callbacks.id == bindparam("callback"))
    .values(state=bindparam("becomes"), changed_at=bindparam("moment"))
)


async def end_entries(
    connection: AsyncConnection, calls: Sequence[Call], *, plan: Plan, at: datetime
) -> None:
    """Move the entries whose calls have ended. The same end again finds none that is being dialed."""
    by_id = {call.id: call for call in calls}
    rows = (await connection.execute(_BEING_DIALED, {"call_ids": list(by_id)})).mappings().all()
    await _move(connection, [(by_id[row["call_id"]], row) for row in rows], plan=plan, at=at, first=True)


async def reconsider(connection: AsyncConnection, call: Call, *, plan: Plan, at: datetime) -> None:
    """Move the entry of an ended call again: another disposition may mean another rule.

    Only while the call is the entry's last, and where it stands is what a plan said.
    """
    rows = (await connection.execute(_ENDED_BEFORE, {"call_ids": [call.id]})).mappings().all()
    await _move(connection, [(call, row) for row in rows], plan=plan, at=at, first=False)


async def _move(
    connection: AsyncConnection,
    found: Sequence[tuple[Call, Mapping[str, Any]]],
    *,
    plan: Plan,
    at: datetime,
    first: bool,
) -> None:
    if not found:
        return
    moves = [(call, row, plan(await _told(connection, call, row))) for call, row in found]
    await connection.execute(_MOVE, [_values(call, row, after, at, first) for call, row, after in moves])
    elsewhere = [row for _, row, after in moves if after.number_position != row["number_position"]]
    if elsewhere:
        await connection.execute(_FOLLOW_ZONE, [{"entry": row["entry_id"]} for row in elsewhere])
    for call, row, after in moves:
        if after.callback is not None:
            await _end_callbacks(connection, call, row["entry_id"], after.callback, at)


async def _told(connection: AsyncConnection, call: Call, row: Mapping[str, Any]) -> EntryFacts:
    tries, since = 0, row["due_since"]
    if since is not None and call.placed_at >= since:
        asked = {"entry": row["entry_id"], "since": since}
        tries = int(await connection.scalar(_FOR_CALLBACK, asked) or 0)
    promised = [row["planned_at"], since if not tries else None]
    return EntryFacts(
        entry_id=row["entry_id"],
        campaign_id=row["campaign_id"],
        call=call,
        disposition=row["disposition"],
        tries=row["tries"],
        same_outcome=row["same_outcome"],
        same_disposition=row["same_disposition"],
        number_position=row["number_position"],
        numbers=row["numbers"],
        raised=row["raised"],
        promised_at=min((moment for moment in promised if moment is not None), default=None),
        callback_tries=tries,
    )


def _values(
    call: Call, row: Mapping[str, Any], after: EntryAfter, at: datetime, first: bool
) -> dict[str, Any]:
    counted = after.counted and call.outcome is not None
    return {
        "entry": row["entry_id"],
        "becomes": after.state.value,
        "uncounted": int(first and not after.counted),
        "due": after.due_at,
        "new_raised": after.raised,
        "new_rank": after.rank,
        "position": after.number_position,
        "why": after.reason.value if after.reason else None,
        "words": after.detail or None,
        "moment": at if after.reason else None,
        "outcome": call.outcome.value if counted and call.outcome else None,
        "reached": counted and call.outcome is Outcome.CONNECTED,
        "failed": int(first and counted and call.outcome in UNREACHED),
    }


async def _end_callbacks(
    connection: AsyncConnection, call: Call, entry_id: int, end: CallbackEnd, at: datetime
) -> None:
    """Note what became of the callbacks that the attempt was made for; the entry goes back to its owner's lane."""
    due = (await connection.execute(_DUE_CALLBACKS, {"entry": entry_id})).scalars().all()
    changes = [{"callback": one, "becomes": end.value, "moment": at} for one in due]
    moves = [
        {"callback_id": one, "at": at, "kind": end.value, "by": "dialer", "detail": f"call {call.id}"}
        for one in due
    ]
    if changes:
        await connection.execute(_END_CALLBACK, changes)
        await connection.execute(insert(tables.callback_moves), moves)
        await connection.execute(_FOLLOW_OWNER, [{"entry": entry_id}])
