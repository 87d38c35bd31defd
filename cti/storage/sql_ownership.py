"""`OwnershipStore` on the database: who owns whom, the pool, the history."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import NotFound
from cti.model.ownership import (
    Claim,
    Moved,
    MoveKind,
    Ownable,
    OwnerMove,
    PoolCount,
    Pooled,
    Rota,
    Selection,
    Success,
    Terms,
    Untouched,
    Wish,
)
from cti.ownership.assignment import advanced
from cti.ownership.judging import judged
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.owner_rows import (
    given_back_by,
    has_entry,
    lock_contacts,
    lock_takers,
    partners_of,
    write_moves,
)
from cti.storage.pool_rows import fresh, pool_counts, pool_rows, returned
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

LOOKED_AT_ONCE: Final = 500
"""Contacts that a claim locks at a time at most."""
ROUNDS: Final = 6
"""A claim that finds nothing it may have in so many looks ends with fewer than asked for."""

_contacts, _calls, _moves = tables.contacts.c, tables.calls.c, tables.owner_moves.c
_OWNED: Final = (
    select(_contacts.owner_agent_id, func.count())
    .where(_contacts.owner_agent_id.is_not(None))
    .group_by(_contacts.owner_agent_id)
)
_HISTORY: Final = (
    select(tables.owner_moves).where(_moves.contact_id == bindparam("contact")).order_by(_moves.id)
)
_OWNERS: Final = select(_contacts.id, _contacts.owner_agent_id).where(
    _contacts.id.in_(bindparam("contact_ids", expanding=True))
)
_TURNS: Final = select(tables.rotas.c.turns).where(tables.rotas.c.name == bindparam("rota"))
_SUCCESSES: Final = (
    select(
        _calls.id.label("call_id"),
        _calls.contact_id,
        func.coalesce(_calls.disposed_by, _calls.agent_id).label("agent_id"),
        _calls.campaign_id,
        _calls.disposition,
    )
    .join_from(tables.calls, tables.contacts, _contacts.id == _calls.contact_id)
    .where(
        _calls.placed_at >= bindparam("since", type_=_calls.placed_at.type),
        _calls.disposition.in_(bindparam("codes", expanding=True)),
        _calls.campaign_id.is_not(None),
        func.coalesce(_calls.disposed_by, _calls.agent_id).is_not(None),
        _contacts.owner_agent_id.is_(None),
        or_(_contacts.returned_at.is_(None), _contacts.returned_at < _calls.disposed_at),
    )
    .order_by(_calls.id)
)


class SqlOwnership:
    """Owners of contacts, their history, the rotas."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)
        insert = connections.insert(tables.rotas)
        self._save_turns = insert.on_conflict_do_update(
            index_elements=[tables.rotas.c.name],
            set_={name: insert.excluded[name] for name in ("turns", "changed_at")},
        )

    @to_the_end
    async def move(self, wishes: Sequence[Wish], *, terms: Terms) -> Moved:
        """See the port."""
        if not wishes:
            return Moved()
        async with self._connections.writing() as connection:
            takers = await lock_takers(connection, wishes)
            held, missing = await lock_contacts(
                connection, [wish.contact_id for wish in wishes], wait=True, since=terms.protected_since
            )
            moved = judged(wishes, terms=terms, held=held, takers=takers, missing=missing)
            await write_moves(connection, moved.moves)
            await self._leave_works(connection, moved.moves, terms)
            if terms.rota is not None:
                await self._use_up(connection, terms.rota, moved, terms.at)
        return moved

    async def _leave_works(
        self, connection: AsyncConnection, moves: Sequence[OwnerMove], terms: Terms
    ) -> None:
        works = [work for move in moves for work in terms.works(move)]
        await self._works.write(connection, works, now=terms.at)

    async def _use_up(self, connection: AsyncConnection, rota: Rota, moved: Moved, at: datetime) -> None:
        given = Counter(move.after for move in moved.moves if move.after is not None)
        turns = advanced(await _turns(connection, rota.name), rota.weights, given)
        row = {"name": rota.name, "turns": _to_json(turns), "changed_at": at}
        await connection.execute(self._save_turns, row)

    @to_the_end
    async def claim(self, claim: Claim, *, terms: Terms) -> Moved:
        """See the port."""
        moves: list[OwnerMove] = []
        seen: set[int] = set()
        async with self._connections.writing() as connection:
            takers = await lock_takers(connection, [Wish(contact_id=0, before=None, after=claim.agent_id)])
            for _ in range(ROUNDS):
                wanted = claim.count - len(moves)
                found = await _next_of_pool(connection, claim, seen, limit=min(2 * wanted, LOOKED_AT_ONCE))
                if wanted <= 0 or not found:
                    break
                seen.update(found)
                held, missing = await lock_contacts(
                    connection, found, wait=False, since=terms.protected_since
                )
                wishes = [
                    Wish(contact_id=one, before=None, after=claim.agent_id) for one in found if one in held
                ]
                # no more than asked for, and not those that partners of the first ones bring along either
                allowed = judged(
                    wishes,
                    terms=_at_most(terms, claim, takers.owned, wanted),
                    held=held,
                    takers=takers,
                    missing=missing,
                )
                await write_moves(connection, allowed.moves)
                await self._leave_works(connection, allowed.moves, terms)
                moves += allowed.moves
                takers.owned[claim.agent_id] += len(allowed.moves)
        return Moved(moves=tuple(moves))

    @to_the_end
    async def ownable(
        self, selection: Selection, *, after: int = 0, limit: int, since: datetime | None = None
    ) -> list[Ownable]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_selected(selection, after).limit(limit))).all()
            ids = [row.id for row in rows]
            partners = await partners_of(connection, ids)
            others = sorted({one for known in partners.values() for one in known})
            owners = {
                row.id: row.owner_agent_id
                for row in await connection.execute(_OWNERS, {"contact_ids": others})
            }
            given_back = await given_back_by(connection, ids, since)
        return [
            Ownable(
                contact_id=row.id,
                name=row.name,
                owner_id=row.owner_agent_id,
                stopped=row.stopped_at is not None,
                zone=row.zone or "",
                stage=row.stage or "",
                fields=row.fields,
                partners={one: owners.get(one) for one in sorted(partners[row.id])},
                given_back_by=given_back[row.id],
            )
            for row in rows
        ]

    @to_the_end
    async def due(self, campaign_id: int, agent_id: int, untouched: Untouched, *, limit: int) -> list[int]:
        """See the port."""
        question = (
            select(_contacts.id)
            .where(_contacts.owner_agent_id == agent_id, _is_due(untouched), has_entry(campaign_id))
            .limit(limit)
        )
        async with self._connections.reading() as connection:
            return list((await connection.execute(question)).scalars())

    @to_the_end
    async def owned(self) -> Mapping[int, int]:
        """See the port."""
        async with self._connections.reading() as connection:
            return {row[0]: row[1] for row in await connection.execute(_OWNED)}

    @to_the_end
    async def turns(self, rota: str) -> Mapping[int, float]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _turns(connection, rota)

    @to_the_end
    async def moves(self, contact_id: int) -> list[OwnerMove]:
        """See the port."""
        async with self._connections.reading() as connection:
            if await connection.scalar(select(_contacts.id).where(_contacts.id == contact_id)) is None:
                raise NotFound(f"there is no contact {contact_id}")
            rows = (await connection.execute(_HISTORY, {"contact": contact_id})).all()
        return [
            OwnerMove(
                contact_id=row.contact_id,
                at=row.at,
                before=row.before_agent_id,
                after=row.after_agent_id,
                kind=MoveKind(row.kind),
                reason=row.reason,
                by=row.by,
            )
            for row in rows
        ]

    @to_the_end
    async def pool_counts(self, campaign_ids: Collection[int]) -> list[PoolCount]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [await pool_counts(connection, campaign_id) for campaign_id in sorted(set(campaign_ids))]

    @to_the_end
    async def pool(self, campaign_id: int, *, list_id: int | None = None, limit: int) -> list[Pooled]:
        """See the port."""
        async with self._connections.reading() as connection:
            ids = await fresh(connection, campaign_id, list_id=list_id, skip=(), limit=limit)
            if len(ids) < limit:
                ids += await returned(
                    connection, campaign_id, list_id=list_id, skip=ids, limit=limit - len(ids)
                )
            return await pool_rows(connection, campaign_id, ids)

    @to_the_end
    async def successes(
        self, codes: Collection[str], *, since: datetime, call_id: str | None = None
    ) -> list[Success]:
        """See the port."""
        question = _SUCCESSES if call_id is None else _SUCCESSES.where(_calls.id == call_id)
        async with self._connections.reading() as connection:
            rows = await connection.execute(question, {"codes": sorted(codes), "since": since})
            return [Success(**row) for row in rows.mappings()]


