"""Reads the agents' stays of many calls at once."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.calls import Join
from cti.storage.call_rows import AGENT, joins_by_call
from cti.storage.tables import legs

CALLS_PER_QUESTION: Final = 5000
"""Both databases take some 32,000 parameters in one statement."""

_STAYS: Final = (
    select(legs)
    .where(legs.c.call_id.in_(bindparam("call_ids", expanding=True)), legs.c.kind == AGENT)
    .order_by(legs.c.call_id, legs.c.position)
)


async def read_joins(connection: AsyncConnection, call_ids: Sequence[str]) -> Mapping[str, tuple[Join, ...]]:
    """Return the stays by call id."""
    rows: list[object] = []
    for start in range(0, len(call_ids), CALLS_PER_QUESTION):
        chunk = call_ids[start : start + CALLS_PER_QUESTION]
        rows += (await connection.execute(_STAYS, {"call_ids": chunk})).all()
    return joins_by_call(rows)
