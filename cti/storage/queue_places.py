"""Puts flagged calls into the review queue, in the transaction that judges them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.judgements import Judgement
from cti.model.keyword_rules import RuleVerdict
from cti.model.priorities import BY_SEVERITY
from cti.model.reviews import QueueSource, QueueState
from cti.storage import tables
from cti.storage.judgement_rows import call_values

_queue: Final = tables.review_queue.c
_WAITING: Final = select(tables.review_queue).where(_queue.call_id == bindparam("call_id"), tables.in_queue)


async def place_flagged(connection: AsyncConnection, judgement: Judgement, new: Sequence[str]) -> None:
    """Bring the call's place in step with its broken rules; `new`: those that were not broken before."""
    flags = [one for one in judgement.broken if one.severity in BY_SEVERITY]
    waiting = (await connection.execute(_WAITING, {"call_id": judgement.call.call_id})).first()
    if waiting is not None and waiting.source != QueueSource.RULE.value:
        return  # it waits for another reason anyhow
    if not flags:
        if waiting is not None and waiting.claimed_by is None:
            await connection.execute(
                _change(waiting.id, state=QueueState.DROPPED.value, done_at=judgement.judged_at)
            )
        return
    place = {"reason": reason(flags), "priority": min(BY_SEVERITY[one.severity] for one in flags)}
    if waiting is not None:
        await connection.execute(_change(waiting.id, **place))
    elif any(one.code in new for one in flags):
        row = {
            **call_values(judgement.call),
            **place,
            "source": QueueSource.RULE.value,
            "state": QueueState.WAITING.value,
            "created_at": judgement.judged_at,
        }
        await connection.execute(insert(tables.review_queue).values(row))


def reason(flags: Sequence[RuleVerdict]) -> str:
    """Return the rules' codes, as the queue shows them."""
    return ", ".join(one.code for one in flags)


def _change(place_id: int, **values: Any) -> Any:
    return update(tables.review_queue).where(_queue.id == place_id).values(values)
