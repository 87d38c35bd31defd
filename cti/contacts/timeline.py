"""What happened with a contact, in one row: calls, notes, callbacks, changes. Pure.

Where no CRM is configured this is the record that people look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cti.model.call_record import call_record
from cti.model.callbacks import Callback
from cti.model.contact_rows import ContactChange
from cti.model.queries import CallRow
from cti.model.vocabulary import callback_record


class Happening(StrEnum):
    """What happened."""

    CALL = "call"
    NOTE = "note"
    CALLBACK = "callback"
    """One was agreed."""
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened."""

    at: datetime
    kind: Happening
    by: str | None
    """Login or token of whoever it was; None: nobody in particular."""
    text: str
    """For people, one line or a note's lines."""
    details: dict[str, Any] = field(default_factory=dict)
    """JSON values."""


def timeline(
    calls: Sequence[CallRow], changes: Sequence[ContactChange], callbacks: Sequence[Callback]
) -> list[Moment]:
    """Return all of it, newest first."""
    moments = [*map(_call, calls), *map(_change, changes), *map(_callback, callbacks)]
    return sorted(moments, key=lambda one: one.at, reverse=True)


def _call(row: CallRow) -> Moment:
    record = call_record(row)
    outcome = row.call.outcome.value if row.call.outcome else row.call.state.value
    words = [
        outcome,
        row.disposition,
        f"{round(record['talk_seconds'])} s" if record["talk_seconds"] else None,
    ]
    text = ", ".join(word for word in words if word)
    return Moment(
        at=row.call.placed_at,
        kind=Happening.CALL,
        by=row.agent_login,
        text=f"{text}: {row.note}" if row.note else text,
        details=record,
    )


def _change(one: ContactChange) -> Moment:
    note = one.change.get("note")
    if note is not None:
        return Moment(at=one.at, kind=Happening.NOTE, by=one.by, text=str(note))
    told = [
        f"{name}: {_word(before)} -> {_word(after)}"
        for name, (before, after) in one.change.get("contact", {}).items()
    ]
    told += [f"+{tag}" for tag in one.change.get("tags_added", ())]
    told += [f"-{tag}" for tag in one.change.get("tags_removed", ())]
    return Moment(
        at=one.at,
        kind=Happening.CHANGE,
        by=one.by,
        text=", ".join(told) or one.kind,
        details=dict(one.change),
    )


def _callback(one: Callback) -> Moment:
    text = f"{one.state.value}, {one.due_local:%Y-%m-%d %H:%M} {one.zone}"
    return Moment(
        at=one.created_at,
        kind=Happening.CALLBACK,
        by=one.created_by,
        text=f"{text}: {one.note}" if one.note else text,
        details=callback_record(one),
    )


def _word(value: Any) -> str:
    return "-" if value is None else str(value)
