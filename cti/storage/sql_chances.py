"""`ChanceStore` on the database: ended attempts, and what was learned from them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, delete, func, insert, or_, select

from cti.chances.ports import Past
from cti.errors import NotFound
from cti.model.answer_chances import (
    LEARNED_FROM,
    Callee,
    ChanceFit,
    PastAttempt,
    judgement_of,
    judgement_record,
)
from cti.model.calls import Outcome
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

KEPT_FITS: Final = 30
"""Of a campaign: a month of daily ones."""
_AT_ONCE: Final = 500
"""Contacts asked for in one statement."""

_attempts, _contacts, _numbers, _fits = (
    table.c for table in (tables.attempts, tables.contacts, tables.numbers, tables.chance_fits)
)
_ZONE: Final = func.coalesce(_contacts.zone, _numbers.zone, "")
_PAST: Final = (
    select(
        _attempts.call_id,
        _attempts.contact_id,
        _attempts.placed_at,
        _attempts.ended_at,
        _attempts.outcome,
        _numbers.kind,
        _ZONE.label("zone"),
    )
    .join_from(tables.attempts, tables.contacts, _contacts.id == _attempts.contact_id)
    .join(tables.numbers, _numbers.id == _attempts.number_id)
)
_PAGE: Final = (
    _PAST.where(
        _attempts.campaign_id == bindparam("campaign"),
        _attempts.outcome == bindparam("outcome"),
        _attempts.ended_at >= bindparam("since"),
    )
    .order_by(_attempts.ended_at.desc(), _attempts.call_id.desc())
    .limit(bindparam("at_most"))
)
_NEXT_PAGE: Final = _PAGE.where(
    _attempts.ended_at <= bindparam("before"),
    or_(_attempts.ended_at < bindparam("before"), _attempts.call_id < bindparam("before_id")),
)
_OF_CONTACTS: Final = _PAST.add_columns(_attempts.campaign_id).where(
    _attempts.contact_id.in_(bindparam("contacts", expanding=True))
)
"""Of all campaigns: asked for one of them, SQLite would read through the whole campaign's index."""
_CALLEES: Final = (
    select(_numbers.id, _numbers.kind, _ZONE.label("zone"))
    .join_from(tables.numbers, tables.contacts, _contacts.id == _numbers.contact_id)
    .where(_numbers.id.in_(bindparam("numbers", expanding=True)))
)
_NEWEST: Final = (
    select(tables.chance_fits)
    .where(_fits.campaign_id == bindparam("campaign"))
    .order_by(_fits.id.desc())
    .limit(1)
)


class SqlChances:
    """Reads attempts in pages, so that no write waits; keeps the newest fits."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def ended_attempts(
        self,
        campaign_id: int,
        *,
        outcome: Outcome,
        since: datetime,
        before: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[PastAttempt]:
        """See the port."""
        asked = {"campaign": campaign_id, "outcome": outcome.value, "since": since, "at_most": limit}
        question: Select[Any] = _PAGE
        if before is not None:
            question, asked = _NEXT_PAGE, asked | {"before": before[0], "before_id": before[1]}
        async with self._connections.reading() as connection:
            return [_past(row) for row in await connection.execute(question, asked)]

    @to_the_end
    async def past_of(
        self, campaign_id: int, contacts: Collection[int], numbers: Collection[int], *, since: datetime
    ) -> Past:
        """See the port."""
        attempts: list[PastAttempt] = []
        callees: dict[int, Callee] = {}
        async with self._connections.reading() as connection:
            for some in _parts(contacts):
                rows = await connection.execute(_OF_CONTACTS, {"contacts": some})
                attempts += [_past(row) for row in rows if _teaches(row, campaign_id, since)]
            for some in _parts(numbers):
                found = await connection.execute(_CALLEES, {"numbers": some})
                callees |= {row.id: Callee(row.kind, row.zone) for row in found}
        return Past(attempts=attempts, callees=callees)

    @to_the_end
    async def save_fit(self, fit: ChanceFit) -> int:
        """See the port."""
        row = insert(tables.chance_fits).values(_values(fit)).returning(_fits.id)
        known = select(tables.campaigns.c.id).where(tables.campaigns.c.id == fit.campaign_id)
        last_kept = (
            select(_fits.id)
            .where(_fits.campaign_id == fit.campaign_id)
            .order_by(_fits.id.desc())
            .offset(KEPT_FITS)
            .limit(1)
        )
        async with self._connections.writing() as connection:
            if await connection.scalar(known) is None:
                raise NotFound(f"there is no campaign {fit.campaign_id}")
            number: int = (await connection.execute(row)).scalar_one()
            if (oldest := await connection.scalar(last_kept)) is not None:
                old = (_fits.campaign_id == fit.campaign_id) & (_fits.id <= oldest)
                await connection.execute(delete(tables.chance_fits).where(old))
        return number

    @to_the_end
    async def newest_fit(self, campaign_id: int) -> ChanceFit | None:
        """See the port."""
        async with self._connections.reading() as connection:
            row = (await connection.execute(_NEWEST, {"campaign": campaign_id})).one_or_none()
        return None if row is None else _fit(row)


def _parts(ids: Collection[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(set(ids))
    return (ordered[at : at + _AT_ONCE] for at in range(0, len(ordered), _AT_ONCE))


def _teaches(row: Row[Any], campaign_id: int, since: datetime) -> bool:
    return (
        row.campaign_id == campaign_id
        and row.outcome in LEARNED_FROM
        and row.ended_at is not None
        and row.ended_at >= since
    )


def _past(row: Any) -> PastAttempt:
    return PastAttempt(
        row.call_id, row.contact_id, row.placed_at, row.ended_at, Outcome(row.outcome), row.kind, row.zone
    )


def _values(fit: ChanceFit) -> dict[str, Any]:
    return {
        "campaign_id": fit.campaign_id,
        "fitted_at": fit.fitted_at,
        "used": fit.used,
        "why": fit.why,
        "attempts": fit.attempts,
        "answered": fit.answered,
        "judgement": judgement_record(fit),
        "model": dict(fit.model) if fit.model is not None else None,
    }


def _fit(row: Row[Any]) -> ChanceFit:
    return ChanceFit(
        id=row.id,
        campaign_id=row.campaign_id,
        fitted_at=row.fitted_at,
        used=row.used,
        why=row.why,
        attempts=row.attempts,
        answered=row.answered,
        model=row.model,
        **judgement_of(row.judgement),
    )
