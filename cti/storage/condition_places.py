"""Where the fields of conditions lie in the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, func, select

from cti.model.conditions import Scope
from cti.storage import tables
from cti.storage.call_rows import AGENT
from cti.storage.portable import A_SECOND, between, microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A field of the row itself."""

    value: ColumnElement[Any]
    nullable: bool = True
    scale: int | None = None
    """The value is a whole number of parts, so many to one of the condition's (microseconds of seconds)."""
    turned: ColumnElement[Any] | None = None
    """The same text written from its end, with an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """A field of other rows that belong to it, any number of them."""

    table: FromClause
    link: ColumnElement[Any]
    """Column of `table` that holds the row's id; never NULL in the rows that count."""
    value: ColumnElement[Any]


Place = Own | Among

_contacts, _numbers, _entries = tables.contacts.c, tables.numbers.c, tables.list_entries.c
_calls, _tags = tables.calls.c, tables.contact_tags.c
_first_number = tables.numbers.alias("first_number")
_tries, _last = tables.attempts.alias("tries"), tables.attempts.alias("last_attempt")
_last_call, _last_verdict = tables.calls.alias("last_call"), tables.calls.alias("last_verdict")


_open_callbacks = (
    select(tables.callbacks.c.contact_id, tables.callbacks.c.due_at)
    .where(tables.still_open)
    .subquery("open_callbacks")
)


def _of_contact(question: Any) -> ScalarSelect[Any]:
    return question.correlate(tables.contacts).scalar_subquery()  # type: ignore[no-any-return]


ZONE: Final = func.coalesce(
    _contacts.zone,
    _of_contact(
        select(_first_number.c.zone).where(
            _first_number.c.contact_id == _contacts.id, _first_number.c.position == 0
        )
    ),
)
"""The contact's own time zone, else his first number's."""

_ENTRY_COLUMNS: Final[Mapping[str, Own]] = {
    "campaign": Own(value=_entries.campaign_id, nullable=False),
    "list": Own(value=_entries.list_id, nullable=False),
    "state": Own(value=_entries.state, nullable=False),
    "reason": Own(value=_entries.reason),
    "priority": Own(value=_entries.priority, nullable=False),
    "due": Own(value=_entries.due_at),
    "entry_tries": Own(value=_entries.tries, nullable=False),
}

_CONTACT: Final[Mapping[str, Place]] = {
    "id": Own(value=_contacts.id, nullable=False),
    "name": Own(value=_contacts.name, nullable=False),
    "number": Among(table=tables.numbers, link=_numbers.contact_id, value=_numbers.e164),
    "owner": Own(value=_contacts.owner_agent_id),
    "stage": Own(value=_contacts.stage),
    "tag": Among(table=tables.contact_tags, link=_tags.contact_id, value=_tags.tag),
    "zone": Own(value=ZONE),
    "consent": Own(value=_contacts.consent),
    "score": Own(value=_contacts.score),
    "crm_ref": Own(value=_contacts.crm_ref),
    "crm_customer": Own(value=_contacts.crm_customer),
    "crm_contact": Own(value=_contacts.crm_contact),
    "crm_deal": Own(value=_contacts.crm_deal),
    "created": Own(value=_contacts.created_at, nullable=False),
    "changed": Own(value=_contacts.changed_at),
    "import": Own(value=_contacts.import_id),
    "stopped": Own(value=_contacts.stopped_at),
    "next_follow_up": Own(value=_contacts.next_follow_up_at),
    "callback": Among(
        table=_open_callbacks, link=_open_callbacks.c.contact_id, value=_open_callbacks.c.due_at
    ),
    "owner_since": Own(value=_contacts.owner_since),
    "returned": Own(value=_contacts.returned_at),
    "failures": Own(value=_contacts.failures, nullable=False),
    "tries": Own(
        value=_of_contact(
            select(func.count()).select_from(_tries).where(_tries.c.contact_id == _contacts.id)
        ),
        nullable=False,
    ),
    "last_call": Own(
        value=_of_contact(select(func.max(_last.c.placed_at)).where(_last.c.contact_id == _contacts.id))
    ),
    "last_talk": Own(value=_contacts.last_talk_at),
    "last_outcome": Own(
        value=_of_contact(
            select(_last_call.c.outcome)
            .where(_last_call.c.contact_id == _contacts.id)
            .order_by(_last_call.c.id.desc())
            .limit(1)
        )
    ),
    "last_disposition": Own(
        value=_of_contact(
            select(_last_verdict.c.disposition)
            .where(_last_verdict.c.contact_id == _contacts.id, _last_verdict.c.disposition.is_not(None))
            .order_by(_last_verdict.c.id.desc())
            .limit(1)
        )
    ),
    **{
        name: Among(table=tables.list_entries, link=_entries.contact_id, value=own.value)
        for name, own in _ENTRY_COLUMNS.items()
    },
}