def _at_most(terms: Terms, claim: Claim, owned: Mapping[int, int], wanted: int) -> Terms:
    """Return the terms with the cap that gives the agent no more than he still asks for."""
    most = owned.get(claim.agent_id, 0) + wanted
    cap = terms.caps.get(claim.agent_id)
    return replace(terms, caps={claim.agent_id: most if cap is None else min(most, cap)})


async def _next_of_pool(
    connection: AsyncConnection, claim: Claim, seen: Collection[int], *, limit: int
) -> list[int]:
    found: list[int] = []
    for look in (fresh, returned):
        for campaign_id in claim.campaign_ids:
            if len(found) >= limit:
                return found
            found += await look(
                connection, campaign_id, list_id=claim.list_id, skip={*seen, *found}, limit=limit - len(found)
            )
    return found


async def _turns(connection: AsyncConnection, rota: str) -> dict[int, float]:
    known = await connection.scalar(_TURNS, {"rota": rota})
    return {int(agent_id): float(turn) for agent_id, turn in (known or {}).items()}


def _to_json(turns: Mapping[int, float]) -> dict[str, float]:
    return {str(agent_id): turn for agent_id, turn in turns.items()}


def _is_due(untouched: Untouched) -> Any:
    began = func.coalesce(_contacts.owner_since, _contacts.created_at, type_=_contacts.created_at.type)
    last = case(
        (and_(_contacts.last_talk_at.is_not(None), _contacts.last_talk_at > began), _contacts.last_talk_at),
        else_=began,
    )
    conditions = []
    if untouched.no_talk_since is not None:
        conditions.append(last < untouched.no_talk_since)
    if untouched.failures is not None:
        conditions.append(_contacts.failures >= untouched.failures)
    return or_(*conditions) if conditions else _contacts.id.is_(None)


def _selected(selection: Selection, after: int) -> Any:
    question = (
        select(
            _contacts.id,
            _contacts.name,
            _contacts.owner_agent_id,
            _contacts.stopped_at,
            _contacts.zone,
            _contacts.stage,
            _contacts.fields,
        )
        .where(_contacts.id > after)
        .order_by(_contacts.id)
    )
    if selection.campaign_id is not None or selection.list_id is not None:
        question = question.where(has_entry(selection.campaign_id, selection.list_id))
    if selection.contact_ids is not None:
        question = question.where(_contacts.id.in_(list(selection.contact_ids)))
    if selection.owner_id is not None:
        question = question.where(_contacts.owner_agent_id == selection.owner_id)
    if selection.unowned:
        question = question.where(_contacts.owner_agent_id.is_(None))
    return question
