"""`FindingStore` in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from cti.contacts.bulk_plans import placed
from cti.contacts.changes import Change, EntryFacts, Subject, change_record
from cti.contacts.finding_ports import ContactWorks, Plan, no_contact_works
from cti.errors import NotFound
from cti.model.conditions import Condition, Scope
from cti.model.contact_rows import (
    SORTED_BY,
    ContactChange,
    ContactQuery,
    ContactRow,
    EntryRow,
)
from tests.fakes.conditions import holds
from tests.fakes.memory_looks import CallLook, ContactLook, contact_row, set_columns
from tests.fakes.memory_tables import Entry, MemoryTables


class MemoryFinding:
    """Looks at every contact, one after the other."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def contacts(self, wanted: ContactQuery) -> list[ContactRow]:
        looks = [ContactLook(self._tables, contact_id) for contact_id in self._tables.contacts]
        rows = [look.row for look in looks if holds(wanted.condition, look, Scope.CONTACT)]
        down, word = wanted.sort.startswith("-"), wanted.sort.removeprefix("-")
        rows.sort(key=lambda row: _place(row, word), reverse=down)
        with_value = [row for row in rows if _value(row, word) is not None]
        rows = with_value + [row for row in rows if _value(row, word) is None]
        after = wanted.after
        if after is not None:
            rows = rows[next(at for at, row in enumerate(rows) if row.id == after.id) + 1 :]
        return rows[: wanted.limit]

    async def count(self, condition: Condition, scope: Scope) -> int:
        if scope is Scope.CALL:
            calls = [CallLook(self._tables, call) for call in self._tables.calls.values()]
            return sum(holds(condition, look, scope) for look in calls)
        contacts = [ContactLook(self._tables, contact_id) for contact_id in self._tables.contacts]
        return sum(holds(condition, look, scope) for look in contacts)

    async def entries(self, contact_id: int) -> list[EntryRow]:
        mine = [entry for entry in self._tables.entries.values() if entry.contact_id == contact_id]
        return [
            EntryRow(
                **{name: getattr(entry, name) for name in _SHARED},
                state=entry.state.value,
                list=self._tables.lists[entry.list_id].name,
                campaign=self._tables.campaigns[entry.campaign_id].name,
            )
            for entry in sorted(mine, key=lambda entry: entry.id)
        ]

    async def changes(self, contact_id: int, *, limit: int) -> list[ContactChange]:
        mine = [one for one in self._tables.contact_changes if one.contact_id == contact_id]
        return mine[::-1][:limit]

    async def change(
        self,
        contact_id: int,
        plan: Plan,
        *,
        kind: str,
        by: str,
        at: datetime,
        works: ContactWorks = no_contact_works,
    ) -> Change:
        if contact_id not in self._tables.contacts:
            raise NotFound(f"there is no contact {contact_id}")
        change = plan(subject(self._tables, contact_id))
        if change:
            carry_out(self._tables, contact_id, change, kind=kind, by=by, at=at, bulk_id=None)
            self._tables.write_works(works(contact_id, change.contact), at)
        return change

    async def tags(self) -> Sequence[tuple[str, int]]:
        counts = Counter(tag for tags in self._tables.contact_tags.values() for tag in tags)
        return sorted(counts.items())


_SHARED = (
    "id",
    "list_id",
    "campaign_id",
    "tries",
    "priority",
    "due_at",
    "reason",
    "reason_detail",
)


def subject(tables: MemoryTables, contact_id: int) -> Subject:
    """Return a contact as an action sees him."""
    row = contact_row(tables, contact_id)
    entries = [entry for entry in tables.entries.values() if entry.contact_id == contact_id]
    names = [one.name for one in fields(EntryFacts)]
    return Subject(
        id=contact_id,
        facts={one.name: getattr(row, one.name) for one in fields(row)},
        entries=tuple(
            EntryFacts(**{name: getattr(entry, name) for name in names})
            for entry in sorted(entries, key=lambda entry: entry.id)
        ),
        tags=frozenset(row.tags),
        zones=tuple(number.zone for number in row.numbers),
    )


def carry_out(
    tables: MemoryTables,
    contact_id: int,
    change: Change,
    *,
    kind: str,
    by: str,
    at: datetime,
    bulk_id: int | None,
) -> None:
    """Write a change and its row of history."""
    if change.entry_added is not None:
        change = placed(change, tables.new_id())
        added: dict[str, Any] = dict(change.entry_added or {})
        tables.entries[added["id"]] = Entry(contact_id=contact_id, **added)
    if change.entry_removed is not None:
        del tables.entries[change.entry_removed["id"]]
    after = {name: after for name, (_, after) in change.contact.items()}
    set_columns(tables, contact_id, {**after, "changed_at": at})
    for entry_id, part in change.entries.items():
        for name, (_, after) in part.items():
            setattr(tables.entries[entry_id], name, after)
    tables.contact_tags[contact_id] |= set(change.tags_added)
    tables.contact_tags[contact_id] -= set(change.tags_removed)
    tables.contact_changes.append(
        ContactChange(
            id=tables.new_id(),
            contact_id=contact_id,
            at=at,
            by=by,
            kind=kind,
            bulk_id=bulk_id,
            change=change_record(change),
        )
    )


def _value(row: ContactRow, word: str) -> Any:
    return getattr(row, SORTED_BY[word]) if word in SORTED_BY else row.id


def _place(row: ContactRow, word: str) -> tuple[bool, Any, int]:
    value = _value(row, word)
    return (value is not None, value if value is not None else 0, row.id)
