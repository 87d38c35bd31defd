"""`FollowUpStore` in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cti.crm.follow_ups import follow_kind
from cti.model.callbacks import Callback, CallbackState
from cti.model.follow_ups import FollowLink, FollowUp
from tests.fakes.memory_tables import MemoryTables


class MemoryFollowUps:
    """Links in a dictionary; facts from the other twins' rows."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()
        self._links: dict[tuple[str, int], FollowLink] = {}

    async def facts(self, callback_ids: Sequence[int]) -> Mapping[int, FollowUp]:
        known = self._tables.callbacks
        return {one: self._fact(one) for one in callback_ids if one in known}

    def _fact(self, callback_id: int) -> FollowUp:
        one = self._tables.callbacks[callback_id]
        agent = self._tables.agents.get(one.agent_id or 0)
        columns = self._tables.contact_columns[one.contact_id]
        return FollowUp(
            callback_id=one.id,
            contact_id=one.contact_id,
            crm_ref=columns.get("crm_ref", self._tables.contacts[one.contact_id].crm_ref),
            due_at=one.due_at,
            open=one.open,
            done=one.state is CallbackState.DONE,
            text=one.note,
            created_by=one.created_by,
            agent_id=one.agent_id,
            agent=agent.login if agent else None,
            extension=agent.endpoint if agent else None,
        )

    async def links(self, target: str, callback_ids: Sequence[int]) -> Mapping[int, FollowLink]:
        return {one: self._links[target, one] for one in callback_ids if (target, one) in self._links}

    async def put(self, link: FollowLink) -> None:
        self._links[link.target, link.callback_id] = link

    async def behind(self, target: str, *, limit: int) -> list[int]:
        found = []
        for (name, callback_id), link in sorted(self._links.items()):
            one = self._tables.callbacks[callback_id]
            moved = not one.open or one.agent_id != link.agent_id or one.changed_at > link.written_at
            if name == target and link.standing and moved and not self._is_seen_to(target, one):
                found.append(callback_id)
        return found[:limit]

    def _is_seen_to(self, target: str, one: Callback) -> bool:
        kind, key = follow_kind(target), str(one.id)
        mine = [row for row in self._tables.works.values() if (row.wish.kind, row.wish.key) == (kind, key)]
        return any(
            row.standing != "done" or (row.error is not None and row.changed_at >= one.changed_at)
            for row in mine
        )

    async def written(self, target: str, contact_id: int) -> list[datetime]:
        mine = [one for one in self._links.values() if (one.target, one.contact_id) == (target, contact_id)]
        return [moment for one in mine for moment in one.written]
