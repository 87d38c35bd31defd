"""What became of contacts, as rows of `entry_reasons`. Pure."""

from datetime import datetime
from typing import Any

from cti.model.calls import Call
from cti.model.contacts import Candidate
from cti.model.standing import Parked, ReasonKind


def skipped_row(one: Parked, *, at: datetime) -> dict[str, Any]:
    """Return the row of a contact that was not dialed."""
    return _row(one.candidate, at=at) | {
        "kind": ReasonKind.SKIPPED.value,
        "reason": one.reason.value,
        "detail": one.detail,
        "call_id": None,
    }


def dialed_row(call: Call, candidate: Candidate) -> dict[str, Any]:
    """Return the row of a contact that was dialed."""
    return _row(candidate, at=call.placed_at) | {
        "kind": ReasonKind.DIALED.value,
        "reason": "",
        "detail": call.why or "",
        "call_id": call.id,
    }


def _row(candidate: Candidate, *, at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "entry_id": candidate.entry_id,
        "contact_id": candidate.contact_id,
        "campaign_id": candidate.campaign_id,
        "number": candidate.number,
    }
