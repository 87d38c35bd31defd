"""Work that concerns recordings, as rows of the work table. Pure."""

from typing import Final

from cti.model.queries import RecordingFacts
from cti.model.recordings import Place
from cti.model.work import COMPRESS_RECORDING, ROTATE_RECORDING, UPLOAD_RECORDING, NewWork

LATER: Final = -10
"""Priority: what people wait for goes first."""


def compress_work(call_id: str) -> NewWork:
    """Return the work that makes a recording smaller.

    Whoever stores a transcript writes it in the same transaction. Where nothing is to be compressed the handler only
    goes on to what follows, so it may be written always.
    """
    return NewWork(kind=COMPRESS_RECORDING, key=call_id, payload={"call_id": call_id}, priority=LATER)


def upload_work(call_id: str) -> NewWork:
    """Return the work that moves a recording to the S3 store."""
    return NewWork(kind=UPLOAD_RECORDING, key=call_id, payload={"call_id": call_id}, priority=LATER)


def rotate_work(call_id: str) -> NewWork:
    """Return the work that encrypts a recording with the current key."""
    return NewWork(kind=ROTATE_RECORDING, key=call_id, payload={"call_id": call_id}, priority=2 * LATER)


def works_after(call_id: str, facts: RecordingFacts, *, last_place: Place) -> tuple[NewWork, ...]:
    """Return what is left to do with a recording that needs nothing but its place."""
    return (upload_work(call_id),) if facts.path and facts.place is not last_place else ()
