"""`LedgerStore` and `DecisionStore` on the database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select

from cti.model.calls import Outcome
from cti.model.decisions import PacingDecision
from cti.model.ledger import Tally
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

COUNTED: Final = (Outcome.CONNECTED, Outcome.DROPPED, Outcome.GONE_EARLY, Outcome.MACHINE)
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

_attempts, _decisions = tables.attempts.c, tables.pacing_decisions.c
_TALLY: Final = (
    # of each outcome a stretch of the index (campaign_id, outcome, ended_at): no row is read
    select(_attempts.outcome, func.count())
    .where(
        _attempts.campaign_id == bindparam("campaign"),
        _attempts.outcome.in_([outcome.value for outcome in COUNTED]),
        _attempts.ended_at >= bindparam("begins"),
        _attempts.ended_at < bindparam("ends"),
    )
    .group_by(_attempts.outcome)
)
_ADD: Final = insert(tables.pacing_decisions)
_ROWS: Final = select(
    _decisions.campaign_id, _decisions.at, _decisions.calls, _decisions.why, _decisions.inputs
)


class SqlLedger:
    """Counts ended calls."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def tallies(
        self,
        campaign_id: int,
        spans: Sequence[tuple[datetime | None, datetime]],
        *,
        until: datetime,
    ) -> list[Tally]:
        """See the port."""
        found = []
        async with self._connections.reading() as connection:
            for begins, ends in spans:
                span = {"begins": begins or _BEGINNING, "ends": min(ends, until), "campaign": campaign_id}
                counts = {row[0]: row[1] for row in await connection.execute(_TALLY, span)}
                found.append(Tally(**counts))
        return found


class SqlDecisions:
    """What pacing decided."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def add(self, decisions: Sequence[PacingDecision]) -> None:
        """See the port."""
        rows = [
            {
                "campaign_id": one.campaign_id,
                "at": one.at,
                "calls": one.calls,
                "why": one.why,
                "inputs": dict(one.inputs),
            }
            for one in decisions
        ]
        if rows:
            async with self._connections.writing() as connection:
                await connection.execute(_ADD, rows)

    @to_the_end
    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[PacingDecision]:
        """See the port."""
        question = _ROWS.where(_decisions.campaign_id == campaign_id)
        if since is not None:
            question = question.where(_decisions.at >= since)
        if until is not None:
            question = question.where(_decisions.at < until)
        newest_first = question.order_by(_decisions.at.desc(), _decisions.id.desc()).limit(limit)
        async with self._connections.reading() as connection:
            return [PacingDecision(**row) for row in (await connection.execute(newest_first)).mappings()]

    @to_the_end
    async def thin(
        self, *, since: datetime | None, until: datetime, keep_one_per: timedelta, limit: int
    ) -> datetime | None:
        """See the port."""
        question = select(_decisions.id, _decisions.campaign_id, _decisions.at).where(_decisions.at < until)
        if since is not None:
            question = question.where(_decisions.at >= since)
        in_order = question.order_by(_decisions.at, _decisions.id).limit(limit)
        async with self._connections.writing() as connection:
            rows = (await connection.execute(in_order)).all()
            await connection.execute(_FORGET, {"ids": _spare(rows, keep_one_per)})
        return rows[-1].at if len(rows) == limit else None

    @to_the_end
    async def forget(self, *, older_than: datetime, limit: int) -> int:
        """See the port."""
        old = select(_decisions.id).where(_decisions.at < older_than).order_by(_decisions.at).limit(limit)
        async with self._connections.writing() as connection:
            ids = (await connection.execute(old)).scalars().all()
            await connection.execute(_FORGET, {"ids": list(ids)})
        return len(ids)


_FORGET: Final = delete(tables.pacing_decisions).where(_decisions.id.in_(bindparam("ids", expanding=True)))


def _spare(rows: Sequence[Any], keep_one_per: timedelta) -> list[int]:
    """Return the ids of all but the first decision of each campaign and piece of time."""
    kept: set[tuple[int, int]] = set()
    spare = []
    for row in rows:
        piece = (row.campaign_id, int(row.at.timestamp() // keep_one_per.total_seconds()))
        if piece in kept:
            spare.append(row.id)
        kept.add(piece)
    return spare
