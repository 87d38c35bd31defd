"""Questions about the queue as PostgreSQL answers them best: with lateral joins, one statement each.

`queue_rows` says what they mean, and asks the same of SQLite, which has no lateral joins. Owners and lanes come as
arrays, so that one plan serves any number of them.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import CTE, LateralFromClause

from cti.model.standing import Lane
from cti.storage import tables
from cti.storage.queue_rows import CAMPAIGN, IN_ORDER, candidates

_entries = tables.list_entries.c
_AT_MOST: Final = bindparam("at_most", type_=BigInteger)
_OF_EACH: Final = bindparam("of_each", type_=BigInteger)
LEAST_OF_EACH: Final = 8
"""Entries of each lane that are looked at in the first go."""


def _lanes() -> Select[Any]:
    owner = (
        func.unnest(bindparam("owners", type_=ARRAY(BigInteger))).table_valued("id").render_derived("owner")
    )
    columns = (_entries.owner_key, _entries.zone, _entries.id, _entries.priority, _entries.rank)

    def first(*where: ColumnElement[bool]) -> LateralFromClause:
        return (
            select(*columns)
            .where(_entries.campaign_id == CAMPAIGN, *where, tables.pending)
            .order_by(_entries.zone, *IN_ORDER)
            .limit(1)
            .lateral("first")
        )

    his = first(_entries.owner_key == owner.c.id)
    lane = select(*his.c).select_from(owner.join(his, true())).cte("lane", recursive=True)
    following = first(_entries.owner_key == lane.c.owner_key, _entries.zone > lane.c.zone)
    found = lane.union_all(select(*following.c).select_from(lane.join(following, true())))
    return select(*found.c).order_by(found.c.priority.desc(), found.c.rank, found.c.id)


LANES: Final = _lanes()
"""Asked with `lanes_asked`; one seek for each lane, and the index alone is read."""


def lanes_asked(campaign_id: int, owners: Collection[int]) -> dict[str, Any]:
    """Return what `LANES` is asked with; `NOBODY` among the owners or not."""
    return {"campaign": campaign_id, "owners": sorted(set(owners))}


def _first_of(lane: CTE, at_most: ColumnElement[int]) -> LateralFromClause:
    return (
        select(_entries.id, _entries.priority, _entries.rank)
        .where(
            _entries.campaign_id == CAMPAIGN,
            _entries.owner_key == lane.c.owner,
            _entries.zone == lane.c.zone,
            tables.pending,
        )
        .order_by(*IN_ORDER)
        .limit(at_most)
        .lateral("first")
    )


def _heads() -> Select[Any]:
    given = (
        func.unnest(
            bindparam("owners", type_=ARRAY(BigInteger)),
            bindparam("zones", type_=ARRAY(_entries.zone.type)),
        )
        .table_valued("owner", "zone", with_ordinality="n")
        .render_derived("given")
    )
    lane = select(given.c.owner, given.c.zone, given.c.n).cte("lane")
    few = _first_of(lane, _OF_EACH)
    shallow = (
        select(lane.c.n, *few.c)
        .select_from(lane.join(few, true()))
        .order_by(few.c.priority.desc(), few.c.rank, few.c.id)
        .limit(_AT_MOST)
        .cte("shallow")
    )
    deep = select(shallow.c.n).group_by(shallow.c.n).having(func.count() >= _OF_EACH).cte("deep")
    many = _first_of(lane, _AT_MOST)
    found = (
        select(shallow.c.id, shallow.c.priority, shallow.c.rank)
        .where(shallow.c.n.not_in(select(deep.c.n)))
        .union_all(
            select(many.c.id, many.c.priority, many.c.rank).select_from(
                lane.join(deep, deep.c.n == lane.c.n).join(many, true())
            )
        )
        .subquery("found")
    )
    best = (
        select(found.c.id)
        .order_by(found.c.priority.desc(), found.c.rank, found.c.id)
        .limit(_AT_MOST)
        .subquery("best")
    )
    return candidates().join(best, best.c.id == _entries.id).order_by(*IN_ORDER)


HEADS: Final = _heads()
"""The first `at_most` of the lanes, merged; asked with `heads_asked`.

A few of each lane are looked at first: most lanes give one or two, and only those that gave all are looked at again. A
lane of which fewer than that are among the best has nobody more among them: its order is the index's.
"""


def heads_asked(campaign_id: int, lanes: Sequence[Lane], *, at_most: int) -> dict[str, Any]:
    """Return what `HEADS` is asked with, for at least one lane."""
    return {
        "campaign": campaign_id,
        "owners": [lane.owner_id for lane in lanes],
        "zones": [lane.zone for lane in lanes],
        "of_each": min(at_most, max(LEAST_OF_EACH, 4 * at_most // len(lanes))),
        "at_most": at_most,
    }
