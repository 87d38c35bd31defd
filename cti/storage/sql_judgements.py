"""`JudgementStore` on the database: what the service thinks of calls, with marks for search and places in the queue."""

import operator
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import NotFound
from cti.model.judgements import (
    RESCAN_CALLS,
    Bite,
    Changed,
    FlaggedCall,
    JudgedCall,
    Judgement,
    JudgementFilter,
    Rescan,
    RescanState,
    changed,
    is_older,
)
from cti.model.keyword_rules import RANKS
from cti.model.searches import MarkKind
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.judgement_rows import (
    judged_call,
    judgement_of,
    judgement_values,
    rescan_of,
    verdict_of,
    verdict_rows,
)
from cti.storage.mark_rows import replace_marks
from cti.storage.queue_places import place_flagged
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_calls, _judgements, _verdicts = tables.calls.c, tables.call_judgements.c, tables.call_verdicts.c
_marks, _rescans, _transcripts = tables.call_marks.c, tables.rescans.c, tables.transcripts.c
_CALL: Final = select(
    _calls.id.label("call_id"), _calls.placed_at, _calls.campaign_id, _calls.agent_id
).where(_calls.id == bindparam("call_id"))
_LOCK: Final = _CALL.with_for_update(key_share=True)  # two judgings of one call come one after the other
_ONE: Final = select(tables.call_judgements).where(_judgements.call_id == bindparam("call_id"))
_VERDICTS: Final = select(tables.call_verdicts).where(_verdicts.call_id == bindparam("call_id"))
_FLAGGED: Final = (
    select(
        _judgements.call_id,
        _judgements.placed_at,
        _judgements.campaign_id,
        _judgements.agent_id,
        _judgements.judged_at,
        _judgements.rank,
    )
    .where(tables.broken_only)
    .order_by(_judgements.call_id.desc())
)
_SEVERITIES: Final = {rank: severity for severity, rank in RANKS.items()}


