"""Reads and locks contacts for a change of owner, and writes it, in a transaction that is open already."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.callbacks import CallbackMoveKind
from cti.model.contacts import EntryState
from cti.model.ownership import OwnerMove, Wish
from cti.ownership.judging import Held, Takers
from cti.storage import tables
from cti.storage.portable import one_of

_contacts, _entries, _numbers = tables.contacts.c, tables.list_entries.c, tables.numbers.c
_moves, _callbacks = tables.owner_moves.c, tables.callbacks.c

_same = tables.numbers.alias("same")
_PARTNERS: Final = (
    select(_numbers.contact_id, _same.c.contact_id.label("partner"))
    .join_from(tables.numbers, _same, _same.c.e164 == _numbers.e164)
    .where(
        _numbers.contact_id.in_(bindparam("contact_ids", expanding=True)),
        _same.c.contact_id != _numbers.contact_id,
    )
    .distinct()
)
_HELD: Final = (
    select(
        _contacts.id,
        _contacts.owner_agent_id,
        _contacts.stopped_at,
        func.coalesce(_contacts.owner_since, _contacts.created_at, type_=_contacts.created_at.type).label(
            "since"
        ),
        _contacts.last_talk_at,
        _contacts.failures,
    )
    .where(_contacts.id.in_(bindparam("contact_ids", expanding=True)))
    .order_by(_contacts.id)  # all lock in this order, so that no two wait for each other
)
_LOCK: Final = _HELD.with_for_update(key_share=True)
_LOCK_FREE: Final = _HELD.with_for_update(key_share=True, skip_locked=True)
"""For claims: what another one is taking at this moment is taken. SQLite needs no row locks, it has one writer."""
_DIALING: Final = (
    select(_entries.contact_id)
    .where(
        _entries.contact_id.in_(bindparam("contact_ids", expanding=True)),
        _entries.state == EntryState.DIALING.value,
    )
    .distinct()
)
_GIVEN_BACK: Final = (
    select(_moves.contact_id, _moves.before_agent_id)
    .where(
        _moves.contact_id.in_(bindparam("contact_ids", expanding=True)),
        _moves.after_agent_id.is_(None),
        _moves.before_agent_id.is_not(None),
        _moves.at > bindparam("since", type_=_moves.at.type),
    )
    .distinct()
)
_AGENTS: Final = select(tables.agents.c.id, tables.agents.c.left_at).order_by(tables.agents.c.id)
_LOCK_AGENTS: Final = _AGENTS.where(
    tables.agents.c.id.in_(bindparam("agent_ids", expanding=True))
).with_for_update(key_share=True)
_LOGINS: Final = select(tables.agents.c.id, tables.agents.c.login).where(tables.agents.c.left_at.is_(None))
_GONE: Final = select(tables.agents.c.id).where(tables.agents.c.left_at.is_not(None))
_OWNED: Final = (
    select(_contacts.owner_agent_id, func.count())
    .where(_contacts.owner_agent_id.in_(bindparam("agent_ids", expanding=True)))
    .group_by(_contacts.owner_agent_id)
)
_TO_AGENT: Final = (
    update(tables.contacts)
    .where(_contacts.id == bindparam("contact"))
    .values(
        owner_agent_id=bindparam("after"),
        owner_since=bindparam("at", type_=_contacts.owner_since.type),
        changed_at=bindparam("at", type_=_contacts.changed_at.type),
        failures=0,
    )
)
_TO_POOL: Final = (
    update(tables.contacts)
    .where(_contacts.id == bindparam("contact"))
    .values(
        owner_agent_id=None,
        owner_since=None,
        returned_at=bindparam("at", type_=_contacts.returned_at.type),
        returned_by=bindparam("before"),
        changed_at=bindparam("at", type_=_contacts.changed_at.type),
        failures=0,
    )
)
_CHANGE_LANE: Final = (
    update(tables.list_entries)
    # a lane of a third agent stays: his callback put the entry there
    .where(_entries.contact_id == bindparam("contact"), _entries.owner_key.in_([0, bindparam("old_lane")]))
    .values(owner_key=bindparam("new_lane"))
)
_NOTE: Final = insert(tables.owner_moves)
_PROMISES: Final = select(_callbacks.id, _callbacks.contact_id, _callbacks.agent_id).where(
    one_of(_callbacks.contact_id, "contact_ids"), _callbacks.agent_id.is_not(None), tables.still_open
)
_PASS_ON: Final = (
    update(tables.callbacks)
    .where(_callbacks.id == bindparam("callback"))
    .values(agent_id=bindparam("to_agent"), changed_at=bindparam("moment"))
)


async def agents_by_login(connection: AsyncConnection) -> dict[str, int]:
    """Return the ids of all who are here, by login in small letters."""
    return {row.login.casefold(): row.id for row in await connection.execute(_LOGINS)}


async def lock_agents(connection: AsyncConnection, agent_ids: Collection[int]) -> Sequence[Row[Any, Any]]:
    """Lock agents, before any contact: who locks contacts first would wait for one who waits for him."""
    return (await connection.execute(_LOCK_AGENTS, {"agent_ids": sorted(agent_ids)})).all()


async def lock_takers(connection: AsyncConnection, wishes: Iterable[Wish]) -> Takers:
    """Lock the agents that contacts come to, so that no two orders fill one agent over his cap."""
    agent_ids = sorted({wish.after for wish in wishes if wish.after is not None})
    if not agent_ids:
        return Takers()
    rows = await lock_agents(connection, agent_ids)
    owned = (await connection.execute(_OWNED, {"agent_ids": agent_ids})).all()
    return Takers(
        owned=Counter({row[0]: row[1] for row in owned}),
        here=frozenset(row.id for row in rows if row.left_at is None),
        gone=frozenset((await connection.execute(_GONE)).scalars()),
    )


async def lock_contacts(
    connection: AsyncConnection, contact_ids: Sequence[int], *, wait: bool, since: datetime | None
) -> tuple[dict[int, Held], set[int]]:
    """Lock contacts and their partners. Returns them, and the ids of those that somebody else has locked."""
    partners = await partners_of(connection, contact_ids)
    wanted = sorted({*contact_ids, *(one for known in partners.values() for one in known)})
    asked = {"contact_ids": wanted}
    rows = (await connection.execute(_LOCK if wait else _LOCK_FREE, asked)).all()
    dialing = set((await connection.execute(_DIALING, asked)).scalars())
    given_back = await given_back_by(connection, contact_ids, since)
    held = {
        row.id: Held(
            owner=row.owner_agent_id,
            stopped=row.stopped_at is not None,
            dialing=row.id in dialing,
            owner_since=row.since,
            last_talk_at=row.last_talk_at,
            failures=row.failures,
            partners=tuple(sorted(partners[row.id])),
            given_back_by=given_back[row.id],
        )
        for row in rows
    }
    return held, set() if wait else set(wanted) - set(held)


async def partners_of(
    connection: AsyncConnection, contact_ids: Collection[int]
) -> defaultdict[int, set[int]]:
    """Return who shares a number with each of these."""
    partners: defaultdict[int, set[int]] = defaultdict(set)
    for row in await connection.execute(_PARTNERS, {"contact_ids": list(contact_ids)}):
        partners[row.contact_id].add(row.partner)
    return partners


async def given_back_by(
    connection: AsyncConnection, contact_ids: Collection[int], since: datetime | None
) -> defaultdict[int, frozenset[int]]:
    """Return the agents who gave each of these back after that moment; nobody when it is None."""
    found: defaultdict[int, frozenset[int]] = defaultdict(frozenset)
    if since is not None:
        asked = {"contact_ids": list(contact_ids), "since": since}
        for row in await connection.execute(_GIVEN_BACK, asked):
            found[row.contact_id] |= {row.before_agent_id}
    return found


async def write_moves(connection: AsyncConnection, moves: Sequence[OwnerMove]) -> None:
    """Write owners, the lanes of the contacts' entries, and the history."""
    if not moves:
        return
    to_agents = [_ids(move) for move in moves if move.after is not None]
    to_pool = [_ids(move) for move in moves if move.after is None]
    if to_agents:
        await connection.execute(_TO_AGENT, to_agents)
    if to_pool:
        await connection.execute(_TO_POOL, to_pool)
    lanes = [
        {"contact": move.contact_id, "old_lane": move.before or 0, "new_lane": move.after or 0}
        for move in moves
    ]
    await connection.execute(_CHANGE_LANE, lanes)
    await connection.execute(_NOTE, [_note(move) for move in moves])
    await _pass_on_promises(connection, {move.contact_id: move for move in moves if move.before is not None})


