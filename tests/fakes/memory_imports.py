"""`ImportStore` and `LeadStore` in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cti.contacts.doubles import Known, Plan, counted, entry_zone, keys_of, planned
from cti.contacts.ranking import rank
from cti.contacts.staging import Bite
from cti.errors import Conflict, NotFound
from cti.model.campaign_rules import Order
from cti.model.contacts import EntryState, NewContact
from cti.model.doubles import DoubleRule, Doubles, DoubleScope
from cti.model.imports import (
    UNFINISHED,
    Import,
    ImportCounts,
    ImportOrder,
    ImportState,
    Lead,
    LeadTaken,
    ReadFile,
    Refusal,
    StagedRow,
    UndoCounts,
)
from tests.fakes.memory_tables import Entry, MemoryTables, StoredList


@dataclass
class _Made:
    """What one import has written."""

    contacts: list[int]
    entries: list[int]
    before: dict[int, NewContact]
    after: dict[int, NewContact]


class MemoryImports:
    """Imports in dictionaries."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables
        self._imports: dict[int, Import] = {}
        self._made: dict[int, _Made] = {}
        self._refusals: dict[int, list[Refusal]] = {}
        self._keys: dict[tuple[int, str], LeadTaken] = {}

    async def add_import(self, order: ImportOrder, *, file: str, size_bytes: int, at: datetime) -> Import:
        self._must_take(order)
        new = Import(
            id=self._tables.new_id(),
            order=order,
            file=file,
            size_bytes=size_bytes,
            state=ImportState.WAITING,
            created_at=at,
        )
        self._imports[new.id], self._refusals[new.id] = new, []
        self._made[new.id] = _Made([], [], {}, {})
        return new

    async def get_import(self, import_id: int) -> Import:
        if import_id not in self._imports:
            raise NotFound(f"there is no import {import_id}")
        return self._imports[import_id]

    async def imports(
        self, *, campaign_id: int | None = None, before_id: int | None = None, limit: int = 50
    ) -> list[Import]:
        return [
            one
            for one in sorted(self._imports.values(), key=lambda one: -one.id)
            if campaign_id in (None, one.order.campaign_id) and (before_id is None or one.id < before_id)
        ][:limit]

    async def unfinished(self) -> list[Import]:
        return [one for one in self._imports.values() if one.state in UNFINISHED]

    async def begin_reading(self, import_id: int) -> Import:
        return self._set(import_id, state=ImportState.READING)

    async def begin_writing(self, import_id: int, read: ReadFile, *, at: datetime) -> Import:
        order = (await self.get_import(import_id)).order
        self._must_take(order)
        list_id = self._tables.new_id()
        self._tables.lists[list_id] = StoredList(
            campaign_id=order.campaign_id, name=order.name, source=order.source, refused=(), created_at=at
        )
        return self._set(import_id, state=ImportState.WRITING, read=read, list_id=list_id)

    async def write(self, now: Import, bite: Bite, *, order: Order, at: datetime) -> Import:
        stored = self._imports[now.id]
        if (stored.state, stored.position) != (ImportState.WRITING, now.position):
            raise Conflict(f"import {now.id} has moved on meanwhile")
        plan, made = self._planned(now, bite), self._made[now.id]
        for contact in plan.added:
            made.contacts.append(self._add_contact(contact))
            made.entries.append(self._add_entry(now, made.contacts[-1], contact, contact.priority, order))
        for change in plan.changes.values():
            made.before.setdefault(change.known.id, change.known.contact)
            made.after[change.known.id] = change.after
            self._change(change.known.id, change.after)
        for change in plan.joining:
            made.entries.append(self._add_entry(now, change.known.id, change.after, change.priority, order))
        self._refuse(now.id, bite, plan)
        counts = counted(now.counts, plan, now.order.doubles, bite.refused)
        rows = now.rows_done + len(bite.rows)
        return self._set(now.id, position=bite.end, rows_done=rows, counts=counts)

    async def look(self, now: Import, bite: Bite) -> Plan:
        return self._planned(now, bite)

    async def finish(
        self,
        import_id: int,
        *,
        at: datetime,
        counts: ImportCounts | None = None,
        samples: Sequence[Mapping[str, object]] = (),
        read: ReadFile | None = None,
    ) -> Import:
        now = self._imports[import_id]
        return self._set(
            import_id,
            state=ImportState.DONE,
            finished_at=at,
            counts=counts or now.counts,
            samples=tuple(samples),
            read=read or now.read,
        )

    async def add_refusals(self, import_id: int, bite: Bite) -> None:
        self._refuse(import_id, bite, Plan())

    async def fail(self, import_id: int, error: str, *, at: datetime) -> Import:
        return self._set(import_id, state=ImportState.FAILED, error=error, finished_at=at)

    async def begin_undo(self, import_id: int, *, by: str, at: datetime, error: str | None = None) -> Import:
        now = await self.get_import(import_id)
        wanted = ImportState.WRITING if error else ImportState.DONE
        if now.state is not wanted or now.order.dry_run:
            what = "was a dry run" if now.order.dry_run else f"is {now.state.value}"
            raise Conflict(f"import {import_id} {what}: only what is done can be undone")
        return self._set(
            import_id,
            state=ImportState.UNDOING,
            undone_by=by,
            undone_at=at,
            error=error,
            undo=UndoCounts(),
        )

    async def undo_bite(self, import_id: int, *, at: datetime) -> Import:
        now, made = self._imports[import_id], self._made[import_id]
        put_back = [one for one, after in made.after.items() if self._tables.contacts.get(one) == after]
        for contact_id in put_back:
            self._change(contact_id, made.before[contact_id])
        entries = [one for one in made.entries if self._is_free(one, now.list_id)]
        for entry_id in entries:
            del self._tables.entries[entry_id]
        kept = [one for one in made.entries if one in self._tables.entries]
        contacts = [one for one in made.contacts if not self._is_spoken_of(one)]
        for contact_id in contacts:
            del self._tables.contacts[contact_id]
        counts = UndoCounts(
            entries_removed=len(entries),
            entries_kept=sum(self._tables.entries[one].list_id == now.list_id for one in kept),
            contacts_removed=len(contacts),
            contacts_kept=len(made.contacts) - len(contacts),
            restored=len(put_back),
            left=len(made.after) - len(put_back),
        )
        if now.list_id is not None and not counts.entries_kept:
            self._tables.lists[now.list_id].name += f" (import {now.id}, undone)"
        state = ImportState.FAILED if now.error else ImportState.UNDONE
        return self._set(import_id, state=state, undo=counts, finished_at=at)

    async def refusals(self, import_id: int, *, after_id: int = 0, limit: int = 100) -> list[Refusal]:
        await self.get_import(import_id)
        return [one for one in self._refusals[import_id] if one.id > after_id][:limit]

    async def add_lead(self, lead: Lead, *, order: Order, at: datetime) -> LeadTaken:
        if lead.campaign_id not in self._tables.campaigns:
            raise NotFound(f"there is no campaign {lead.campaign_id}")
        if lead.key is not None and (earlier := self._keys.get((lead.campaign_id, lead.key))):
            entry = self._tables.entries[earlier.entry_id]
            return replace(earlier, state=entry.state.value, known=True, again=True)
        taken = self._taken(lead, order)
        if lead.key is not None:
            self._keys[lead.campaign_id, lead.key] = taken
        return taken

    def _taken(self, lead: Lead, order: Order) -> LeadTaken:
        known = self._known([lead.contact], lead.doubles, lead.campaign_id, ours=())
        first = min(known.values(), key=lambda one: one.id, default=None)
        if first is None:
            contact_id, contact = self._add_contact(lead.contact), lead.contact
        else:
            contact_id, contact = first.id, first.contact
            if lead.doubles.rule is not DoubleRule.SKIP:
                plan = planned([StagedRow(line=1, contact=lead.contact)], known, lead.doubles)
                ((contact_id, change),) = plan.changes.items()
                contact = change.after
                self._change(contact_id, contact)
        entry = self._open_entry(contact_id, lead.campaign_id)
        if entry is None:
            entry = Entry(
                id=self._tables.new_id(),
                list_id=0,
                campaign_id=lead.campaign_id,
                contact_id=contact_id,
                zone=entry_zone(contact),
            )
            entry.rank = rank(order, entry_id=entry.id, score=contact.score)
            self._tables.entries[entry.id] = entry
        if entry.state is not EntryState.DIALING:
            entry.state, entry.due_at, entry.list_id = EntryState.PENDING, None, 0
            entry.priority = max(entry.priority, lead.priority)
        return LeadTaken(
            contact_id=contact_id, entry_id=entry.id, state=entry.state.value, known=first is not None
        )

    def _planned(self, now: Import, bite: Bite) -> Plan:
        contacts = [row.contact for row in bite.rows]
        known = self._known(
            contacts, now.order.doubles, now.order.campaign_id, ours=self._made[now.id].contacts
        )
        return planned(bite.rows, known, now.order.doubles)

    def _known(
        self, contacts: Iterable[NewContact], doubles: Doubles, campaign_id: int, *, ours: Sequence[int]
    ) -> dict[str, Known]:
        wanted = {key for contact in contacts for key in keys_of(contact, doubles.key)}
        found: dict[str, Known] = {}
        for contact_id, contact in self._tables.contacts.items():
            entries = [
                entry
                for entry in self._tables.entries.values()
                if (entry.contact_id, entry.campaign_id) == (contact_id, campaign_id)
            ]
            in_scope = doubles.scope is DoubleScope.EVERYWHERE or (
                doubles.scope is DoubleScope.CAMPAIGN and bool(entries)
            )
            if not in_scope and contact_id not in ours:
                continue
            keys = {*keys_of(contact, doubles.key), *(number.e164 for number in contact.numbers)}
            for key in keys & wanted:
                open_here = any(entry.state is not EntryState.DONE for entry in entries)
                found.setdefault(key, Known(id=contact_id, contact=contact, in_campaign=open_here))
        return found

    def _add_contact(self, contact: NewContact) -> int:
        contact_id = self._tables.new_id()
        self._change(contact_id, contact)
        return contact_id

    def _change(self, contact_id: int, contact: NewContact) -> None:
        self._tables.contacts[contact_id] = contact
        self._tables.number_ids[contact_id] = min([self._tables.new_id() for _ in contact.numbers], default=0)

    def _add_entry(
        self, now: Import, contact_id: int, contact: NewContact, priority: int | None, order: Order
    ) -> int:
        entry_id = self._tables.new_id()
        self._tables.entries[entry_id] = Entry(
            id=entry_id,
            list_id=now.list_id or 0,
            campaign_id=now.order.campaign_id,
            contact_id=contact_id,
            zone=entry_zone(contact),
            priority=now.order.priority if priority is None else priority,
            rank=rank(order, entry_id=entry_id, score=contact.score),
        )
        return entry_id

    def _open_entry(self, contact_id: int, campaign_id: int) -> Entry | None:
        return next(
            (
                entry
                for entry in self._tables.entries.values()
                if (entry.contact_id, entry.campaign_id) == (contact_id, campaign_id)
                and entry.state is not EntryState.DONE
            ),
            None,
        )

    def _is_free(self, entry_id: int, list_id: int | None) -> bool:
        entry = self._tables.entries[entry_id]
        dialed = any(attempt.entry_id == entry_id for attempt in self._tables.attempts.values())
        waits = entry.tries == 0 and entry.state is not EntryState.DIALING
        return waits and entry.list_id == list_id and not dialed

    def _is_spoken_of(self, contact_id: int) -> bool:
        return any(entry.contact_id == contact_id for entry in self._tables.entries.values()) or any(
            call.contact_id == contact_id for call in self._tables.calls.values()
        )

    def _refuse(self, import_id: int, bite: Bite, plan: Plan) -> None:
        for row in sorted((*bite.refused, *plan.refused), key=lambda row: row.line):
            new = Refusal(id=self._tables.new_id(), line=row.line, code=str(row.code), reason=row.reason)
            self._refusals[import_id].append(new)

    def _must_take(self, order: ImportOrder) -> None:
        if order.campaign_id not in self._tables.campaigns:
            raise NotFound(f"there is no campaign {order.campaign_id}")
        taken = {(one.campaign_id, one.name) for one in self._tables.lists.values()}
        if (order.campaign_id, order.name) in taken:
            raise Conflict(f"the campaign has a list {order.name} already")

    def _set(self, import_id: int, **facts: object) -> Import:
        self._imports[import_id] = replace(self._imports[import_id], **facts)  # type: ignore[arg-type]
        return self._imports[import_id]