class SqlJudgements:
    """Judgements and rescans."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)

    @to_the_end
    async def call(self, call_id: str) -> JudgedCall | None:
        """See the port."""
        async with self._connections.reading() as connection:
            row = (await connection.execute(_CALL, {"call_id": call_id})).first()
        return None if row is None else judged_call(row)

    @to_the_end
    async def save(self, judgement: Judgement) -> Changed:
        """See the port."""
        call_id = judgement.call.call_id
        async with self._connections.writing() as connection:
            if (await connection.execute(_LOCK, {"call_id": call_id})).first() is None:
                raise NotFound(f"there is no call {call_id}")
            old = await _stored(connection, call_id)
            if old is not None and is_older(judgement, old):
                return Changed()
            difference = changed(judgement, old)
            await _delete(connection, [call_id])
            await connection.execute(insert(tables.call_judgements).values(judgement_values(judgement)))
            if rows := verdict_rows(judgement):
                await connection.execute(insert(tables.call_verdicts), rows)
            found = {one.code: float(one.count) for one in judgement.broken}
            await replace_marks(connection, call_id, MarkKind.RULE, found)
            await place_flagged(connection, judgement, difference.new)
        return difference

    @to_the_end
    async def judgement(self, call_id: str) -> Judgement | None:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _stored(connection, call_id)

    @to_the_end
    async def forget(self, call_ids: Sequence[str]) -> int:
        """See the port."""
        async with self._connections.writing() as connection:
            return await _delete(connection, call_ids)

    @to_the_end
    async def flagged(self, wanted: JudgementFilter) -> list[FlaggedCall]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_filtered(wanted))).all()
            found: dict[str, list[Any]] = {row.call_id: [] for row in rows}
            broken = select(tables.call_verdicts).where(_verdicts.call_id.in_(found), _verdicts.broken)
            for verdict in await connection.execute(broken.order_by(_verdicts.rule)):
                found[verdict.call_id].append(verdict)
        return [
            FlaggedCall(
                call=judged_call(row),
                severity=_SEVERITIES[row.rank],
                verdicts=tuple(verdict_of(one) for one in found[row.call_id]),
                judged_at=row.judged_at,
            )
            for row in rows
        ]

    @to_the_end
    async def begin_rescan(
        self, *, campaign_id: int | None, since: datetime | None, revision: int, by: str, at: datetime
    ) -> Rescan:
        """See the port."""
        # counted before anything is locked: on SQLite calls would wait for it
        counting = select(func.count()).select_from(_scannable(campaign_id, since).subquery())
        async with self._connections.reading() as connection:
            matched = await connection.scalar(counting)
        row = {
            "by": by,
            "at": at,
            "revision": revision,
            "campaign_id": campaign_id,
            "since": since,
            "state": RescanState.RUNNING.value,
            "matched": matched,
        }
        async with self._connections.writing() as connection:
            new = insert(tables.rescans).values(row).returning(*tables.rescans.c)
            rescan = rescan_of((await connection.execute(new)).one())
            work = NewWork(kind=RESCAN_CALLS, key=str(rescan.id), payload={"id": rescan.id})
            await self._works.write(connection, [work], now=at)
        return rescan

    @to_the_end
    async def rescan(self, rescan_id: int) -> Rescan:
        """See the port."""
        async with self._connections.reading() as connection:
            return rescan_of(await _rescan_row(connection, rescan_id))

    @to_the_end
    async def rescans(self, *, limit: int) -> list[Rescan]:
        """See the port."""
        question = select(tables.rescans).order_by(_rescans.id.desc()).limit(limit)
        async with self._connections.reading() as connection:
            return [rescan_of(row) for row in await connection.execute(question)]

    @to_the_end
    async def next_calls(self, rescan: Rescan, *, limit: int) -> list[str]:
        """See the port."""
        question = (
            _scannable(rescan.campaign_id, rescan.since).order_by(_transcripts.call_id.desc()).limit(limit)
        )
        if rescan.position is not None:
            question = question.where(_transcripts.call_id < rescan.position)
        async with self._connections.reading() as connection:
            return list((await connection.execute(question)).scalars())

    @to_the_end
    async def bitten(self, rescan_id: int, bite: Bite) -> Rescan:
        """See the port."""
        async with self._connections.writing() as connection:
            row = await _rescan_row(connection, rescan_id, lock=True)
            if row.position is not None and row.position <= bite.position:
                return rescan_of(row)
            values = {
                "position": bite.position,
                "judged": row.judged + bite.judged,
                "changed": row.changed + bite.changed,
                "without_transcript": row.without_transcript + bite.without_transcript,
            }
            await connection.execute(update(tables.rescans).where(_rescans.id == rescan_id).values(values))
            return rescan_of(await _rescan_row(connection, rescan_id))

    @to_the_end
    async def end_rescan(self, rescan_id: int, state: RescanState, *, at: datetime) -> Rescan:
        """See the port."""
        ended = (
            update(tables.rescans)
            .where(_rescans.id == rescan_id, tables.running_rescan)
            .values(state=state.value, finished_at=at)
        )
        async with self._connections.writing() as connection:
            await connection.execute(ended)
            return rescan_of(await _rescan_row(connection, rescan_id))


async def _stored(connection: AsyncConnection, call_id: str) -> Judgement | None:
    row = (await connection.execute(_ONE, {"call_id": call_id})).first()
    if row is None:
        return None
    return judgement_of(row, (await connection.execute(_VERDICTS, {"call_id": call_id})).all())


async def _delete(connection: AsyncConnection, call_ids: Sequence[str]) -> int:
    await connection.execute(
        delete(tables.call_marks).where(_marks.call_id.in_(call_ids), _marks.kind == MarkKind.RULE.value)
    )
    await connection.execute(delete(tables.call_verdicts).where(_verdicts.call_id.in_(call_ids)))
    gone = await connection.execute(delete(tables.call_judgements).where(_judgements.call_id.in_(call_ids)))
    return gone.rowcount


def _filtered(wanted: JudgementFilter) -> Select[Any]:
    question = _FLAGGED.limit(wanted.limit)
    if wanted.rule is not None:
        breaks_it = select(_verdicts.call_id).where(_verdicts.rule == wanted.rule, _verdicts.broken)
        question = question.where(_judgements.call_id.in_(breaks_it))
    for value, compares, column in (
        (wanted.agent_id, operator.eq, _judgements.agent_id),
        (wanted.campaign_id, operator.eq, _judgements.campaign_id),
        (wanted.since, operator.ge, _judgements.placed_at),
        (wanted.until, operator.lt, _judgements.placed_at),
        (wanted.before_id, operator.lt, _judgements.call_id),
    ):
        if value is not None:
            question = question.where(compares(column, value))
    return question


def _scannable(campaign_id: int | None, since: datetime | None) -> Select[Any]:
    """Calls that have a transcript."""
    question = select(_transcripts.call_id).where(tables.current_transcripts)
    if campaign_id is not None or since is not None:
        question = question.join_from(tables.transcripts, tables.calls, _calls.id == _transcripts.call_id)
    if campaign_id is not None:
        question = question.where(_calls.campaign_id == campaign_id)
    if since is not None:
        question = question.where(_calls.placed_at >= since)
    return question


async def _rescan_row(connection: AsyncConnection, rescan_id: int, *, lock: bool = False) -> Row[Any]:
    question = select(tables.rescans).where(_rescans.id == rescan_id)
    row = (await connection.execute(question.with_for_update() if lock else question)).first()
    if row is None:
        raise NotFound(f"there is no rescan {rescan_id}")
    return row
