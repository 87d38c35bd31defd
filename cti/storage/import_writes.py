"""What an import writes: contacts, entries, images of what it changes, refused rows; in a transaction open already."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.doubles import Plan, planned
from cti.contacts.staging import Bite
from cti.model.contacts import RowRefused
from cti.model.doubles import DoubleRule, DoubleScope
from cti.model.imports import Import
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.contact_writes import Into, Joining, add_contacts, add_entries, change_contacts
from cti.storage.import_undo import before_image
from cti.storage.known_contacts import known_contacts

MOST_REFUSALS: Final = 100_000
"""Refused rows that are kept of one import, the first ones; all are counted."""


async def plan_of(connection: AsyncConnection, now: Import, bite: Bite) -> Plan:
    """Return what is to be done with the rows of a bite, with what is stored already in view."""
    doubles = now.order.doubles
    if doubles.scope is DoubleScope.FILE and doubles.rule is DoubleRule.SKIP:
        return planned(bite.rows, {}, doubles)
    known = await known_contacts(
        connection,
        (row.contact for row in bite.rows),
        doubles,
        campaign_id=now.order.campaign_id,
        import_id=now.id,
    )
    return planned(bite.rows, known, doubles)


async def write_plan(
    connections: Connections, connection: AsyncConnection, plan: Plan, into: Into, marks: dict[str, Any]
) -> dict[str, Any]:
    """Write what is planned; return the marks: which ids this import has made, for its undoing."""
    ids = await add_contacts(connections, connection, plan.added, into)
    joining = [
        Joining(contact_id=one, contact=contact, priority=contact.priority)
        for one, contact in zip(ids, plan.added, strict=True)
    ]
    joining += [
        Joining(
            contact_id=change.known.id,
            contact=change.after,
            owner_agent_id=change.known.owner_agent_id,
            priority=change.priority,
        )
        for change in plan.joining
    ]
    await _keep_images(connections, connection, plan, into)
    await change_contacts(connections, connection, list(plan.changes.values()), at=into.at)
    entries = await add_entries(connections, connection, joining, into)
    return marks | _spanned("contacts", ids, marks) | _spanned("entries", entries, marks)


async def _keep_images(connections: Connections, connection: AsyncConnection, plan: Plan, into: Into) -> None:
    rows = [
        {
            "import_id": into.import_id,
            "contact_id": change.known.id,
            "before": before_image(change.known.contact, change.known.number_ids),
            "changed_at": into.at,
        }
        for change in plan.changes.values()
    ]
    if rows:
        add = connections.insert(tables.import_changes)
        newest = {"changed_at": add.excluded.changed_at}
        await connection.execute(
            add.on_conflict_do_update(index_elements=["import_id", "contact_id"], set_=newest), rows
        )


def _spanned(kind: str, ids: Sequence[int], marks: Mapping[str, Any]) -> dict[str, Any]:
    if not ids:
        return {}
    first, last = marks.get(kind, (ids[0], ids[-1]))
    return {kind: [min(first, ids[0]), max(last, ids[-1])]}


async def keep_refusals(
    connection: AsyncConnection, import_id: int, refused: Iterable[RowRefused], kept: int
) -> int:
    """Store refused rows as far as there is room; return how many were."""
    rows = [
        {"import_id": import_id, "line": row.line, "code": row.code, "reason": row.reason}
        for row in sorted(refused, key=lambda row: row.line)
    ][: max(0, MOST_REFUSALS - kept)]
    if rows:
        await connection.execute(insert(tables.import_refusals), rows)
    return len(rows)
