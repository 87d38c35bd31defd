"""`ComplianceStore` on the database: facts of a batch for the gate, in a few statements that indexes answer."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import (
    CompoundSelect,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.compliance.facts import Facts, Listed, Wanted
from cti.compliance.listings import EVERY_CAMPAIGN, STAR, keys_of
from cti.model.calls import EndReason, Outcome
from cti.model.contacts import Candidate, EntryState
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.portable import one_of
from cti.storage.queue_rows import candidates
from cti.storage.uninterrupted import to_the_end

NUMBERS_AT_ONCE: Final = 500
"""Candidates of one round of statements; their keys stay within what a statement may hold."""

_attempts, _contacts = tables.attempts.c, tables.contacts.c
_SENT: Final = or_(_attempts.end_reason.is_(None), _attempts.end_reason != EndReason.NOT_SENT.value)
"""Of an order that never left nobody heard anything."""
_CONTACTS: Final = select(_contacts.id, _contacts.zone, _contacts.consent, _contacts.stopped_at).where(
    one_of(_contacts.id, "contacts")
)
_TRIES: Final = {
    "number": and_(
        one_of(_attempts.e164, "numbers"),
        _attempts.placed_at > bindparam("numbers_since"),
    ),
    "contact": and_(
        one_of(_attempts.contact_id, "contacts"),
        _attempts.placed_at > bindparam("contacts_since"),
    ),
    # of which campaign is sorted out here: a condition would tempt SQLite to read that campaign's index through
    "total": one_of(_attempts.contact_id, "contacts"),
}
"""Which attempts each kind of fact is made of; each kind is one look-up in an index."""


@cache
def tries(kinds: tuple[str, ...]) -> CompoundSelect[Any]:
    """Return the question for these kinds of attempts: one statement, so one trip to the database."""
    return union_all(
        *(
            select(
                literal(kind).label("kind"),
                _attempts.e164,
                _attempts.contact_id,
                _attempts.campaign_id,
                _attempts.placed_at,
                _attempts.ended_at,
                _attempts.outcome,
            ).where(_TRIES[kind], _SENT)
            for kind in kinds
        )
    )


_own, _registers, _registered = tables.do_not_call.c, tables.registers.c, tables.register_numbers.c
_LISTED: Final = union_all(
    select(
        _own.key,
        _own.campaign_key,
        literal("").label("register"),
        _own.reason,
        _own.until,
    ).where(
        one_of(_own.key, "keys"),
        _own.campaign_key.in_([EVERY_CAMPAIGN, bindparam("campaign")]),
        or_(_own.until.is_(None), _own.until > bindparam("now")),
    ),
    select(
        _registered.key,
        literal(EVERY_CAMPAIGN).label("campaign_key"),
        _registers.name.label("register"),
        _registers.as_of.label("reason"),
        cast(null(), _own.until.type).label("until"),
    )
    .join_from(tables.registers, tables.register_numbers, _registered.register_id == _registers.id)
    .where(tables.current_only, one_of(_registered.key, "keys")),
)
"""Own entries, and registers (`reason`: the date that one is of)."""
_entries = tables.list_entries.c
_ENTRIES: Final = (
    candidates()
    .where(
        _entries.campaign_id == bindparam("campaign"),
        _entries.state == bindparam("state"),
        _entries.id > bindparam("after"),
    )
    .order_by(_entries.id)
    .limit(bindparam("at_most"))
)


class SqlCompliance:
    """Reads what the compliance gate must know."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def facts(self, asked: Sequence[Candidate], wanted: Wanted) -> list[Facts]:
        """See the port."""
        found: list[Facts] = []
        rest = iter(asked)
        # not one state for all statements: what changes in between can only make the answer stricter
        async with self._connections.glancing() as connection:
            while bite := list(islice(rest, NUMBERS_AT_ONCE)):
                known = await _known(connection, bite, wanted)
                found.extend(known.facts(candidate) for candidate in bite)
        return found

    @to_the_end
    async def entries(
        self, campaign_id: int, state: EntryState, *, after: int = 0, limit: int, list_id: int | None = None
    ) -> list[Candidate]:
        """See the port."""
        question = _ENTRIES if list_id is None else _ENTRIES.where(_entries.list_id == list_id)
        asked = {"campaign": campaign_id, "state": state.value, "after": after, "at_most": limit}
        async with self._connections.reading() as connection:
            return [Candidate(**row) for row in (await connection.execute(question, asked)).mappings()]


