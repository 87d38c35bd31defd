"""Questions about the queue as PostgreSQL answers them best: with lateral joins, one statement each.

`queue_rows` says what they mean, and asks the same of SQLite, which has no lateral joins. What varies in number comes
as arrays, so that one plan serves any number of lanes.
"""

from collections.abc import Collection
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import CTE, FromClause, LateralFromClause

from cti.storage import tables
from cti.storage.portable import one_of
from cti.storage.queue_rows import CAMPAIGN, IN_ORDER, candidates

_entries = tables.list_entries.c
DEEP_LANES: Final = 8
"""At most so many lanes are looked at a second time."""
LEAST_OF_EACH: Final = 8
"""Entries of each lane that are looked at in the first go."""


def _first(
    *where: ColumnElement[bool], columns: tuple[ColumnElement[Any], ...], limit: int, by_zone: bool = False
) -> LateralFromClause:
    """Return the first pending entries of which this is true; without `by_zone` all must be of one lane."""
    return (
        select(*columns)
        .where(_entries.campaign_id == CAMPAIGN, *where, tables.pending)
        .order_by(*([_entries.zone] if by_zone else []), *IN_ORDER)
        .limit(_spelled(limit))
        .lateral("first")
    )


def _spelled(limit: int) -> ColumnElement[int]:
    """Write a limit into the statement.

    Of one that comes with the question the planner expects a tenth of all rows, and is then not far from reading whole
    tables, nor from compiling the plan (`jit_above_cost`).
    """
    return literal_column(str(int(limit)), BigInteger)


def _in_order(found: FromClause) -> tuple[ColumnElement[Any], ...]:
    return found.c.priority.desc(), found.c.rank, found.c.id


def _lane() -> CTE:
    """Skip from lane to lane, one seek for each; only the index is read."""
    owner = (
        func.unnest(bindparam("owners", type_=ARRAY(BigInteger))).table_valued("id").render_derived("owner")
    )
    columns = (_entries.owner_key, _entries.zone, _entries.id, _entries.priority, _entries.rank)
    his = _first(_entries.owner_key == owner.c.id, columns=columns, limit=1, by_zone=True)
    lane = select(*his.c).select_from(owner.join(his, true())).cte("lane", recursive=True)
    same_owner = _entries.owner_key == lane.c.owner_key
    following = _first(same_owner, _entries.zone > lane.c.zone, columns=columns, limit=1, by_zone=True)
    return lane.union_all(select(*following.c).select_from(lane.join(following, true())))


def _lanes() -> Select[Any]:
    lane = _lane()
    return select(*lane.c).order_by(*_in_order(lane))


LANES: Final = _lanes()
"""Asked with `lanes_asked`."""


def lanes_asked(campaign_id: int, owners: Collection[int]) -> dict[str, Any]:
    """Return what `LANES` is asked with; `NOBODY` among the owners or not."""
    return {"campaign": campaign_id, "owners": sorted(set(owners))}


@cache
def heads(size: int) -> Select[Any]:
    """Return the question for the first `at_most` of the owners' lanes, merged; asked with `heads_asked`.

    `size`: see `padded`. A few of each lane are looked at first: most lanes give one or two, and only those that gave
    all are looked at again. A lane of which fewer than that are among the best has nobody more among them: its order is
    the index's.
    """
    few = min(size, max(LEAST_OF_EACH, size // DEEP_LANES))
    every = _lane()
    # `n`: its first entry, by which a lane is told from all others
    lane = (
        select(every.c.owner_key, every.c.zone, every.c.id.label("n"))
        .where(~one_of(every.c.zone, "closed_zones"))
        .cte("open_lane")
    )

    def in_order(limit: int) -> LateralFromClause:
        columns = (_entries.id, _entries.priority, _entries.rank)
        of_lane = (_entries.owner_key == lane.c.owner_key, _entries.zone == lane.c.zone)
        return _first(*of_lane, columns=columns, limit=limit)

    some, many = in_order(few), in_order(size)
    shallow = (
        select(lane.c.n, *some.c)
        .select_from(lane.join(some, true()))
        .order_by(*_in_order(some))
        .limit(_spelled(size))
        .cte("shallow")
    )
    deep = select(shallow.c.n).group_by(shallow.c.n).having(func.count() >= few).cte("deep")
    found = (
        select(shallow.c.id, shallow.c.priority, shallow.c.rank)
        .where(shallow.c.n.not_in(select(deep.c.n)))
        .union_all(select(*many.c).select_from(lane.join(deep, deep.c.n == lane.c.n).join(many, true())))
        .subquery("found")
    )
    best = select(found).order_by(*_in_order(found)).limit(_spelled(size)).subquery("best")
    wanted = select(best.c.id).order_by(*_in_order(best)).limit(bindparam("at_most")).subquery("wanted")
    return candidates().join(wanted, wanted.c.id == _entries.id).order_by(*IN_ORDER)


def heads_asked(
    campaign_id: int, owners: Collection[int], closed_zones: Collection[str], *, at_most: int
) -> dict[str, Any]:
    """Return what `heads(padded(at_most))` is asked with."""
    return {**lanes_asked(campaign_id, owners), "closed_zones": sorted(closed_zones), "at_most": at_most}
