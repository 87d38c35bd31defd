"""What an ended call says of the work on a contact: did somebody talk with him, or did the attempt fail? Pure."""

from enum import StrEnum
from typing import Final

from cti.model.calls import Call, Outcome


class Effort(StrEnum):
    """What a call was for the contact."""

    TALK = "talk"
    FAILURE = "failure"
    """Nobody was reached."""


EFFORTS: Final = {
    Outcome.CONNECTED: Effort.TALK,
    Outcome.GONE_EARLY: Effort.FAILURE,
    Outcome.MACHINE: Effort.FAILURE,
    Outcome.NO_ANSWER: Effort.FAILURE,
    Outcome.BUSY: Effort.FAILURE,
}
"""What is not here says nothing of him: a drop is our fault, a lost call nobody's knowledge."""

NO_SUCH_NUMBER: Final = frozenset({1, 22, 28})
"""Q.850: unallocated number, number changed, invalid number format."""


def effort(call: Call) -> Effort | None:
    """Return what an ended call counts as, None for nothing.

    A technical failure says nothing of the contact, but a number that the network does not know fails for good.
    """
    if call.outcome is Outcome.FAILED:
        return Effort.FAILURE if call.cause in NO_SUCH_NUMBER else None
    return EFFORTS.get(call.outcome) if call.outcome is not None else None