@dataclass(slots=True)
class _Known:
    """What the statements of one bite brought, by contact and by number."""

    contacts: Mapping[int, Any] = field(default_factory=dict)
    at_numbers: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    drops: dict[str, datetime] = field(default_factory=dict)
    at_contacts: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    totals: Counter[int] = field(default_factory=Counter)
    listed: dict[str, list[Listed]] = field(default_factory=lambda: defaultdict(list))
    lengths: set[int] = field(default_factory=set)
    """Of the beginnings among `listed`, in characters of the number: few or none, while a number has a dozen."""

    def note(self, row: Any) -> None:
        """Take in an attempt; they come newest first."""
        match row.kind:
            case "number":
                self.at_numbers[row.e164].append(row.placed_at)
                if row.outcome == Outcome.DROPPED.value:
                    last = row.ended_at or row.placed_at
                    self.drops[row.e164] = max(last, self.drops.get(row.e164, last))
            case "contact":
                self.at_contacts[row.contact_id].append(row.placed_at)
            case _:
                self.totals[row.contact_id] += 1

    def facts(self, candidate: Candidate) -> Facts:
        contact = self.contacts.get(candidate.contact_id)
        number = candidate.number
        return Facts(
            zone=(contact.zone or "") if contact else "",
            consent=contact.consent if contact else None,
            stopped_at=contact.stopped_at if contact else None,
            listed=self._listed(number) if self.listed else (),
            number_attempts=tuple(self.at_numbers.get(number, ())),
            last_drop_at=self.drops.get(number),
            contact_attempts=tuple(self.at_contacts.get(candidate.contact_id, ())),
            attempts_total=self.totals[candidate.contact_id],
        )

    def _listed(self, number: str) -> tuple[Listed, ...]:
        beginnings = (number[:length] + STAR for length in sorted(self.lengths) if length <= len(number))
        return tuple(entry for key in (number, *beginnings) for entry in self.listed.get(key, ()))


async def _known(connection: AsyncConnection, bite: Sequence[Candidate], wanted: Wanted) -> _Known:
    known = _Known()
    ids = list({candidate.contact_id for candidate in bite})
    numbers = list({candidate.number for candidate in bite})
    rows = (await connection.execute(_CONTACTS, {"contacts": ids})).all()
    known.contacts = {row.id: row for row in rows}
    await _read_attempts(connection, known, ids, numbers, wanted)
    await _read_lists(connection, known, numbers, wanted)
    return known


async def _read_attempts(
    connection: AsyncConnection, known: _Known, ids: Sequence[int], numbers: Sequence[str], wanted: Wanted
) -> None:
    asked = {
        "number": wanted.numbers_since is not None,
        "contact": wanted.contacts_since is not None,
        "total": wanted.totals,
    }
    kinds = tuple(kind for kind, is_asked in asked.items() if is_asked)
    if not kinds:
        return
    values = {
        "numbers": numbers,
        "contacts": ids,
        "numbers_since": wanted.numbers_since,
        "contacts_since": wanted.contacts_since,
    }
    rows = (await connection.execute(tries(kinds), values)).all()
    for row in sorted(rows, key=lambda row: row.placed_at, reverse=True):
        if row.kind != "total" or row.campaign_id == wanted.campaign_id:
            known.note(row)


async def _read_lists(
    connection: AsyncConnection, known: _Known, numbers: Iterable[str], wanted: Wanted
) -> None:
    keys = list({key for number in numbers for key in keys_of(number)})
    asked = {"keys": keys, "campaign": wanted.campaign_id, "now": wanted.now}
    for row in await connection.execute(_LISTED, asked):
        known.listed[row.key].append(_entry(row))
        if row.key.endswith(STAR):
            known.lengths.add(len(row.key) - len(STAR))


def _entry(row: Any) -> Listed:
    if row.register:
        return Listed(key=row.key, where=f"register {row.register} of {row.reason}", is_register=True)
    own = row.campaign_key != EVERY_CAMPAIGN
    where = "do-not-call list of this campaign" if own else "do-not-call list"
    return Listed(key=row.key, where=where, reason=row.reason, until=row.until)
