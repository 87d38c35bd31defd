"""Results of a push, and how a request for many calls that is refused finds the one that is to blame."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from crm_sync.port import CallWrite, CrmError, PushResult
from cti.model.crm import BLAMELESS, Answer, RecordRef

T = TypeVar("T")
R = TypeVar("R")

SHARED: Final = BLAMELESS | {Answer.UNKNOWN}
"""Answers that say nothing about one of several: halving would only ask more often."""


def written(
    write: CallWrite, remote: RecordRef, *, more_requests: int = 0, left: frozenset[str] = frozenset()
) -> PushResult:
    """Return that a call stands there; `left`: but for these fields, which a person changed."""
    return PushResult(
        call_id=write.log.call_id, answer=Answer.OK, remote=remote, more_requests=more_requests, left=left
    )


def failed(write: CallWrite, error: CrmError, *, more_requests: int = 0) -> PushResult:
    """Return that a call does not stand there, or not as it should."""
    return PushResult(
        call_id=write.log.call_id,
        answer=error.answer,
        message=str(error),
        pause_seconds=error.pause_seconds,
        more_requests=more_requests,
    )


def counted(results: Sequence[PushResult], more: int) -> list[PushResult]:
    """Return the results with the further requests of the push counted for its first call."""
    if not results or more <= 0:
        return list(results)
    return [replace(results[0], more_requests=more), *results[1:]]


async def halved(
    items: Sequence[T],
    send: Callable[[Sequence[T]], Awaitable[Sequence[R | CrmError]]],
) -> list[R | CrmError]:
    """Send all at once; when all are refused for what one of them holds, send each half by itself.

    `send` returns one answer for each item, or raises CrmError for all of them. One bad item of a hundred costs about
    fourteen requests; the ninety-nine others are written.
    """
    try:
        return list(await send(items))
    except CrmError as error:
        if len(items) == 1 or error.answer in SHARED:
            return [error for _ in items]
    middle = len(items) // 2
    first = await halved(items[:middle], send)
    if (stop := stopped(first)) is not None:
        return [*first, *(stop for _ in items[middle:])]
    return [*first, *await halved(items[middle:], send)]


def stopped(answers: Sequence[R | CrmError]) -> CrmError | None:
    """Return the answer that pauses the whole target, when one does: nothing more is to be sent now."""
    return next((one for one in answers if isinstance(one, CrmError) and one.answer in BLAMELESS), None)
