"""`BulkStore` in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cti.contacts.bulk_ports import Judge
from cti.contacts.changes import Change, Subject, change_of
from cti.errors import Conflict, NotFound
from cti.model.bulk import BULK_WORK, BulkAction, BulkKind, BulkOrder, BulkState
from cti.model.conditions import Condition, Scope
from cti.model.work import NewWork
from tests.fakes.conditions import holds
from tests.fakes.memory_finding import carry_out, subject
from tests.fakes.memory_looks import ContactLook
from tests.fakes.memory_tables import MemoryTables, StoredList


class MemoryBulk:
    """Actions in a dictionary, carried out on the dictionaries of the other twins."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def begin(self, order: BulkOrder, condition: Condition, *, at: datetime) -> BulkAction:
        argument = dict(order.argument)
        if order.kind is BulkKind.LIST:
            argument["list"] = self._make_list(argument, at)
        ids = self._changed(order.undoes) if order.undoes is not None else self._matching(condition)
        action = BulkAction(
            id=self._tables.new_id(),
            kind=order.kind,
            argument=argument,
            condition=dict(order.condition),
            by=order.by,
            at=at,
            state=BulkState.RUNNING,
            matched=len(ids),
            last_id=max(ids, default=0),
            undoes=order.undoes,
        )
        if order.undoes is not None:
            self._mark_undone(order.undoes, action.id)
        self._tables.bulk_actions[action.id] = action
        work = NewWork(kind=BULK_WORK, key=str(action.id), payload={"id": action.id})
        self._tables.write_works([work], at)
        return action

    def _make_list(self, argument: dict[str, Any], at: datetime) -> int:
        facts = (argument["campaign"], argument["name"])
        if any((one.campaign_id, one.name) == facts for one in self._tables.lists.values()):
            raise Conflict(f"the campaign has a list {argument['name']} already")
        list_id = self._tables.new_id()
        self._tables.lists[list_id] = StoredList(
            campaign_id=facts[0], name=facts[1], source="query", refused=(), created_at=at
        )
        return list_id

    def _mark_undone(self, undone: int, by: int) -> None:
        action = self._tables.bulk_actions[undone]
        if action.state is not BulkState.DONE or action.undone_by is not None:
            raise Conflict(f"the action {undone} is still running, or it was undone before")
        self._tables.bulk_actions[undone] = replace(action, undone_by=by)

    def _changed(self, bulk_id: int) -> dict[int, Change]:
        rows = [one for one in self._tables.contact_changes if one.bulk_id == bulk_id]
        return {one.contact_id: change_of(one.change) for one in sorted(rows, key=lambda one: one.contact_id)}

    def _matching(self, condition: Condition) -> list[int]:
        looks = {contact_id: ContactLook(self._tables, contact_id) for contact_id in self._tables.contacts}
        return sorted(one for one, look in looks.items() if holds(condition, look, Scope.CONTACT))

    async def action(self, bulk_id: int) -> BulkAction:
        if bulk_id not in self._tables.bulk_actions:
            raise NotFound(f"there is no action {bulk_id}")
        return self._tables.bulk_actions[bulk_id]

    async def actions(self, *, limit: int, before: int | None = None) -> list[BulkAction]:
        newest = sorted(self._tables.bulk_actions.values(), key=lambda one: one.id, reverse=True)
        return [one for one in newest if before is None or one.id < before][:limit]

    async def campaign_of_list(self, list_id: int) -> int | None:
        found = self._tables.lists.get(list_id)
        return found.campaign_id if found else None

    async def look(self, contact_ids: Sequence[int]) -> list[Subject]:
        return [subject(self._tables, one) for one in contact_ids if one in self._tables.contacts]

    async def next_ids(self, condition: Condition, *, after: int, last: int | None, limit: int) -> list[int]:
        matching = [one for one in self._matching(condition) if one > after]
        return [one for one in matching if last is None or one <= last][:limit]

    async def note(self, bulk_id: int, *, position: int, done: int, left: Mapping[str, int]) -> BulkAction:
        now = await self.action(bulk_id)
        counts = dict(Counter(now.counts) + Counter(left))
        action = replace(now, done=now.done + done, counts=counts, position=position)
        self._tables.bulk_actions[bulk_id] = action
        return action

    async def changed_ids(self, bulk_id: int, *, after: int, limit: int) -> list[int]:
        return [one for one in self._changed(bulk_id) if one > after][:limit]

    async def bite(
        self, bulk_id: int, contact_ids: Sequence[int], judge: Judge, *, at: datetime
    ) -> BulkAction:
        now = await self.action(bulk_id)
        if now.state is BulkState.DONE:
            return now
        ids = [one for one in contact_ids if one > now.position]
        olds = self._changed(now.undoes) if now.undoes is not None else {}
        verdicts = {one: judge(subject(self._tables, one), olds.get(one)) for one in ids}
        changed = {one: verdict for one, verdict in verdicts.items() if isinstance(verdict, Change)}
        for one, change in changed.items():
            carry_out(self._tables, one, change, kind=now.kind.value, by=now.by, at=at, bulk_id=bulk_id)
        left = Counter(now.counts)
        left.update(verdict.value for verdict in verdicts.values() if not isinstance(verdict, Change))
        action = replace(now, done=now.done + len(changed), counts=dict(left))
        if contact_ids:
            action = replace(action, position=max(contact_ids[-1], now.position))
        else:
            action = replace(action, state=BulkState.DONE, finished_at=at)
        self._tables.bulk_actions[bulk_id] = action
        return action
