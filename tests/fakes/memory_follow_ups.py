"""`FollowUpStore` in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cti.contacts.changes import Change
from cti.crm.follow_ups import follow_kind
from cti.model.callbacks import CallbackState
from cti.model.follow_ups import FollowLink, FollowUp, contact_of, key_of, with_time
from tests.fakes.memory_finding import carry_out
from tests.fakes.memory_looks import contact_row
from tests.fakes.memory_tables import MemoryTables


class MemoryFollowUps:
    """Links in a dictionary; facts from the other twins' rows."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()
        self._links: dict[tuple[str, str], FollowLink] = {}

    async def facts(self, keys: Sequence[str]) -> Mapping[str, FollowUp]:
        return {key: fact for key in keys if (fact := self._fact(key)) is not None}

    def _fact(self, key: str) -> FollowUp | None:
        contact_id = contact_of(key)
        if contact_id is None:
            return self._of_callback(int(key)) if int(key) in self._tables.callbacks else None
        return self._of_contact(contact_id) if contact_id in self._tables.contacts else None

    def _of_callback(self, callback_id: int) -> FollowUp:
        one = self._tables.callbacks[callback_id]
        agent = self._tables.agents.get(one.agent_id or 0)
        return FollowUp(
            callback_id=one.id,
            contact_id=one.contact_id,
            crm_ref=contact_row(self._tables, one.contact_id).crm_ref,
            due_at=one.due_at,
            open=one.open,
            done=one.state is CallbackState.DONE,
            text=one.note,
            created_by=one.created_by,
            agent_id=one.agent_id,
            agent=agent.login if agent else None,
            extension=agent.endpoint if agent else None,
        )

    def _of_contact(self, contact_id: int) -> FollowUp:
        row = contact_row(self._tables, contact_id)
        agent = self._tables.agents.get(row.owner_agent_id or 0)
        return FollowUp(
            callback_id=None,
            contact_id=contact_id,
            crm_ref=row.crm_ref,
            due_at=row.next_follow_up_at,
            open=row.next_follow_up_at is not None,
            done=False,
            agent_id=row.owner_agent_id,
            agent=agent.login if agent else None,
            extension=agent.endpoint if agent else None,
        )

    async def links(self, target: str, keys: Sequence[str]) -> Mapping[str, FollowLink]:
        return {one: self._links[target, one] for one in keys if (target, one) in self._links}

    async def put(self, link: FollowLink) -> None:
        self._links[link.target, link.key] = link

    async def behind(self, target: str, *, limit: int) -> list[str]:
        behind = [
            (link.callback_id is None, key)
            for (name, key), link in sorted(self._links.items())
            if name == target and link.standing and self._is_behind(key, link)
        ]
        return [key for own in (False, True) for of, key in behind if of is own][:limit]

    def _is_behind(self, key: str, link: FollowLink) -> bool:
        fact = self._fact(key)
        if fact is None:
            return False
        if fact.callback_id is None:
            moved = fact.due_at != link.written[-1] or fact.agent_id != link.agent_id
            return moved and not self._is_seen_to(link, link.written_at)
        one = self._tables.callbacks[fact.callback_id]
        moved = not one.open or one.agent_id != link.agent_id or one.changed_at > link.written_at
        return moved and not self._is_seen_to(link, one.changed_at)

    def _is_seen_to(self, link: FollowLink, since: datetime) -> bool:
        """Whether its work is not done, or was given up since then."""
        kind = follow_kind(link.target)
        return any(
            row.standing != "done" or (row.error is not None and row.changed_at >= since)
            for row in self._tables.works.values()
            if (row.wish.kind, row.wish.key) == (kind, link.key)
        )

    async def written(self, target: str, contact_id: int) -> list[datetime]:
        mine = [one for one in self._links.values() if (one.target, one.contact_id) == (target, contact_id)]
        return [moment for one in mine for moment in one.written]

    async def moved_there(
        self, target: str, contact_id: int, *, at: datetime, by: str, now: datetime
    ) -> bool:
        key = key_of(callback_id=None, contact_id=contact_id)
        link, fact = self._links.get((target, key)), self._fact(key)
        if link is None or not link.standing or fact is None or fact.due_at is None:
            return False
        change = Change(contact={"next_follow_up_at": (fact.due_at, at)})
        carry_out(self._tables, contact_id, change, kind="crm", by=by, at=now, bulk_id=None)
        self._links[target, key] = replace(link, written=with_time(link.written, at), written_at=now)
        return True
