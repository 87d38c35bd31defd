"""`CallbackStore` in memory."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from cti.dialer.callback_ports import CallbackWorks, no_callback_works
from cti.errors import Conflict, NotFound
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    CallbackMoveKind,
    CallbackState,
    NewCallback,
    Whereabouts,
)
from cti.model.contacts import EntryState
from cti.storage.callback_entries import REOPENED
from tests.fakes.memory_tables import Entry, MemoryTables, StoredList


class MemoryCallbacks:
    """Callbacks in a dictionary; moves the entries of the other twins."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def whereabouts(self, contact_id: int) -> Whereabouts:
        self._must_know(contact_id)
        numbers = [one.zone for one in self._tables.contacts[contact_id].numbers if one.zone]
        zone = self._tables.contact_zones.get(contact_id) or next(iter(numbers), "")
        return Whereabouts(owner_agent_id=self._tables.ownerships[contact_id].owner, zone=zone)

    async def add(
        self, new: NewCallback, *, raised: int, at: datetime, works: CallbackWorks = no_callback_works
    ) -> Callback:
        self._must_know(new.contact_id)
        if new.contact_id in self._tables.stopped or self._tables.ownerships[new.contact_id].stopped_at:
            raise Conflict(f"contact {new.contact_id} is stopped; reopen him first")
        if new.campaign_id not in self._tables.campaigns:
            raise NotFound(f"there is no campaign {new.campaign_id}")
        entry = self._entry(new, at)
        for one in self._tables.callbacks.values():
            if one.entry_id == entry.id and one.open:
                raise Conflict(f"callback {one.id} stands open for this contact already; move that one")
        made = Callback(
            id=self._tables.new_id(),
            contact_id=new.contact_id,
            campaign_id=new.campaign_id,
            entry_id=entry.id,
            due_at=new.due_at,
            zone=new.zone,
            agent_id=new.agent_id,
            note=new.note,
            call_id=new.call_id,
            created_at=at,
            created_by=new.by,
            changed_at=at,
        )
        self._tables.callbacks[made.id] = made
        self._note(made, CallbackMoveKind.MADE, new.by, _when(made), at)
        self._wait(made, raised, at)
        self._tables.write_works(works(made), at)
        return made

    async def get(self, callback_id: int) -> Callback:
        if callback_id not in self._tables.callbacks:
            raise NotFound(f"there is no callback {callback_id}")
        return self._tables.callbacks[callback_id]

    async def find(self, wanted: CallbackFilter) -> list[Callback]:
        found = [
            one
            for one in self._tables.callbacks.values()
            if wanted.agent_id in (None, one.agent_id)
            and wanted.campaign_id in (None, one.campaign_id)
            and wanted.contact_id in (None, one.contact_id)
            and (wanted.since is None or one.due_at >= wanted.since)
            and (wanted.until is None or one.due_at < wanted.until)
            and one.state in wanted.states
        ]
        return sorted(found, key=lambda one: (one.due_at, one.id))[: wanted.limit]

    async def history(self, callback_id: int) -> list[CallbackMove]:
        return list(self._tables.callback_moves.get(callback_id, []))

    async def change(
        self,
        callback_id: int,
        change: CallbackChange,
        *,
        by: str,
        raised: int,
        at: datetime,
        works: CallbackWorks = no_callback_works,
    ) -> Callback:
        before = await self.get(callback_id)
        if not before.open:
            raise Conflict(f"callback {callback_id} is {before.state.value} already")
        after = self._tables.callbacks[callback_id] = change.applied(before, at=at)
        self._note(after, change.kind(before), by, change.words(before, after), at)
        entry = self._tables.entries[after.entry_id]
        if not after.open:
            self._let_go(entry, after, at)
        elif after.due_at != before.due_at:
            self._wait(after, raised, at)
        elif after.agent_id != before.agent_id:
            self._have(entry, after.agent_id)
        self._tables.write_works(works(after), at)
        return after

    async def remind(
        self, until: datetime, *, at: datetime, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        found = self._some(
            lambda one: one.state is CallbackState.PLANNED and not one.reminded_at and one.due_at <= until
        )
        moved = self._moved(found[:limit], CallbackMoveKind.REMINDED, at, reminded_at=at)
        return self._left_behind(moved, works, at)

    async def fall_due(
        self, now: datetime, *, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        found = self._some(lambda one: one.state is CallbackState.PLANNED and one.due_at <= now)[:limit]
        lost, due = list[Callback](), list[Callback]()
        for one in found:
            entry = self._tables.entries[one.entry_id]
            gone = entry.state is EntryState.DONE and entry.reason and entry.reason not in REOPENED
            (lost if gone else due).append(one)
            if not gone and entry.state is not EntryState.DIALING:
                entry.state, entry.due_at = EntryState.PENDING, None
                entry.reason = entry.reason_detail = entry.reason_at = None
        missed = self._moved(
            lost,
            CallbackMoveKind.MISSED,
            now,
            detail="he may not be called any more",
            state=CallbackState.MISSED,
        )
        fallen = self._moved(due, CallbackMoveKind.DUE, now, state=CallbackState.DUE)
        return self._left_behind(missed + fallen, works, now)

    async def unreleased(self, due_before: datetime, *, limit: int) -> list[Callback]:
        return self._some(
            lambda one: (
                one.state is CallbackState.DUE
                and one.agent_id is not None
                and one.released_at is None
                and one.due_at <= due_before
            )
        )[:limit]

    async def release(
        self, callback_ids: Collection[int], *, at: datetime, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        found = self._some(
            lambda one: one.id in callback_ids and one.state is CallbackState.DUE and one.released_at is None
        )
        for one in found:
            self._have(self._tables.entries[one.entry_id], None)
        moved = self._moved(found, CallbackMoveKind.RELEASED, at, released_at=at)
        return self._left_behind(moved, works, at)

    def _left_behind(self, moved: list[Callback], works: CallbackWorks, at: datetime) -> list[Callback]:
        self._tables.write_works([work for one in moved for work in works(one)], at)
        return moved

    def _some(self, wanted: Callable[[Callback], bool]) -> list[Callback]:
        found = [one for one in self._tables.callbacks.values() if wanted(one)]
        return sorted(found, key=lambda one: (one.due_at, one.id))

    def _moved(
        self,
        found: list[Callback],
        kind: CallbackMoveKind,
        at: datetime,
        *,
        detail: str = "",
        **changes: Any,
    ) -> list[Callback]:
        after = [replace(one, changed_at=at, **changes) for one in found]
        for one in after:
            self._tables.callbacks[one.id] = one
            self._note(one, kind, "clock", detail, at)
        return after

    def _note(self, one: Callback, kind: CallbackMoveKind, by: str, detail: str, at: datetime) -> None:
        moves = self._tables.callback_moves.setdefault(one.id, [])
        moves.append(CallbackMove(at=at, kind=kind, by=by, detail=detail))

    def _entry(self, new: NewCallback, at: datetime) -> Entry:
        known = [
            entry
            for entry in self._tables.entries.values()
            if (entry.contact_id, entry.campaign_id) == (new.contact_id, new.campaign_id)
        ]
        if known:
            return max(known, key=lambda entry: entry.id)
        entry_id = self._tables.new_id()
        entry = self._tables.entries[entry_id] = Entry(
            id=entry_id,
            list_id=self._list(new.campaign_id, at),
            campaign_id=new.campaign_id,
            contact_id=new.contact_id,
            rank=float(entry_id),
        )
        return entry

    def _list(self, campaign_id: int, at: datetime) -> int:
        for list_id, one in self._tables.lists.items():
            if (one.campaign_id, one.name) == (campaign_id, "callbacks"):
                return list_id
        list_id = self._tables.new_id()
        self._tables.lists[list_id] = StoredList(
            campaign_id=campaign_id, name="callbacks", source="callbacks", refused=(), created_at=at
        )
        return list_id

    def _have(self, entry: Entry, agent_id: int | None) -> None:
        entry.owner_key = agent_id or self._tables.ownerships[entry.contact_id].owner or 0

    def _wait(self, one: Callback, raised: int, at: datetime) -> None:
        entry = self._tables.entries[one.entry_id]
        self._have(entry, one.agent_id)
        if entry.state is EntryState.DIALING:
            return
        entry.state, entry.due_at, entry.reason = EntryState.WAITING, one.due_at, "callback_later"
        entry.reason_detail, entry.reason_at = f"callback {one.id}: {_when(one)}", at
        entry.priority += raised - entry.raised
        entry.raised = raised

    def _let_go(self, entry: Entry, one: Callback, at: datetime) -> None:
        if entry.state is EntryState.DIALING:
            return
        untried = not entry.tries and one.state is CallbackState.CANCELLED
        entry.state, entry.due_at = EntryState.PENDING if untried else EntryState.DONE, None
        entry.reason = None if untried else "reached"
        entry.reason_detail = None if untried else f"callback {one.id} is {one.state.value}"
        entry.reason_at = None if untried else at
        entry.priority -= entry.raised
        entry.raised = 0
        self._have(entry, None)

    def _must_know(self, contact_id: int) -> None:
        if contact_id not in self._tables.contacts:
            raise NotFound(f"there is no contact {contact_id}")


def _when(one: Callback) -> str:
    return f"{one.due_local:%Y-%m-%d %H:%M} {one.zone}"