async def _pass_on_promises(connection: AsyncConnection, moves: Mapping[int, OwnerMove]) -> None:
    """Let the old owner's open callbacks follow the contact: the new owner's, or, in the pool, anybody's."""
    if not moves:
        return
    rows = (await connection.execute(_PROMISES, {"contact_ids": list(moves)})).all()
    mine = [(row.id, move) for row in rows if row.agent_id == (move := moves[row.contact_id]).before]
    if not mine:
        return
    changes = [{"callback": one, "to_agent": move.after, "moment": move.at} for one, move in mine]
    await connection.execute(_PASS_ON, changes)
    await connection.execute(insert(tables.callback_moves), [passed_on(one, move) for one, move in mine])


def passed_on(callback_id: int, move: OwnerMove) -> dict[str, Any]:
    """Return what is noted of a callback that follows its contact."""
    to = f"agent {move.after}" if move.after is not None else "anybody"
    return {
        "callback_id": callback_id,
        "at": move.at,
        "kind": CallbackMoveKind.CHANGED.value,
        "by": move.by,
        "detail": f"now for {to}: its contact was {move.kind.value}",
    }


def _ids(move: OwnerMove) -> dict[str, Any]:
    chosen = {"after": move.after} if move.after is not None else {"before": move.before}
    return {"contact": move.contact_id, "at": move.at, **chosen}


def _note(move: OwnerMove) -> Mapping[str, Any]:
    return {
        "contact_id": move.contact_id,
        "at": move.at,
        "before_agent_id": move.before,
        "after_agent_id": move.after,
        "kind": move.kind.value,
        "reason": move.reason,
        "by": move.by,
    }


def has_entry(campaign_id: Any, list_id: Any = None) -> Any:
    """Return the condition that a contact stands in a campaign, or in one of its lists."""
    wanted = [_entries.contact_id == _contacts.id]
    if campaign_id is not None:
        wanted.append(_entries.campaign_id == campaign_id)
    if list_id is not None:
        wanted.append(_entries.list_id == list_id)
    return exists().where(*wanted)