_recordings = tables.recordings.alias("the_recording")
_legs, _names = tables.legs.alias("stays"), tables.contacts.alias("called")


def _of_call(question: Any) -> ScalarSelect[Any]:
    return question.correlate(tables.calls).scalar_subquery()  # type: ignore[no-any-return]


def _recorded(column: str) -> ColumnElement[Any]:
    return _of_call(select(_recordings.c[column]).where(_recordings.c.call_id == _calls.id))


_TALKED: Final = func.coalesce(
    _of_call(
        select(
            func.sum(
                microseconds(func.coalesce(_legs.c.ended_at, _calls.ended_at))
                - microseconds(_legs.c.began_at)
            )
        ).where(_legs.c.call_id == _calls.id, _legs.c.kind == AGENT)
    ),
    0,
)

_CALL: Final[Mapping[str, Place]] = {
    **{
        name: Own(value=_calls[column])
        for name, column in {
            "id": "id",
            "state": "state",
            "outcome": "outcome",
            "contact_id": "contact_id",
            "campaign": "campaign_id",
            "list": "list_id",
            "agent": "agent_id",
            "owner": "owner_agent_id",
            "disposition": "disposition",
            "note": "note",
            "placed": "placed_at",
            "dialing": "dialing_at",
            "ringing": "ringing_at",
            "answered": "answered_at",
            "waiting": "waiting_at",
            "connected": "connected_at",
            "dropped": "dropped_at",
            "message_played": "message_played_at",
            "ended": "ended_at",
            "disposed": "disposed_at",
            "end_reason": "end_reason",
            "ended_by": "ended_by",
            "cause": "cause",
            "cause_text": "cause_text",
            "sip_code": "sip_code",
            "mode": "mode",
            "caller_id": "caller_id",
            "answer_chance": "answer_chance",
            "why": "why",
            "answered_by": "answered_by",
            "detected": "detected_at",
            "detection": "detection",
            "voicemail": "voicemail_at",
            "node": "node",
            "trunk": "trunk",
            "channel": "channel",
            "crm_ref": "crm_ref",
            "number_id": "number_id",
            "try_number": "try_number",
            "ring_seconds": "ring_seconds",
            "grace_seconds": "grace_seconds",
        }.items()
    },
    "number": Own(value=_calls.number, nullable=False, turned=_calls.reversed_number),
    "contact_name": Own(value=_of_call(select(_names.c.name).where(_names.c.id == _calls.contact_id))),
    "wait_seconds": Own(value=between(_calls.connected_at, _calls.answered_at), scale=A_SECOND),
    "talk_seconds": Own(value=_TALKED, nullable=False, scale=A_SECOND),
    "total_seconds": Own(value=between(_calls.ended_at, _calls.placed_at), scale=A_SECOND),
    "recording": Own(value=_recorded("path")),
    "recording_seconds": Own(value=_recorded("seconds")),
    "recording_bytes": Own(value=_recorded("size_bytes")),
    "recording_problem": Own(value=_recorded("problem")),
}

PLACES: Final[Mapping[Scope, Mapping[str, Place]]] = {
    Scope.CONTACT: _CONTACT,
    Scope.ENTRY: _ENTRY_COLUMNS,
    Scope.CALL: _CALL,
}

ID: Final[Mapping[Scope, ColumnElement[Any]]] = {
    Scope.CONTACT: _contacts.id,
    Scope.ENTRY: _entries.id,
    Scope.CALL: _calls.id,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How rows of one scope belong to rows of another."""

    mine: ColumnElement[Any]
    """Column of the outer row."""
    theirs: ColumnElement[Any]
    """Column of the inner row that is equal to it."""
    nullable: bool = False
    """`mine` may be NULL."""


LINKS: Final[Mapping[tuple[Scope, Scope], Link]] = {
    (Scope.CONTACT, Scope.ENTRY): Link(mine=_contacts.id, theirs=_entries.contact_id),
    (Scope.CONTACT, Scope.CALL): Link(mine=_contacts.id, theirs=_calls.contact_id),
    (Scope.CALL, Scope.CONTACT): Link(mine=_calls.contact_id, theirs=_contacts.id, nullable=True),
}
TABLES: Final[Mapping[Scope, FromClause]] = {
    Scope.CONTACT: tables.contacts,
    Scope.ENTRY: tables.list_entries,
    Scope.CALL: tables.calls,
}
