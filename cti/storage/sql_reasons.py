"""`ReasonStore` on the database: why contacts were dialed or not, and how entries stand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, func, or_, select

from cti.model.contacts import Candidate, EntryState
from cti.model.standing import ReasonKind
from cti.model.whys import LaneCount, ReasonCount, Standing, ToldReason
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.queue_rows import CANDIDATE, candidates
from cti.storage.uninterrupted import to_the_end

_entries, _numbers, _told = tables.list_entries.c, tables.numbers.c, tables.entry_reasons.c
_MORE: Final = (
    _entries.state,
    _entries.owner_key,
    _entries.due_at,
    _entries.reason,
    _entries.reason_detail,
    _entries.reason_at,
    _entries.call_id,
)
_STANDING: Final[Select[Any]] = candidates().add_columns(*_MORE)
_NAMES: Final = tuple(column.name for column in CANDIDATE)
_MOST_CONTACTS: Final = 100
"""Of one number: more contacts than that share a switchboard's number only by a mistake of the import."""
_HOW_MANY: Final[Any] = func.count()
_REASONS: Final[Select[Any]] = (
    select(
        _entries.state,
        _entries.reason,
        _HOW_MANY.label("entries"),
        func.min(case((_entries.state == EntryState.WAITING.value, _entries.due_at))).label("next_at"),
    )
    .where(_entries.campaign_id == bindparam("campaign"), tables.parked)
    .group_by(_entries.state, _entries.reason)
    .order_by(_entries.state, _entries.reason)
)
_LANES: Final[Select[Any]] = (
    select(_entries.owner_key, _entries.zone, _HOW_MANY.label("entries"))
    .where(_entries.campaign_id == bindparam("campaign"), tables.pending)
    .group_by(_entries.owner_key, _entries.zone)
    .order_by(_entries.owner_key, _entries.zone)
)
_OLD: Final = select(_told.id, _told.at).order_by(_told.id).limit(bindparam("at_most"))
_FORGET: Final = delete(tables.entry_reasons).where(_told.id <= bindparam("last"))


class SqlReasons:
    """Reads how entries stand and why; forgets what is old."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def standings(self, *, number: str | None = None, contact_id: int | None = None) -> list[Standing]:
        """See the port."""
        owners = select(_numbers.contact_id).where(_numbers.e164 == number).limit(_MOST_CONTACTS)
        whose = _entries.contact_id.in_(owners) if number else _entries.contact_id == contact_id
        return await self._standings(_STANDING.where(whose).order_by(_entries.id))

    @to_the_end
    async def history(
        self, *, number: str | None = None, contact_id: int | None = None, limit: int
    ) -> list[ToldReason]:
        """See the port."""
        whose = _told.number == number if number else _told.contact_id == contact_id
        question = select(tables.entry_reasons).where(whose).order_by(_told.id.desc()).limit(limit)
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question)).mappings().all()
        return [ToldReason(**dict(row) | {"kind": ReasonKind(row["kind"])}) for row in rows]

    @to_the_end
    async def reason_counts(self, campaign_id: int) -> list[ReasonCount]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_REASONS, {"campaign": campaign_id})).mappings().all()
        return [ReasonCount(**dict(row) | {"state": EntryState(row["state"])}) for row in rows]

    @to_the_end
    async def lane_counts(self, campaign_id: int) -> list[LaneCount]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_LANES, {"campaign": campaign_id})).all()
        return [LaneCount(owner_id=owner, zone=zone, entries=entries) for owner, zone, entries in rows]

    @to_the_end
    async def samples(
        self,
        campaign_id: int,
        state: EntryState,
        *,
        reason: str | None = None,
        owner_id: int | None = None,
        zone: str | None = None,
        limit: int,
    ) -> list[Standing]:
        """See the port."""
        question = _STANDING.where(_entries.campaign_id == campaign_id)
        if state is EntryState.PENDING:
            question = question.where(
                _entries.owner_key == owner_id, _entries.zone == zone, tables.pending
            ).order_by(_entries.priority.desc(), _entries.rank, _entries.id)
        else:
            same = _entries.reason.is_(None) if reason is None else _entries.reason == reason
            question = question.where(_entries.state == state.value, same, tables.parked).order_by(
                _entries.due_at
            )
        return await self._standings(question.limit(limit))

    @to_the_end
    async def before(self, candidate: Candidate, *, owner_id: int, limit: int) -> int:
        """See the port."""
        ahead = (
            select(_entries.id)
            .where(
                _entries.campaign_id == candidate.campaign_id,
                _entries.owner_key == owner_id,
                _entries.zone == candidate.zone,
                tables.pending,
                _goes_before(candidate),
            )
            .limit(limit)
            .subquery()
        )
        async with self._connections.reading() as connection:
            return int(await connection.scalar(select(func.count()).select_from(ahead)) or 0)

    @to_the_end
    async def forget(self, before: datetime, *, limit: int) -> int:
        """See the port. Rows are in the order of time but for seconds; one that is younger ends the bite."""
        async with self._connections.writing() as connection:
            rows = (await connection.execute(_OLD, {"at_most": limit})).all()
            old = []
            for row in rows:
                if row.at >= before:
                    break
                old.append(row.id)
            if old:
                await connection.execute(_FORGET, {"last": old[-1]})
        return len(old)

    async def _standings(self, question: Select[Any]) -> list[Standing]:
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question)).mappings().all()
        return [_standing(row) for row in rows]


def _goes_before(one: Candidate) -> ColumnElement[bool]:
    return or_(
        _entries.priority > one.priority,
        and_(
            _entries.priority == one.priority,
            or_(_entries.rank < one.rank, and_(_entries.rank == one.rank, _entries.id < one.entry_id)),
        ),
    )


def _standing(row: Mapping[Any, Any]) -> Standing:
    return Standing(
        candidate=Candidate(**{name: row[name] for name in _NAMES}),
        state=EntryState(row["state"]),
        owner_id=row["owner_key"],
        due_at=row["due_at"],
        reason=row["reason"],
        detail=row["reason_detail"] or "",
        reason_at=row["reason_at"],
        call_id=row["call_id"],
    )
