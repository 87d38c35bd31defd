"""`CrmStore` in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cti.crm.logs import REFS, call_log
from cti.crm.ports import Change, LinkCounts
from cti.model.callbacks import OPEN_CALLBACKS
from cti.model.crm import CallLog, Link, TargetStanding
from cti.model.queries import CallRow
from cti.model.work import Work
from tests.fakes.memory_facts import MemoryFacts
from tests.fakes.memory_tables import MemoryTables
from tests.fakes.memory_work import MemoryWork


class MemoryCrm:
    """Links and standings in dictionaries; facts from the other twins' rows."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()
        self._facts = MemoryFacts(self._tables)
        self._works = MemoryWork(self._tables)

    async def logs(self, call_ids: Sequence[str]) -> Mapping[str, CallLog]:
        calls = [self._tables.calls[one] for one in call_ids if one in self._tables.calls]
        return {call.id: self._log(self._facts.row(call)) for call in calls if call.ended}

    def _log(self, row: CallRow) -> CallLog:
        tables, call = self._tables, row.call
        agent = tables.agents.get(call.agent_id or 0)
        contact = tables.contacts.get(call.contact_id or 0)
        columns = tables.contact_columns.get(call.contact_id or 0, {})
        refs = {name: columns.get(name, getattr(contact, name, None)) for name in REFS}
        due = [
            one.due_at
            for one in tables.callbacks.values()
            if one.contact_id == call.contact_id and one.state in OPEN_CALLBACKS
        ]
        return call_log(
            row,
            agent_name=agent.name if agent else None,
            extension=agent.endpoint if agent else None,
            refs=refs,
            follow_ups=(min(due, default=None), columns.get("next_follow_up_at")),
        )

    async def ended_ids(
        self, *, since: datetime, until: datetime, after: str = "", limit: int = 1000
    ) -> list[str]:
        found = [
            call.id
            for call in self._tables.calls.values()
            if call.ended and since <= call.placed_at < until and call.id > after
        ]
        return sorted(found)[:limit]

    async def links(self, target: str, call_ids: Sequence[str]) -> Mapping[str, Link]:
        known = self._tables.crm_links
        return {one: known[target, one] for one in call_ids if (target, one) in known}

    async def links_after(self, target: str, call_id: str, *, limit: int) -> list[Link]:
        found = [link for link in self._tables.crm_links.values() if link.target == target]
        return sorted((one for one in found if one.call_id > call_id), key=lambda one: one.call_id)[:limit]

    async def begin(self, target: str, call_ids: Sequence[str], *, now: datetime) -> None:
        for one in call_ids:
            known = self._tables.crm_links.get((target, one), Link(target=target, call_id=one))
            self._tables.crm_links[target, one] = replace(known, sending_at=now)

    async def put_links(self, links: Sequence[Link]) -> None:
        for link in links:
            self._tables.crm_links[link.target, link.call_id] = link

    async def begin_held(
        self, target: str, works: Sequence[Work], *, now: datetime, lease_for: timedelta
    ) -> set[int]:
        held = await self._works.extend_all(works, now=now, lease_for=lease_for)
        await self.begin(target, [work.key for work in works if work.id in held], now=now)
        return {work.id for work in works} - held

    async def settle_held(
        self,
        target: str,
        settled: Sequence[tuple[Work, Link]],
        *,
        over: Collection[int],
        change: Callable[[Collection[int]], Change],
        now: datetime,
        lease_for: timedelta,
    ) -> set[int]:
        held = await self._works.extend_all([work for work, _ in settled], now=now, lease_for=lease_for)
        await self.put_links([link for work, link in settled if work.id in held])
        ended = [work for work, _ in settled if work.id in over and work.id in held]
        await self._works.finish_all(ended, now=now)
        lost = {work.id for work, _ in settled} - held
        await self.change_standing(target, change(lost))
        return lost

    async def standing(self, target: str) -> TargetStanding:
        return self._tables.crm_targets.get(target, TargetStanding(target=target))

    async def change_standing(self, target: str, change: Change) -> TargetStanding:
        changed = change(await self.standing(target))
        self._tables.crm_targets[target] = changed
        return changed

    async def standings(self) -> list[TargetStanding]:
        return sorted(self._tables.crm_targets.values(), key=lambda one: one.target)

    async def link_counts(self) -> list[LinkCounts]:
        by_target: dict[str, list[Link]] = {}
        for link in self._tables.crm_links.values():
            by_target.setdefault(link.target, []).append(link)
        return [
            LinkCounts(
                target=target,
                written=sum(one.remote is not None and one.deleted_at is None for one in links),
                unsure=sum(one.unsure for one in links),
                deleted=sum(one.deleted_at is not None for one in links),
            )
            for target, links in sorted(by_target.items())
        ]
