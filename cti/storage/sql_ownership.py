"""`OwnershipStore` on the database: who owns whom, the pool, the history."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.ownership import (
    Claim,
    Moved,
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
from cti.storage import owner_questions as questions
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.owner_rows import lock_contacts, lock_takers, write_moves
from cti.storage.pool_rows import fresh, next_of_pool, pool_counts, pool_rows, returned
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

LOOKED_AT_ONCE: Final = 500
"""Contacts that a claim locks at a time at most."""
ROUNDS: Final = 6
"""A claim that finds nothing it may have in so many looks ends with fewer than asked for."""

_TURNS: Final = select(tables.rotas.c.turns).where(tables.rotas.c.name == bindparam("rota"))


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
                found = await next_of_pool(connection, claim, seen, limit=min(2 * wanted, LOOKED_AT_ONCE))
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
            return await questions.ownable(connection, selection, after=after, limit=limit, since=since)

    @to_the_end
    async def due(self, campaign_id: int, agent_id: int, untouched: Untouched, *, limit: int) -> list[int]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await questions.due(connection, campaign_id, agent_id, untouched, limit=limit)

    @to_the_end
    async def owned(self) -> Mapping[int, int]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await questions.owned(connection)

    @to_the_end
    async def turns(self, rota: str) -> Mapping[int, float]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _turns(connection, rota)

    @to_the_end
    async def moves(self, contact_id: int) -> list[OwnerMove]:
        """See the port."""
        async with self._connections.reading() as connection:
            return await questions.history(connection, contact_id)

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
        async with self._connections.reading() as connection:
            return await questions.successes(connection, codes, since=since, call_id=call_id)


def _at_most(terms: Terms, claim: Claim, owned: Mapping[int, int], wanted: int) -> Terms:
    """Return the terms with the cap that gives the agent no more than he still asks for."""
    most = owned.get(claim.agent_id, 0) + wanted
    cap = terms.caps.get(claim.agent_id)
    return replace(terms, caps={claim.agent_id: most if cap is None else min(most, cap)})


async def _turns(connection: AsyncConnection, rota: str) -> dict[int, float]:
    known = await connection.scalar(_TURNS, {"rota": rota})
    return {int(agent_id): float(turn) for agent_id, turn in (known or {}).items()}


def _to_json(turns: Mapping[int, float]) -> dict[str, float]:
    return {str(agent_id): turn for agent_id, turn in turns.items()}
