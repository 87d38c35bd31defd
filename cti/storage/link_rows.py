"""Rows of links and of targets, written into a transaction that is open already."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.crm import Link, RecordRef, TargetStanding
from cti.storage import tables
from cti.storage.connections import Connections

_links, _targets = tables.crm_links.c, tables.crm_targets.c
_STANDING_FIELDS: Final = tuple(field.name for field in fields(TargetStanding))
_LOCKED: Final = select(tables.crm_targets).where(_targets.target == bindparam("of_target")).with_for_update()
_REMEMBERED: Final = (
    "remote_kind",
    "remote_id",
    "version",
    "fingerprint",
    "sending_at",
    "pushed_at",
    "deleted_at",
)


class LinkWriter:
    """Writes them."""

    def __init__(self, connections: Connections) -> None:
        link = connections.insert(tables.crm_links)
        key = [_links.target, _links.call_id]
        self._put = link.on_conflict_do_update(
            index_elements=key, set_={name: link.excluded[name] for name in _REMEMBERED}
        )
        self._begin = link.on_conflict_do_update(
            index_elements=key, set_={"sending_at": link.excluded.sending_at}
        )
        standing = connections.insert(tables.crm_targets)
        self._put_standing = standing.on_conflict_do_update(
            index_elements=[_targets.target],
            set_={name: standing.excluded[name] for name in _STANDING_FIELDS if name != "target"},
        )
        self._make_standing = standing.on_conflict_do_nothing(index_elements=[_targets.target])

    async def begin(
        self, connection: AsyncConnection, target: str, call_ids: Sequence[str], *, now: datetime
    ) -> None:
        """Write that writing begins now; what is remembered else stays."""
        rows = [_values(Link(target=target, call_id=one, sending_at=now)) for one in sorted(call_ids)]
        if rows:
            await connection.execute(self._begin, rows)

    async def put(self, connection: AsyncConnection, links: Sequence[Link]) -> None:
        """Write links, in place of what was remembered of the same calls."""
        ordered = sorted(links, key=lambda link: (link.target, link.call_id))  # one order: no deadlock
        if ordered:
            await connection.execute(self._put, [_values(link) for link in ordered])

    async def lock_target(self, connection: AsyncConnection, target: str) -> Row[Any]:
        """Lock a target's row, and return it. It is made first when there is none, so that there is one to lock."""
        asked = {"of_target": target}
        row = (await connection.execute(_LOCKED, asked)).one_or_none()
        if row is None:
            await connection.execute(self._make_standing, _standing_values(TargetStanding(target=target)))
            row = (await connection.execute(_LOCKED, asked)).one()
        return row

    async def put_standing(self, connection: AsyncConnection, standing: TargetStanding) -> None:
        """Write a target's row."""
        await connection.execute(self._put_standing, _standing_values(standing))


def link_of(row: Row[Any]) -> Link:
    """Read a link's row."""
    remote = RecordRef(row.remote_kind, row.remote_id) if row.remote_id is not None else None
    return Link(
        target=row.target,
        call_id=row.call_id,
        remote=remote,
        version=row.version,
        fingerprint=row.fingerprint,
        sending_at=row.sending_at,
        pushed_at=row.pushed_at,
        deleted_at=row.deleted_at,
    )


def _values(link: Link) -> dict[str, Any]:
    return {
        "target": link.target,
        "call_id": link.call_id,
        "remote_kind": link.remote.kind if link.remote else "",
        "remote_id": link.remote.id if link.remote else None,
        "version": link.version,
        "fingerprint": link.fingerprint,
        "sending_at": link.sending_at,
        "pushed_at": link.pushed_at,
        "deleted_at": link.deleted_at,
    }


def standing_of(row: Row[Any]) -> TargetStanding:
    """Read a target's row."""
    return TargetStanding(**{name: getattr(row, name) for name in _STANDING_FIELDS})


def _standing_values(standing: TargetStanding) -> dict[str, Any]:
    return {name: getattr(standing, name) for name in _STANDING_FIELDS}
