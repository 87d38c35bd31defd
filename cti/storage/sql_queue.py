"""`QueueStore` on the database: who is next, who is not, and why."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, bindparam, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import NotFound
from cti.model.contacts import Candidate, EntryState
from cti.model.standing import Lane, Parked
from cti.storage import postgres_queue, queue_rows, recycling, tables
from cti.storage.connections import Connections
from cti.storage.queue_rows import MOST_LANES, head_values, heads, padded
from cti.storage.reason_rows import skipped_row
from cti.storage.uninterrupted import to_the_end

_entries = tables.list_entries.c
_STILL_PENDING: Final = (
    select(_entries.id)
    .where(_entries.id.in_(bindparam("entry_ids", expanding=True)), tables.pending)
    .order_by(_entries.id)
    .with_for_update(skip_locked=True, key_share=True)
)
_PARK: Final = (
    update(tables.list_entries)
    .where(_entries.id == bindparam("entry"), tables.pending)
    .values(
        state=bindparam("becomes"),
        due_at=bindparam("until"),
        reason=bindparam("why"),
        reason_detail=bindparam("words"),
        reason_at=bindparam("moment"),
    )
)
_DUE: Final = (
    select(_entries.id, _entries.campaign_id)
    .where(tables.later, _entries.due_at <= bindparam("now"))
    .order_by(_entries.due_at, _entries.id)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True, key_share=True)
)
_WAKE: Final = (
    update(tables.list_entries)
    .where(_entries.id.in_(bindparam("entry_ids", expanding=True)), tables.later)
    .values(state=EntryState.PENDING.value, due_at=None, reason=None, reason_detail=None, reason_at=None)
)
_OTHER_NUMBERS: Final = select(
    exists().where(
        _entries.campaign_id == bindparam("campaign"),
        tables.numbers.c.contact_id == _entries.contact_id,
        tables.numbers.c.position > 0,
    )
)


class SqlQueue:
    """The entries of lists as queues."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def lanes(self, campaign_id: int, *, owners: Collection[int]) -> list[Lane]:
        """See the port."""
        queue = queue_rows if self._connections.is_sqlite else postgres_queue
        asked = queue.lanes_asked(campaign_id, owners)
        async with self._connections.glancing() as connection:
            return _lanes(await connection.execute(queue.LANES, asked))

    @to_the_end
    async def heads(
        self,
        campaign_id: int,
        *,
        owners: Collection[int],
        closed_zones: Collection[str] = (),
        limit: int,
        skip: Collection[int] = (),
    ) -> list[Candidate]:
        """See the port."""
        unwanted = set(skip)
        at_most = limit + len(unwanted)
        async with self._connections.glancing() as connection:
            if self._connections.is_sqlite:
                asked = queue_rows.lanes_asked(campaign_id, owners)
                lanes = _lanes(await connection.execute(queue_rows.LANES, asked))
                near = [lane for lane in lanes if lane.zone not in closed_zones]
                found = await _merged(connection, campaign_id, near, at_most=at_most)
            else:
                asked = postgres_queue.heads_asked(campaign_id, owners, closed_zones, at_most=at_most)
                question = postgres_queue.heads(padded(at_most))
                found = _candidates(await connection.execute(question, asked))
        return [one for one in found if one.entry_id not in unwanted][:limit]

    @to_the_end
    async def park(self, parked: Sequence[Parked], *, at: datetime) -> int:
        """See the port."""
        if not parked:
            return 0
        async with self._connections.writing() as connection:
            asked = {"entry_ids": [one.candidate.entry_id for one in parked]}
            pending = set((await connection.execute(_STILL_PENDING, asked)).scalars())
            mine = _one_of_each(parked, pending)
            if mine:
                await connection.execute(_PARK, [_parking(one, at) for one in mine])
                await connection.execute(
                    insert(tables.entry_reasons), [skipped_row(one, at=at) for one in mine]
                )
        return len(mine)

    @to_the_end
    async def wake(self, now: datetime, *, limit: int) -> Mapping[int, int]:
        """See the port."""
        async with self._connections.writing() as connection:
            rows = (await connection.execute(_DUE, {"now": now, "at_most": limit})).all()
            if rows:
                await connection.execute(_WAKE, {"entry_ids": [row.id for row in rows]})
        return Counter(row.campaign_id for row in rows)

    @to_the_end
    async def recyclable(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str] = ()
    ) -> Mapping[str, int]:
        """See the port."""
        async with self._connections.reading() as connection:
            asked = {"campaign": await _campaign_of(connection, list_id), "list": list_id}
            rows = (await connection.execute(recycling.counted(outcomes, dispositions), asked)).all()
        return {row.outcome or "": row.entries for row in rows}

    @to_the_end
    async def recycle(
        self,
        list_id: int,
        *,
        outcomes: Collection[str],
        dispositions: Collection[str] = (),
        after: int,
        limit: int,
        at: datetime,
    ) -> list[int]:
        """See the port."""
        async with self._connections.writing() as connection:
            asked = {"campaign": await _campaign_of(connection, list_id), "list": list_id}
            question = recycling.bite(outcomes, dispositions)
            found = await connection.execute(question, asked | {"after": after, "at_most": limit})
            entries = list(found.scalars())
            if entries:
                await connection.execute(recycling.BACK, {"entry_ids": entries, "moment": at})
        return entries

    @to_the_end
    async def has_other_numbers(self, campaign_id: int) -> bool:
        """See the port."""
        async with self._connections.reading() as connection:
            return bool(await connection.scalar(_OTHER_NUMBERS, {"campaign": campaign_id}))


