"""Reads the public pool: what belongs to nobody, in the order in which it is claimed."""

from collections.abc import Collection, Sequence
from heapq import merge
from itertools import islice
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.ownership import Claim, PoolCount, Pooled
from cti.storage import tables
from cti.storage.owner_rows import has_entry
from cti.storage.tables import given_back, pending

_contacts, _entries = tables.contacts.c, tables.list_entries.c
_nobodys: Final = (_entries.campaign_id == bindparam("campaign"), _entries.owner_key == 0, pending)
_NEXT_ZONE: Final = (
    select(_entries.zone)
    .where(*_nobodys, _entries.zone > bindparam("after"))
    .order_by(_entries.zone)
    .limit(1)
)
_FIRST_ZONE: Final = select(_entries.zone).where(*_nobodys).order_by(_entries.zone).limit(1)
_FRESH: Final = (
    select(_entries.priority, _entries.rank, _entries.id, _entries.contact_id)
    .where(*_nobodys, _entries.zone == bindparam("zone"))
    .order_by(_entries.priority.desc(), _entries.rank, _entries.id)
    .limit(bindparam("at_most"))
)
"""One zone of the pool, read in the order of `ix_list_entries_next`."""
_RETURNED: Final = (
    select(_contacts.id)
    .where(given_back, _contacts.stopped_at.is_(None))
    .order_by(_contacts.returned_at, _contacts.id)
    .limit(bindparam("at_most"))
)
_COUNT_FRESH: Final = select(func.count()).select_from(tables.list_entries).where(*_nobodys)
_COUNT_RETURNED: Final = (
    select(func.count()).select_from(tables.contacts).where(given_back, _contacts.stopped_at.is_(None))
)
_ROWS: Final = (
    select(
        _contacts.id.label("contact_id"),
        _contacts.name,
        _entries.campaign_id,
        func.min(_entries.list_id).label("list_id"),
        _contacts.returned_at,
    )
    .join_from(tables.contacts, tables.list_entries, _entries.contact_id == _contacts.id)
    .where(
        _contacts.id.in_(bindparam("contact_ids", expanding=True)),
        _entries.campaign_id == bindparam("campaign"),
    )
    .group_by(_contacts.id, _contacts.name, _entries.campaign_id, _contacts.returned_at)
)


async def fresh(
    connection: AsyncConnection, campaign_id: int, *, list_id: int | None, skip: Collection[int], limit: int
) -> list[int]:
    """List contacts with a pending entry that is nobody's: by priority, then rank, over all zones."""
    asked = {"campaign": campaign_id, "at_most": limit + len(skip)}
    question = _FRESH if list_id is None else _FRESH.where(_entries.list_id == list_id)
    lanes = [
        (await connection.execute(question, {**asked, "zone": zone})).all()
        for zone in await _zones(connection, campaign_id)
    ]
    ordered = merge(*lanes, key=lambda row: (-row.priority, row.rank, row.id))
    wanted = dict.fromkeys(row.contact_id for row in ordered)
    return list(islice((one for one in wanted if one not in skip), limit))


async def _zones(connection: AsyncConnection, campaign_id: int) -> list[str]:
    """List the zones of the campaign's pool, each found by one step through the index."""
    zones: list[str] = []
    zone = await connection.scalar(_FIRST_ZONE, {"campaign": campaign_id})
    while zone is not None:
        zones.append(zone)
        zone = await connection.scalar(_NEXT_ZONE, {"campaign": campaign_id, "after": zone})
    return zones


async def returned(
    connection: AsyncConnection, campaign_id: int, *, list_id: int | None, skip: Collection[int], limit: int
) -> list[int]:
    """List contacts that somebody gave back and that stand in the campaign, the longest ago first."""
    question = _RETURNED.where(has_entry(campaign_id, list_id))
    rows = (await connection.execute(question, {"at_most": limit + len(skip)})).scalars()
    return list(islice((one for one in rows if one not in skip), limit))


async def next_of_pool(
    connection: AsyncConnection, claim: Claim, seen: Collection[int], *, limit: int
) -> list[int]:
    """List the contacts that a claim is to have next, without those seen already: fresh ones before returned ones."""
    found: list[int] = []
    for look in (fresh, returned):
        for campaign_id in claim.campaign_ids:
            if len(found) >= limit:
                return found
            found += await look(
                connection, campaign_id, list_id=claim.list_id, skip={*seen, *found}, limit=limit - len(found)
            )
    return found


async def pool_counts(connection: AsyncConnection, campaign_id: int) -> PoolCount:
    """Count from the indexes."""
    counted: list[Any] = [
        await connection.scalar(_COUNT_FRESH, {"campaign": campaign_id}),
        await connection.scalar(_COUNT_RETURNED.where(has_entry(campaign_id))),
    ]
    return PoolCount(campaign_id=campaign_id, fresh=int(counted[0]), returned=int(counted[1]))


async def pool_rows(connection: AsyncConnection, campaign_id: int, ids: Sequence[int]) -> list[Pooled]:
    """Return these contacts of the pool, in this order."""
    rows = await connection.execute(_ROWS, {"contact_ids": list(ids), "campaign": campaign_id})
    known = {row["contact_id"]: Pooled(**row) for row in rows.mappings()}
    return [known[one] for one in ids if one in known]
