"""What people see of lines and change: pools of numbers, and how trunks stand."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from cti.clock import Clock
from cti.errors import BadInput, NotFound
from cti.lines.keeper import LineKeeper
from cti.lines.ports import CallerStore
from cti.model.lines import CallerId, CallerPool, PoolStanding, TrunkStanding


class LineDesk:
    """Pools and trunks, as the API has them."""

    def __init__(self, *, keeper: LineKeeper, store: CallerStore, clock: Clock) -> None:
        self._keeper = keeper
        self._store = store
        self._clock = clock
        self._changing = asyncio.Lock()
        """One change at a time: each begins with what the one before left."""

    def trunks(self) -> Sequence[TrunkStanding]:
        """List all trunks as they are now."""
        return self._keeper.trunks.standing(self._clock.now())

    def pools(self) -> Sequence[PoolStanding]:
        """List all pools with the use of their numbers, oldest first."""
        return self._keeper.numbers.standing(self._clock.now())

    async def add(self, pool: CallerPool) -> PoolStanding:
        """Store a pool; its `id` is ignored. Raises Conflict (name, a number of another pool), BadInput."""
        async with self._changing:
            made = await self._store.add_pool(_checked(pool))
            self._keeper.numbers.put(made)
        return self._standing(made.name)

    async def change(
        self, name: str, *, settings: dict[str, object], numbers: dict[str, dict[str, object]]
    ) -> PoolStanding:
        """Change the settings named (fields of CallerPool) and the numbers named (fields of CallerId), or add these.

        A number whose `rests_until` is set by hand is judged anew from then on. Raises NotFound, Conflict, BadInput.
        """
        async with self._changing:
            before = self._keeper.numbers.pool(name)
            if before is None:
                raise NotFound(f"there is no pool {name!r} of numbers")
            known = {one.number: one for one in before.numbers}
            for number, fields in numbers.items():
                known[number] = replace(known.get(number, CallerId(number=number)), **fields)  # type: ignore[arg-type]
            ordered = tuple(known[number] for number in sorted(known))
            after = _checked(replace(before, numbers=ordered, **settings))  # type: ignore[arg-type]
            await self._store.save_pool(after)
            self._keeper.numbers.put(after, before=name)
            for number, fields in numbers.items():
                if "rests_until" in fields:
                    self._keeper.numbers.forget_answers(number)
        return self._standing(after.name)

    def _standing(self, name: str) -> PoolStanding:
        return next(one for one in self.pools() if one.pool.name == name)


def _checked(pool: CallerPool) -> CallerPool:
    if not pool.numbers:
        raise BadInput("numbers: a pool has at least one")
    return pool
