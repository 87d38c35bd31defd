"""Statements on rows of work that somebody holds, for transactions that are open already."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, and_, bindparam, case, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.work import Work
from cti.storage import tables
from cti.storage.work_rows import DONE, WAITING

_work = tables.work.c
Together = TypeVar("Together", str, tuple[str, int])
SAME_VERSION: Final = _work.version == bindparam("held_version")
_HELD_TOGETHER: Final = and_(
    _work.lease == bindparam("held_lease"), _work.id.in_(bindparam("held_ids", expanding=True))
)
_EXTEND_ALL: Final = (
    update(tables.work).where(_HELD_TOGETHER).values(next_at=bindparam("until")).returning(_work.id)
)


def unless_newer(standing: str) -> ColumnElement[str]:
    """Return this standing, or `waiting` for a row whose version is newer than the holder's."""
    return case((SAME_VERSION, standing), else_=WAITING)


_FINISH_ALL: Final = (
    update(tables.work)
    .where(_HELD_TOGETHER)
    .values(
        lease=None,
        changed_at=bindparam("at"),
        standing=unless_newer(DONE),
        error=None,
        next_at=_work.due_at,
    )
    .returning(_work.id, _work.version)
)


async def extend_held(connection: AsyncConnection, works: Sequence[Work], *, until: datetime) -> set[int]:
    """Keep the leases of works; return the ids of those that are still their holder's."""
    kept: set[int] = set()
    for lease, ids in sorted(_ids_by((work.lease, work.id) for work in works).items()):
        held = {"held_lease": lease, "held_ids": ids, "until": until}
        kept |= set((await connection.execute(_EXTEND_ALL, held)).scalars())
    return kept


async def finish_held(
    connection: AsyncConnection, works: Sequence[Work], *, now: datetime
) -> Mapping[int, int]:
    """Mark works done, but for those of which a newer version came; return the version of each that was held.

    Versions and leases differ from row to row, so the rows of each are one statement.
    """
    versions: dict[int, int] = {}
    together = _ids_by(((work.lease, work.version), work.id) for work in works)
    for (lease, version), ids in sorted(together.items()):
        held = {"held_lease": lease, "held_ids": ids, "held_version": version, "at": now}
        versions |= {row.id: row.version for row in await connection.execute(_FINISH_ALL, held)}
    return versions


def one_lease(works: Sequence[Work]) -> bool:
    """Return whether `extend_held` is one statement at most."""
    return len({work.lease for work in works}) < 2


def one_version(works: Sequence[Work]) -> bool:
    """Return whether `finish_held` is one statement at most."""
    return len({(work.lease, work.version) for work in works}) < 2


def _ids_by(pairs: Iterable[tuple[Together, int]]) -> dict[Together, list[int]]:
    """Return ids in one order, so that no two holders deadlock."""
    together: defaultdict[Together, list[int]] = defaultdict(list)
    for key, work_id in pairs:
        together[key].append(work_id)
    return {key: sorted(ids) for key, ids in together.items()}