async def _campaign_of(connection: AsyncConnection, list_id: int) -> int:
    campaign = await connection.scalar(select(tables.lists.c.campaign_id).where(tables.lists.c.id == list_id))
    if campaign is None:
        raise NotFound(f"there is no list {list_id}")
    return int(campaign)


async def _merged(
    connection: AsyncConnection, campaign_id: int, lanes: Sequence[Lane], *, at_most: int
) -> list[Candidate]:
    """Merge the heads of lanes, which come in order; in one statement nearly always.

    Of more statements the earlier ones' entries stay right when the later ones see more. Who is first in a lane may
    have changed since it was found, but only to one who comes later.
    """
    found: list[Candidate] = []
    for start in range(0, len(lanes), MOST_LANES):
        some = lanes[start : start + MOST_LANES]
        if len(found) >= at_most and _place(found[at_most - 1]) < some[0].place:
            break
        asked = head_values(campaign_id, some, at_most=at_most)
        found += _candidates(await connection.execute(heads(padded(len(some))), asked))
        found.sort(key=_place)
    return found


def _lanes(rows: CursorResult[Any]) -> list[Lane]:
    return [
        Lane(owner_id=row.owner_key, zone=row.zone, entry_id=row.id, priority=row.priority, rank=row.rank)
        for row in rows
    ]


def _candidates(rows: CursorResult[Any]) -> list[Candidate]:
    names = tuple(rows.keys())
    return [Candidate(**dict(zip(names, row, strict=True))) for row in rows.all()]


def _place(one: Candidate) -> tuple[int, float, int]:
    return (-one.priority, one.rank, one.entry_id)


def _one_of_each(parked: Iterable[Parked], pending: set[int]) -> list[Parked]:
    """Return one standing of each entry that is pending, in the order of ids: see `FOR UPDATE`."""
    last = {one.candidate.entry_id: one for one in parked if one.candidate.entry_id in pending}
    return [last[entry_id] for entry_id in sorted(last)]


def _parking(one: Parked, at: datetime) -> dict[str, Any]:
    return {
        "entry": one.candidate.entry_id,
        "becomes": one.state.value,
        "until": one.until,
        "why": one.reason.value,
        "words": one.detail,
        "moment": at,
    }
