"""Writes work into a transaction that is open already: that of what the work is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.work import NewWork
from cti.storage.connections import Connections, Upsert
from cti.storage.tables import not_done, work

WAITING = "waiting"
DONE = "done"
DEAD = "dead"


class WorkWriter:
    """Adds new work, or raises the version of what waits already under the same kind and key."""

    def __init__(self, connections: Connections) -> None:
        self._statement = _add_or_replace(connections)

    async def write(self, connection: AsyncConnection, works: Sequence[NewWork], *, now: datetime) -> None:
        """Write the works; a row that is leased stays with its holder, who learns of the new version at the end."""
        if works:
            ordered = sorted(
                works, key=lambda wish: (wish.kind, wish.key)
            )  # one order, so that no two writers deadlock
            await connection.execute(self._statement, [_values(wish, now) for wish in ordered])


def _add_or_replace(connections: Connections) -> Upsert:
    insert = connections.insert(work)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[work.c.kind, work.c.key],
        index_where=not_done,
        set_={
            "version": work.c.version + 1,
            "payload": new.payload,
            # an urgent wish stays urgent when a routine change joins it
            "priority": case((work.c.priority > new.priority, work.c.priority), else_=new.priority),
            "standing": WAITING,
            "due_at": new.due_at,
            "next_at": case((work.c.lease.is_(None), new.due_at), else_=work.c.next_at),
            "attempts": 0,
            "changed_at": new.changed_at,
        },
    )


def _values(wish: NewWork, now: datetime) -> dict[str, Any]:
    due_at = wish.due_at or now
    return {
        "kind": wish.kind,
        "key": wish.key,
        "version": 1,
        "payload": dict(wish.payload),
        "priority": wish.priority,
        "standing": WAITING,
        "due_at": due_at,
        "next_at": due_at,
        "attempts": 0,
        "created_at": now,
        "changed_at": now,
    }
