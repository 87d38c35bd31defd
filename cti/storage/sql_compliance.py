"""`ComplianceStore` on the database: facts of a batch for the gate, in a statement that indexes answer."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import bindparam

from cti.compliance.facts import Facts, Listed, Wanted
from cti.compliance.listings import EVERY_CAMPAIGN, STAR
from cti.model.calls import Outcome
from cti.model.contacts import Candidate, EntryState
from cti.storage import gate_rows, tables
from cti.storage.connections import Connections
from cti.storage.gate_rows import Kind
from cti.storage.queue_rows import candidates
from cti.storage.uninterrupted import to_the_end

NUMBERS_AT_ONCE: Final = 500
"""Candidates of one statement; their keys stay within what it may hold."""

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
        question = gate_rows.question(gate_rows.asked_for(wanted))
        # of several bites each sees its own state: what changes in between can only make the answer stricter
        async with self._connections.glancing() as connection:
            while bite := list(islice(rest, NUMBERS_AT_ONCE)):
                known = _Known()
                for row in await connection.execute(question, gate_rows.values(bite, wanted)):
                    known.note(row, wanted.campaign_id)
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
    """What the statement of one bite brought, by contact and by number."""

    contacts: dict[int, Any] = field(default_factory=dict)
    at_numbers: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    drops: dict[str, datetime] = field(default_factory=dict)
    at_contacts: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    totals: Counter[int] = field(default_factory=Counter)
    listed: dict[str, list[Listed]] = field(default_factory=lambda: defaultdict(list))
    lengths: set[int] = field(default_factory=set)
    """Of the beginnings among `listed`, in characters of the number: few or none, while a number has a dozen."""

    def note(self, row: Any, campaign_id: int) -> None:
        """Take in a row of the answer."""
        match row.kind:
            case Kind.CONTACT:
                self.contacts[row.contact_id] = row
            case Kind.AT_NUMBER:
                self.at_numbers[row.key].append(row.at)
                if row.word == Outcome.DROPPED.value:
                    last = row.ended_at or row.at
                    self.drops[row.key] = max(last, self.drops.get(row.key, last))
            case Kind.AT_CONTACT:
                self.at_contacts[row.contact_id].append(row.at)
            case Kind.IN_ALL:
                self.totals[row.contact_id] += row.campaign_id == campaign_id
            case _:
                self.listed[row.key].append(_listed(row))
                if row.key.endswith(STAR):
                    self.lengths.add(len(row.key) - len(STAR))

    def facts(self, candidate: Candidate) -> Facts:
        contact = self.contacts.get(candidate.contact_id)
        number = candidate.number
        return Facts(
            zone=(contact.place or "") if contact else "",
            consent=contact.word if contact else None,
            stopped_at=contact.at if contact else None,
            listed=self._listed(number) if self.listed else (),
            number_attempts=_newest_first(self.at_numbers.get(number, ())),
            last_drop_at=self.drops.get(number),
            contact_attempts=_newest_first(self.at_contacts.get(candidate.contact_id, ())),
            attempts_total=self.totals[candidate.contact_id],
        )

    def _listed(self, number: str) -> tuple[Listed, ...]:
        beginnings = (number[:length] + STAR for length in sorted(self.lengths) if length <= len(number))
        return tuple(entry for key in (number, *beginnings) for entry in self.listed.get(key, ()))


def _newest_first(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(sorted(moments, reverse=True))


def _listed(row: Any) -> Listed:
    if row.kind == Kind.REGISTERED:
        return Listed(key=row.key, where=f"register {row.place} of {row.word}", is_register=True)
    own = row.campaign_id != EVERY_CAMPAIGN
    where = "do-not-call list of this campaign" if own else "do-not-call list"
    return Listed(key=row.key, where=where, reason=row.word, until=row.at)
