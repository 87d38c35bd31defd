"""What the compliance gate asks of the database: every fact of a batch in one statement, so in one trip.

Each part gives one kind of fact by a look-up in an index. The parts have their columns in common, of which each uses
its own: `Kind` says which.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.types import TypeEngine

from cti.compliance.facts import Wanted
from cti.compliance.listings import EVERY_CAMPAIGN, keys_of
from cti.model.calls import EndReason
from cti.model.contacts import Candidate
from cti.storage import tables
from cti.storage.column_types import RowId, UtcTime
from cti.storage.portable import one_of

_contacts, _attempts, _own = tables.contacts.c, tables.attempts.c, tables.do_not_call.c
_registers, _registered = tables.registers.c, tables.register_numbers.c


class Kind(StrEnum):
    """What a row tells."""

    CONTACT = "contact"
    """`contact_id`; `at`: since when he is stopped; `word`: his consent; `place`: his zone."""
    AT_NUMBER = "at_number"
    """An attempt at a number: `key`, `at`, `ended_at`; `word`: its outcome."""
    AT_CONTACT = "at_contact"
    """An attempt at a contact: `contact_id`, `at`."""
    IN_ALL = "in_all"
    """An attempt at a contact, whenever: `contact_id`, `campaign_id`."""
    LISTED = "listed"
    """An own entry: `key`, `campaign_id` (0: of all); `at`: until when; `word`: why."""
    REGISTERED = "registered"
    """An entry of a register: `key`; `word`: the date that the register is of; `place`: its name."""


_COLUMNS: Final[Mapping[str, TypeEngine[Any]]] = {
    "contact_id": RowId,
    "key": String(),
    "campaign_id": RowId,
    "at": UtcTime(),
    "ended_at": UtcTime(),
    "word": String(),
    "place": String(),
}
_SENT: Final = or_(_attempts.end_reason.is_(None), _attempts.end_reason != EndReason.NOT_SENT.value)
"""Of an order that never left nobody heard anything."""


def _part(kind: Kind, **given: ColumnElement[Any]) -> Select[Any]:
    columns = (given.get(name, cast(null(), type_)).label(name) for name, type_ in _COLUMNS.items())
    return select(literal(kind.value).label("kind"), *columns)


_PARTS: Final[Mapping[Kind, Select[Any]]] = {
    Kind.CONTACT: _part(
        Kind.CONTACT,
        contact_id=_contacts.id,
        at=_contacts.stopped_at,
        word=_contacts.consent,
        place=_contacts.zone,
    ).where(one_of(_contacts.id, "contacts")),
    Kind.AT_NUMBER: _part(
        Kind.AT_NUMBER,
        key=_attempts.e164,
        at=_attempts.placed_at,
        ended_at=_attempts.ended_at,
        word=_attempts.outcome,
    ).where(one_of(_attempts.e164, "numbers"), _attempts.placed_at > bindparam("numbers_since"), _SENT),
    Kind.AT_CONTACT: _part(Kind.AT_CONTACT, contact_id=_attempts.contact_id, at=_attempts.placed_at).where(
        one_of(_attempts.contact_id, "contacts"), _attempts.placed_at > bindparam("contacts_since"), _SENT
    ),
    # of which campaign is sorted out later: a condition would tempt SQLite to read that campaign's index through
    Kind.IN_ALL: _part(Kind.IN_ALL, contact_id=_attempts.contact_id, campaign_id=_attempts.campaign_id).where(
        one_of(_attempts.contact_id, "contacts"), _SENT
    ),
    Kind.LISTED: _part(
        Kind.LISTED, key=_own.key, campaign_id=_own.campaign_key, at=_own.until, word=_own.reason
    ).where(
        one_of(_own.key, "keys"),
        _own.campaign_key.in_([EVERY_CAMPAIGN, bindparam("campaign")]),
        or_(_own.until.is_(None), _own.until > bindparam("now")),
    ),
    Kind.REGISTERED: _part(Kind.REGISTERED, key=_registered.key, word=_registers.as_of, place=_registers.name)
    .join_from(tables.registers, tables.register_numbers, _registered.register_id == _registers.id)
    .where(tables.current_only, one_of(_registered.key, "keys")),
}


def asked_for(wanted: Wanted) -> tuple[Kind, ...]:
    """Return which kinds any rule looks at."""
    optional = {
        Kind.AT_NUMBER: wanted.numbers_since is not None,
        Kind.AT_CONTACT: wanted.contacts_since is not None,
        Kind.IN_ALL: wanted.totals,
    }
    return tuple(kind for kind in Kind if optional.get(kind, True))


@cache
def question(kinds: tuple[Kind, ...]) -> CompoundSelect[Any]:
    """Return the question for these kinds; asked with `values`."""
    return union_all(*(_PARTS[kind] for kind in kinds))


def values(bite: Sequence[Candidate], wanted: Wanted) -> dict[str, Any]:
    """Return what `question` is asked with about some candidates."""
    numbers = {candidate.number for candidate in bite}
    return {
        "contacts": list({candidate.contact_id for candidate in bite}),
        "numbers": list(numbers),
        "keys": list({key for number in numbers for key in keys_of(number)}),
        "numbers_since": wanted.numbers_since,
        "contacts_since": wanted.contacts_since,
        "campaign": wanted.campaign_id,
        "now": wanted.now,
    }
