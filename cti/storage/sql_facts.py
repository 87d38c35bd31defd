"""`FactStore` on the database: what happened, for reports and lists."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, TextClause, and_, bindparam, select

from cti.model.agents import AgentChange, AgentState
from cti.model.calls import Join
from cti.model.conditions import Scope
from cti.model.queries import CallFilter, CallRow
from cti.storage import tables
from cti.storage.call_rows import CALL_COLUMNS, call_of
from cti.storage.condition_sql import criterion
from cti.storage.connections import Connections
from cti.storage.leg_rows import read_joins
from cti.storage.recording_rows import FACT_COLUMNS, facts_of
from cti.storage.uninterrupted import to_the_end

PAGE_ROWS: Final = 1000
"""Rows read at once when all are wanted: memory stays flat, and no transaction stays open while they are consumed."""

_calls, _changes, _recordings = tables.calls.c, tables.agent_changes.c, tables.recordings.c
_ROWS: Final = (
    select(
        *CALL_COLUMNS,
        _calls.disposition,
        _calls.note,
        tables.contacts.c.name.label("contact_name"),
        tables.contacts.c.deal,
        tables.campaigns.c.name.label("campaign_name"),
        tables.agents.c.login.label("agent_login"),
        _recordings.call_id.label("recorded"),
        *FACT_COLUMNS,
    )
    .select_from(tables.calls)
    .outerjoin(tables.contacts, tables.contacts.c.id == _calls.contact_id)
    .outerjoin(tables.campaigns, tables.campaigns.c.id == _calls.campaign_id)
    .outerjoin(tables.agents, tables.agents.c.id == _calls.agent_id)
    .outerjoin(tables.recordings, _recordings.call_id == _calls.id)
    .order_by(_calls.id.desc())
)
_LAST_BEFORE: Final = (
    select(_changes.id)
    .where(_changes.agent_id == tables.agents.c.id, _changes.at < bindparam("since"))
    .order_by(_changes.at.desc(), _changes.id.desc())
    .limit(1)
    .correlate(tables.agents)
    .scalar_subquery()
)
_FIRST_CHANGES: Final = (
    select(tables.agent_changes)
    .where(_changes.id.in_(select(_LAST_BEFORE).select_from(tables.agents)))
    .order_by(_changes.at, _changes.id)
)
_CHANGES: Final = (
    select(tables.agent_changes)
    .where(_changes.at >= bindparam("since"), _changes.at < bindparam("until"))
    .order_by(_changes.at, _changes.id)
)
_Condition = ColumnElement[bool] | TextClause


class SqlFacts:
    """Reads calls with their names, and the agents' history."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def call_rows(self, wanted: CallFilter) -> list[CallRow]:
        """See the port."""
        question = _ROWS.where(*_conditions(wanted)).limit(wanted.limit)
        return await self._read(question)

    async def all_call_rows(self, wanted: CallFilter) -> AsyncIterator[CallRow]:
        """See the port."""
        while True:
            page = await self.call_rows(replace(wanted, limit=PAGE_ROWS))
            for row in page:
                yield row
            if len(page) < PAGE_ROWS:
                return
            wanted = replace(wanted, before_id=page[-1].call.id)

    async def _read(self, question: Select[Any]) -> list[CallRow]:
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question)).all()
            joins = await read_joins(connection, [row.id for row in rows])
        return [_call_row(row, joins) for row in rows]

    @to_the_end
    async def agent_changes(self, *, since: datetime, until: datetime) -> list[AgentChange]:
        """See the port."""
        span = {"since": since, "until": until}
        async with self._connections.reading() as connection:
            first = (await connection.execute(_FIRST_CHANGES, {"since": since})).all()
            rows = (await connection.execute(_CHANGES, span)).all()
        return [_change(row) for row in (*first, *rows)]


def _conditions(wanted: CallFilter) -> list[_Condition]:
    """Return what the filter asks, one condition for each field that is not None."""
    asked: list[tuple[object, Callable[[Any], _Condition]]] = [
        (wanted.since, lambda since: _calls.placed_at >= since),
        (wanted.until, lambda until: _calls.placed_at < until),
        (wanted.campaign_id, lambda campaign_id: _calls.campaign_id == campaign_id),
        (wanted.agent_id, lambda agent_id: _calls.agent_id == agent_id),
        (wanted.number, _number_is),
        (wanted.outcome, lambda outcome: _calls.outcome == outcome),
        (wanted.disposition, lambda disposition: _calls.disposition == disposition),
        (wanted.contact_id, lambda contact_id: _calls.contact_id == contact_id),
        (wanted.condition, lambda condition: criterion(condition, Scope.CALL)),
        (wanted.open_only or None, lambda _: tables.open_only),
        (wanted.before_id, lambda before_id: _calls.id < before_id),
    ]
    return [condition(value) for value, condition in asked if value is not None]


def _number_is(number: str) -> ColumnElement[bool]:
    """Compare from the end: last digits are a prefix of the number turned round, and that has an index."""
    turned = number[::-1]
    if number.startswith("+"):
        return _calls.reversed_number == turned
    return and_(_calls.reversed_number >= turned, _calls.reversed_number < turned + "~")


def _call_row(row: Row[Any], joins: Mapping[str, tuple[Join, ...]]) -> CallRow:
    return CallRow(
        call=call_of(row, joins[row.id]),
        contact_name=row.contact_name,
        campaign_name=row.campaign_name,
        agent_login=row.agent_login,
        disposition=row.disposition,
        note=row.note,
        recording=facts_of(row) if row.recorded is not None else None,
        deal=row.deal,
    )


def _change(row: Row[Any]) -> AgentChange:
    return AgentChange(
        agent_id=row.agent_id,
        at=row.at,
        before=AgentState(row.before),
        after=AgentState(row.after),
        reason=row.reason,
        call_id=row.call_id,
    )
