"""`ComplianceStore` on the database: facts of a batch for the gate, in a few statements that indexes answer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.compliance.facts import Facts, Listed, Wanted
from cti.compliance.listings import EVERY_CAMPAIGN, keys_of
from cti.model.calls import EndReason, Outcome
from cti.model.contacts import Candidate, EntryState
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.queue_rows import candidates
from cti.storage.uninterrupted import to_the_end

NUMBERS_AT_ONCE: Final = 500
"""Candidates of one round of statements; their keys stay within what a statement may hold."""
KEYS_AT_ONCE: Final = 8_000
"""Far below the 32,766 values that a statement may have on both databases."""

_attempts, _contacts = tables.attempts.c, tables.contacts.c
_SENT: Final = or_(_attempts.end_reason.is_(None), _attempts.end_reason != EndReason.NOT_SENT.value)
"""Of an order that never left nobody heard anything."""
_CONTACTS: Final = select(_contacts.id, _contacts.zone, _contacts.consent, _contacts.stopped_at).where(
    _contacts.id.in_(bindparam("contacts", expanding=True))
)
_AT_NUMBERS: Final = (
    select(_attempts.e164, _attempts.placed_at, _attempts.ended_at, _attempts.outcome)
    .where(
        _attempts.e164.in_(bindparam("numbers", expanding=True)),
        _attempts.placed_at > bindparam("since"),
        _SENT,
    )
    .order_by(_attempts.placed_at.desc())
)
_AT_CONTACTS: Final = (
    select(_attempts.contact_id, _attempts.placed_at)
    .where(
        _attempts.contact_id.in_(bindparam("contacts", expanding=True)),
        _attempts.placed_at > bindparam("since"),
        _SENT,
    )
    .order_by(_attempts.placed_at.desc())
)
_TOTALS: Final = (
    select(_attempts.contact_id, func.count())
    .where(
        _attempts.contact_id.in_(bindparam("contacts", expanding=True)),
        _attempts.campaign_id == bindparam("campaign"),
        _SENT,
    )
    .group_by(_attempts.contact_id)
)
_own, _registers, _registered = tables.do_not_call.c, tables.registers.c, tables.register_numbers.c
_LISTED: Final = select(_own.key, _own.campaign_key, _own.reason, _own.until).where(
    _own.key.in_(bindparam("keys", expanding=True)),
    _own.campaign_key.in_([EVERY_CAMPAIGN, bindparam("campaign")]),
    or_(_own.until.is_(None), _own.until > bindparam("now")),
)
_REGISTERED: Final = (
    select(_registered.key, _registers.name, _registers.as_of)
    .join_from(tables.registers, tables.register_numbers, _registered.register_id == _registers.id)
    .where(tables.current_only, _registered.key.in_(bindparam("keys", expanding=True)))
    .order_by(_registers.name)
)
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
        async with self._connections.reading() as connection:
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
    totals: Mapping[int, int] = field(default_factory=dict)
    listed: dict[str, list[Listed]] = field(default_factory=lambda: defaultdict(list))

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
            attempts_total=self.totals.get(candidate.contact_id, 0),
        )

    def _listed(self, number: str) -> tuple[Listed, ...]:
        return tuple(entry for key in keys_of(number) for entry in self.listed.get(key, ()))


async def _known(connection: AsyncConnection, bite: Sequence[Candidate], wanted: Wanted) -> _Known:
    known = _Known()
    ids = list({candidate.contact_id for candidate in bite})
    numbers = list({candidate.number for candidate in bite})
    rows = (await connection.execute(_CONTACTS, {"contacts": ids})).all()
    known.contacts = {row.id: row for row in rows}
    if wanted.numbers_since is not None:
        asked = {"numbers": numbers, "since": wanted.numbers_since}
        for e164, placed_at, ended_at, outcome in await connection.execute(_AT_NUMBERS, asked):
            known.at_numbers[e164].append(placed_at)
            if outcome == Outcome.DROPPED.value:
                last = ended_at or placed_at
                known.drops[e164] = max(last, known.drops.get(e164, last))
    if wanted.contacts_since is not None:
        asked = {"contacts": ids, "since": wanted.contacts_since}
        for contact_id, placed_at in await connection.execute(_AT_CONTACTS, asked):
            known.at_contacts[contact_id].append(placed_at)
    if wanted.totals:
        counted = await connection.execute(_TOTALS, {"contacts": ids, "campaign": wanted.campaign_id})
        known.totals = {row[0]: row[1] for row in counted}
    await _read_lists(connection, known, numbers, wanted)
    return known


async def _read_lists(
    connection: AsyncConnection, known: _Known, numbers: Iterable[str], wanted: Wanted
) -> None:
    keys = iter({key for number in numbers for key in keys_of(number)})
    while bite := list(islice(keys, KEYS_AT_ONCE)):
        asked = {"keys": bite, "campaign": wanted.campaign_id, "now": wanted.now}
        for row in await connection.execute(_LISTED, asked):
            known.listed[row.key].append(_own_entry(row))
        for key, name, as_of in await connection.execute(_REGISTERED, {"keys": bite}):
            where = f"register {name} of {as_of}"
            known.listed[key].append(Listed(key=key, where=where, is_register=True))


def _own_entry(row: Any) -> Listed:
    own = row.campaign_key != EVERY_CAMPAIGN
    where = "do-not-call list of this campaign" if own else "do-not-call list"
    return Listed(key=row.key, where=where, reason=row.reason, until=row.until)
