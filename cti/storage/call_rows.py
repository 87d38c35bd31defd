"""A `Call` as a row of `calls`, its stays as rows of `legs`, and back. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from cti.model.calls import Call, CallState, EndedBy, EndReason, Join, Outcome
from cti.model.contacts import Candidate
from cti.storage.tables import calls

CALL_FIELDS: Final = tuple(field.name for field in fields(Call) if field.name != "joins")
CALL_COLUMNS: Final = tuple(calls.c[name] for name in CALL_FIELDS)
"""What `call_of` wants of a row, in this order."""

_ENUMS: Final = {"state": CallState, "outcome": Outcome, "end_reason": EndReason, "ended_by": EndedBy}
_read_fields: Final = attrgetter(*CALL_FIELDS)

CUSTOMER: Final = "customer"
AGENT: Final = "agent"
CUSTOMER_POSITION: Final = 0
"""Of a call's legs the customer's is the first; the agents' stays follow from 1."""


def call_values(call: Call) -> dict[str, Any]:
    """Return the row of a call."""
    values: dict[str, Any] = dict(zip(CALL_FIELDS, _read_fields(call), strict=True))
    for name in _ENUMS:
        values[name] = _plain(values[name])
    values["is_open"] = call.state is not CallState.ENDED
    values["reversed_number"] = call.number[::-1]
    return values


def attempt_values(call: Call, candidate: Candidate | None) -> dict[str, Any]:
    """Return the row of a call's attempt."""
    return {
        "call_id": call.id,
        "entry_id": candidate.entry_id if candidate else None,
        "campaign_id": call.campaign_id,
        "list_id": call.list_id,
        "contact_id": call.contact_id,
        "number_id": call.number_id,
        "try_number": call.try_number,
        "placed_at": call.placed_at,
        "ended_at": call.ended_at,
        "outcome": _plain(call.outcome),
        "end_reason": _plain(call.end_reason),
        "e164": call.number,
    }


def customer_leg(call: Call) -> dict[str, Any]:
    """Return the row of the customer's leg."""
    return {
        "call_id": call.id,
        "position": CUSTOMER_POSITION,
        "kind": CUSTOMER,
        "agent_id": None,
        "channel_id": call.channel_id,
        "began_at": call.placed_at,
        "ended_at": call.ended_at,
    }


def agent_legs(call: Call) -> list[dict[str, Any]]:
    """Return the rows of the agents' stays."""
    return [
        {
            "call_id": call.id,
            "position": position,
            "kind": AGENT,
            "agent_id": join.agent_id,
            "channel_id": join.channel_id,
            "began_at": join.joined_at,
            "ended_at": join.left_at,
        }
        for position, join in enumerate(call.joins, CUSTOMER_POSITION + 1)
    ]


def call_of(row: Sequence[Any], joins: tuple[Join, ...]) -> Call:
    """Return the call of a row that begins with `CALL_COLUMNS`."""
    values: dict[str, Any] = dict(zip(CALL_FIELDS, row, strict=False))
    for name, kind in _ENUMS.items():
        if values[name] is not None:
            values[name] = kind(values[name])
    return Call(**values, joins=joins)


def joins_by_call(rows: Iterable[Any]) -> Mapping[str, tuple[Join, ...]]:
    """Return the stays of each call, from rows of `legs` in order of position; `()` for a call that has none."""
    joins: defaultdict[str, tuple[Join, ...]] = defaultdict(tuple)
    for row in rows:
        joins[row.call_id] += (
            Join(
                agent_id=row.agent_id, channel_id=row.channel_id, joined_at=row.began_at, left_at=row.ended_at
            ),
        )
    return joins


def _plain(word: Any) -> str | None:
    return None if word is None else word.value
