"""Takes records of a CRM into a campaign's list, within a transaction that is open: contacts, entries, what is kept."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.changes import change_record
from cti.contacts.crm_cases import (
    Case,
    consent_of,
    decide,
    listings_of,
    memory_values,
    owner_moved,
    owner_terms,
    speaker,
    told_of,
    wishes_of,
    without_consent,
)
from cti.contacts.doubles import Change
from cti.model.crm_pulls import PullRules
from cti.ownership.judging import judged
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.contact_writes import Into, Joining, add_contacts, add_entries, change_contacts
from cti.storage.owner_rows import agents_by_login, lock_contacts, lock_takers, write_moves
from cti.storage.pull_leaving import come_back, leave, wake
from cti.storage.sql_consents import record_consents
from cti.storage.sql_do_not_call import add_listings

_DEAL: Final = (
    update(tables.contacts)
    .where(tables.contacts.c.id == bindparam("contact"))
    .values(deal=bindparam("new_deal", type_=tables.contacts.c.deal.type))
)
_KEPT: Final = tuple(column.name for column in tables.crm_records.c if column.name not in ("pull", "ref"))


class RecordWriter:
    """Writes one answer of a CRM."""

    def __init__(
        self, connections: Connections, connection: AsyncConnection, rules: PullRules, into: Into
    ) -> None:
        self._connections = connections
        self._connection = connection
        self._rules = rules
        self._into = into
        self._at = into.at
        self._by = speaker(rules)
        self.counts: Counter[str] = Counter()

    async def write(self, cases: Sequence[Case]) -> None:
        """Bring contacts, entries, owners and lists in step with the records, then remember what they said."""
        for case in cases:
            decide(case, at=self._at, source=self._by, counts=self.counts)
        await self._contacts(cases)
        await self._entries(cases)
        if self._rules.owners:
            await self._owners(cases)
        await self._opted_out(cases)
        await self._history(cases)
        await wake(self._connection, [case.entry_id for case in cases if case.entry_id is not None])
        await self._remember(cases)

    async def _contacts(self, cases: Sequence[Case]) -> None:
        new = [(case, case.after) for case in cases if case.known is None and case.after is not None]
        ids = await add_contacts(
            self._connections, self._connection, [contact for _, contact in new], self._into
        )
        for (case, _), contact_id in zip(new, ids, strict=True):
            case.contact_id = contact_id
        changed = [
            Change(known=case.known, after=without_consent(case.after, case.known.contact))
            for case in cases
            if case.changes and case.known is not None and case.after is not None
        ]
        await change_contacts(self._connections, self._connection, changed, at=self._at)
        said = [one for case in cases if (one := consent_of(case, at=self._at, source=self._by)) is not None]
        if said:
            await record_consents(self._connections, self._connection, said, by=self._by, at=self._at)
        deals = [
            {"contact": case.contact_id, "new_deal": case.heard.said.get("deal")}
            for case in cases
            if case.deal_moved and case.contact_id is not None
        ]
        if deals:
            await self._connection.execute(_DEAL, deals)

    async def _entries(self, cases: Sequence[Case]) -> None:
        joining = [case for case in cases if case.joins]
        wanted = [
            Joining(
                contact_id=case.contact_id,
                contact=case.after,
                owner_agent_id=case.known.owner_agent_id if case.known else None,
            )
            for case in joining
            if case.contact_id is not None and case.after is not None
        ]
        ids = await add_entries(self._connections, self._connection, wanted, self._into)
        for case, entry_id in zip(joining, ids, strict=True):
            case.entry_id = entry_id
        await leave(self._connection, cases, target=self._rules.target, at=self._at)
        await come_back(self._connection, cases)

    async def _owners(self, cases: Sequence[Case]) -> None:
        if not any(owner_moved(case) for case in cases):
            return
        wishes = wishes_of(cases, await agents_by_login(self._connection), self.counts)
        if not wishes:
            return
        takers = await lock_takers(self._connection, wishes)
        held, missing = await lock_contacts(
            self._connection, [wish.contact_id for wish in wishes], wait=True, since=None
        )
        terms = owner_terms(self._rules, self._at)
        done = judged(wishes, terms=terms, held=held, takers=takers, missing=missing)
        await write_moves(self._connection, done.moves)
        self.counts["owner_refused"] += len(done.refused)

    async def _opted_out(self, cases: Sequence[Case]) -> None:
        listings = listings_of(cases)
        if listings:
            self.counts["opted_out"] += await add_listings(
                self._connections, self._connection, listings, by=self._by, at=self._at
            )

    async def _history(self, cases: Sequence[Case]) -> None:
        rows = [
            {
                "contact_id": case.contact_id,
                "at": self._at,
                "by": self._by,
                "kind": "crm",
                "bulk_id": None,
                "change": change_record(told),
            }
            for case in cases
            if case.contact_id is not None and (told := told_of(case))
        ]
        if rows:
            await self._connection.execute(insert(tables.contact_changes), rows)

    async def _remember(self, cases: Sequence[Case]) -> None:
        rows = [memory_values(case, self._rules, at=self._at) for case in cases]
        rows.sort(key=lambda row: str(row["ref"]))  # one order, so that no two writers deadlock
        if not rows:
            return
        new = self._connections.insert(tables.crm_records)
        statement = new.on_conflict_do_update(
            index_elements=[tables.crm_records.c.pull, tables.crm_records.c.ref],
            set_={name: new.excluded[name] for name in _KEPT},
        )
        await self._connection.execute(statement, rows)
