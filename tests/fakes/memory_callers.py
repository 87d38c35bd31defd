"""`CallerStore` in memory."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cti.errors import Conflict, NotFound
from cti.model.calls import Call, EndReason
from cti.model.lines import ANSWERABLE_OUTCOMES, PERSON_OUTCOMES, CallerId, CallerPool, UseCount
from tests.fakes.memory_tables import MemoryTables


class MemoryCallers:
    """Pools in a dictionary; use counted from the calls beside it."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def pools(self) -> list[CallerPool]:
        return [self._tables.caller_pools[key] for key in sorted(self._tables.caller_pools)]

    async def add_pool(self, pool: CallerPool) -> CallerPool:
        self._must_be_free(pool, None)
        made = _sorted(replace(pool, id=self._tables.new_id()))
        self._tables.caller_pools[made.id] = made
        return made

    async def save_pool(self, pool: CallerPool) -> None:
        known = self._tables.caller_pools.get(pool.id)
        if known is None:
            raise NotFound(f"there is no pool {pool.id} of numbers")
        self._must_be_free(pool, pool.id)
        numbers = {one.number: one for one in known.numbers} | {one.number: one for one in pool.numbers}
        self._tables.caller_pools[pool.id] = _sorted(replace(pool, numbers=tuple(numbers.values())))

    async def save_rests(self, numbers: Sequence[CallerId]) -> None:
        rests = {one.number: (one.rests_until, one.rest_reason) for one in numbers}
        for key, pool in self._tables.caller_pools.items():
            changed = tuple(
                replace(one, rests_until=rests[one.number][0], rest_reason=rests[one.number][1])
                if one.number in rests
                else one
                for one in pool.numbers
            )
            self._tables.caller_pools[key] = replace(pool, numbers=changed)

    async def use_since(self, since: datetime, step: timedelta) -> list[UseCount]:
        seconds = step.total_seconds()
        groups: defaultdict[tuple[int, str], list[Call]] = defaultdict(list)
        for call in self._tables.calls.values():
            if call.caller_id and call.placed_at >= since and call.end_reason is not EndReason.NOT_SENT:
                groups[int(call.placed_at.timestamp() // seconds), call.caller_id].append(call)
        return [
            UseCount(
                number=number,
                began_at=datetime.fromtimestamp(place * seconds, UTC),
                calls=len(calls),
                judged=sum(call.outcome in ANSWERABLE_OUTCOMES for call in calls),
                answered=sum(call.outcome in PERSON_OUTCOMES for call in calls),
            )
            for (place, number), calls in sorted(groups.items())
        ]

    def _must_be_free(self, pool: CallerPool, own_id: int | None) -> None:
        others = [one for one in self._tables.caller_pools.values() if one.id != own_id]
        if any(one.name == pool.name for one in others):
            raise Conflict(f"there is a pool {pool.name} already")
        taken = {number.number for one in others for number in one.numbers}
        for one in pool.numbers:
            if one.number in taken:
                raise Conflict(f"the number {one.number} is in another pool")


def _sorted(pool: CallerPool) -> CallerPool:
    return replace(pool, numbers=tuple(sorted(pool.numbers, key=lambda one: one.number)))
