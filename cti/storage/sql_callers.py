"""`CallerStore` on the database: pools of numbers to show, and their use as stored calls tell it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Integer, bindparam, case, cast, extract, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.calls import EndReason
from cti.model.lines import ANSWERABLE_OUTCOMES, PERSON_OUTCOMES, CallerId, CallerPool, UseCount
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_calls = tables.calls.c
_POOLS: Final = select(tables.caller_pools).order_by(tables.caller_pools.c.id)
_NUMBERS: Final = select(tables.caller_ids).order_by(tables.caller_ids.c.number)
_REST: Final = (
    update(tables.caller_ids)
    .where(tables.caller_ids.c.number == bindparam("resting"))
    .values(rests_until=bindparam("until"), rest_reason=bindparam("why"))
)


class SqlCallers:
    """Pools, their numbers, and counts of calls by number shown."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        row = connections.insert(tables.caller_ids)
        self._put_number = row.on_conflict_do_update(
            index_elements=[tables.caller_ids.c.number],
            set_={field.name: row.excluded[field.name] for field in fields(CallerId)},
        )

    @to_the_end
    async def pools(self) -> list[CallerPool]:
        """See the port."""
        async with self._connections.reading() as connection:
            pools = (await connection.execute(_POOLS)).mappings().all()
            numbers: defaultdict[int, list[CallerId]] = defaultdict(list)
            for row in (await connection.execute(_NUMBERS)).mappings():
                numbers[row["pool_id"]].append(_number(row))
        return [CallerPool(**pool, numbers=tuple(numbers[pool["id"]])) for pool in pools]

    @to_the_end
    async def add_pool(self, pool: CallerPool) -> CallerPool:
        """See the port."""
        async with self._connections.writing() as connection:
            await _name_is_free(connection, pool.name, 0)
            row = insert(tables.caller_pools).values(_settings(pool)).returning(tables.caller_pools.c.id)
            made = replace(pool, id=(await connection.execute(row)).scalar_one())
            await self._put_numbers(connection, made)
        return made

    @to_the_end
    async def save_pool(self, pool: CallerPool) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await _name_is_free(connection, pool.name, pool.id)
            change = update(tables.caller_pools).where(tables.caller_pools.c.id == pool.id)
            if (await connection.execute(change.values(_settings(pool)))).rowcount == 0:
                raise NotFound(f"there is no pool {pool.id} of numbers")
            await self._put_numbers(connection, pool)

    async def _put_numbers(self, connection: AsyncConnection, pool: CallerPool) -> None:
        if not pool.numbers:
            return
        known = tables.caller_ids.c
        elsewhere = select(known.number).where(
            known.number.in_([one.number for one in pool.numbers]), known.pool_id != pool.id
        )
        if taken := await connection.scalar(elsewhere):
            raise Conflict(f"the number {taken} is in another pool")
        rows = [asdict(one) | {"areas": list(one.areas), "pool_id": pool.id} for one in pool.numbers]
        await connection.execute(self._put_number, rows)

    @to_the_end
    async def save_rests(self, numbers: Sequence[CallerId]) -> None:
        """See the port."""
        rows = [{"resting": one.number, "until": one.rests_until, "why": one.rest_reason} for one in numbers]
        if rows:
            async with self._connections.writing() as connection:
                await connection.execute(_REST, rows)

    @to_the_end
    async def use_since(self, since: datetime, step: timedelta) -> list[UseCount]:
        """See the port. Reads the calls of the span by the index of their times."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_use_by(int(step.total_seconds())), {"since": since})).all()
        return [
            UseCount(
                number=row.caller_id,
                began_at=datetime.fromtimestamp(row.step * step.total_seconds(), UTC),
                calls=row.calls,
                judged=row.judged,
                answered=row.answered,
            )
            for row in rows
        ]


def _use_by(seconds: int) -> Any:
    # The whole second, rounded down by the text of the moment on SQLite, by floor on PostgreSQL.
    second = cast(func.trunc(extract("epoch", _calls.placed_at)), Integer)
    step = (second // seconds).label("step")
    return (
        select(
            _calls.caller_id,
            step,
            func.count().label("calls"),
            func.sum(_one_if(ANSWERABLE_OUTCOMES)).label("judged"),
            func.sum(_one_if(PERSON_OUTCOMES)).label("answered"),
        )
        .where(
            _calls.placed_at >= bindparam("since"),
            _calls.caller_id.is_not(None),
            _calls.end_reason.is_distinct_from(EndReason.NOT_SENT.value),
        )
        .group_by(_calls.caller_id, step)
        .order_by(step, _calls.caller_id)
    )


def _one_if(outcomes: frozenset[Any]) -> Any:
    return case((_calls.outcome.in_(sorted(outcome.value for outcome in outcomes)), 1), else_=0)


async def _name_is_free(connection: AsyncConnection, name: str, own_id: int) -> None:
    pools = tables.caller_pools.c
    if await connection.scalar(select(pools.id).where(pools.name == name, pools.id != own_id)):
        raise Conflict(f"there is a pool {name} already")


def _settings(pool: CallerPool) -> dict[str, Any]:
    return {
        field.name: getattr(pool, field.name) for field in fields(pool) if field.name not in ("id", "numbers")
    }


def _number(row: Mapping[str, Any] | Any) -> CallerId:
    values = {field.name: row[field.name] for field in fields(CallerId)}
    return CallerId(**values | {"areas": tuple(values["areas"])})
