"""Questions about the queue: which lanes there are, and who stands first in them.

The index `ix_list_entries_next` keeps each lane of a campaign (an owner's entries in one zone) in the order of dialing.
Lanes are found by skipping from one to the next in it, so that a campaign of a million costs what its lanes cost.
Spelled here for SQLite; `postgres_queue` asks the same of PostgreSQL.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Boolean,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from cti.model.standing import NOBODY, Lane
from cti.storage import tables
from cti.storage.portable import one_of

_entries, _contacts, _numbers = tables.list_entries.c, tables.contacts.c, tables.numbers.c
CAMPAIGN: Final[BindParameter[int]] = bindparam("campaign")
IN_ORDER: Final = (_entries.priority.desc(), _entries.rank, _entries.id)


def _lanes() -> Select[Any]:
    owners = union_all(
        select(tables.agents.c.id.label("owner")).where(one_of(tables.agents.c.id, "owners")),
        select(literal(0).label("owner")).where(bindparam("nobody_s", type_=Boolean)),
    ).subquery("owners")
    head = tables.list_entries.alias("head")
    columns = (head.c.owner_key, head.c.zone, head.c.id, head.c.priority, head.c.rank)
    first = (
        select(_entries.id)
        .where(_entries.campaign_id == CAMPAIGN, _entries.owner_key == owners.c.owner, tables.pending)
        .order_by(_entries.zone, *IN_ORDER)
        .limit(1)
        .correlate(owners)
        .scalar_subquery()
    )
    lane = select(*columns).join_from(owners, head, head.c.id == first).cte("lane", recursive=True)
    following = (
        select(_entries.id)
        .where(
            _entries.campaign_id == CAMPAIGN,
            _entries.owner_key == lane.c.owner_key,
            _entries.zone > lane.c.zone,
            tables.pending,
        )
        .order_by(_entries.zone, *IN_ORDER)
        .limit(1)
        .correlate(lane)
        .scalar_subquery()
    )
    found = lane.union_all(select(*columns).join_from(lane, head, head.c.id == following))
    return select(found.c.owner_key, found.c.zone, found.c.id, found.c.priority, found.c.rank).order_by(
        found.c.priority.desc(), found.c.rank, found.c.id
    )


LANES: Final = _lanes()
"""Asked with `lanes_asked`; one seek for each lane. For SQLite."""


def lanes_asked(campaign_id: int, owners: Collection[int]) -> dict[str, Any]:
    """Return what `LANES` is asked with; `NOBODY` among the owners or not."""
    agents = [owner for owner in owners if owner != NOBODY]
    return {"campaign": campaign_id, "owners": agents, "nobody_s": NOBODY in owners}


CANDIDATE: Final = (
    _entries.id.label("entry_id"),
    _entries.list_id,
    _entries.campaign_id,
    _entries.contact_id,
    func.coalesce(_numbers.id, 0).label("number_id"),
    func.coalesce(_numbers.e164, "").label("number"),
    _contacts.name,
    _entries.tries,
    func.nullif(_entries.owner_key, 0).label("owner_agent_id"),
    _contacts.crm_ref,
    _entries.zone,
    _entries.priority,
    _entries.rank,
    _entries.number_position,
    _contacts.consent,
)
"""The columns of a `Candidate`, by its own names."""


def candidates() -> Select[Any]:
    """Begin a question for candidates; a number that is gone is empty."""
    return (
        select(*CANDIDATE)
        .join_from(tables.list_entries, tables.contacts, _contacts.id == _entries.contact_id)
        .outerjoin(
            tables.numbers,
            and_(_numbers.contact_id == _entries.contact_id, _numbers.position == _entries.number_position),
        )
    )


MOST_LANES: Final = 128
"""Merged by one statement; SQLite allows 500 parts of a union."""


def padded(count: int) -> int:
    """Return for how many a statement is made: few sizes, so that it is compiled and planned few times."""
    size = 1
    while size < count:
        size *= 2
    return size


@cache
def heads(size: int) -> Select[Any]:
    """Return the question for the first `at_most` of so many lanes, merged; asked with `head_values`. For SQLite.

    The parts have neither an order nor a limit of their own: SQLite then merges them row by row out of the index, and
    stops with the last row that is wanted.
    """
    parts = (
        select(_entries.id, _entries.priority, _entries.rank).where(
            _entries.campaign_id == CAMPAIGN,
            _entries.owner_key == bindparam(f"owner_{n}"),
            _entries.zone == bindparam(f"zone_{n}"),
            tables.pending,
        )
        for n in range(size)
    )
    merged = union_all(*parts)
    columns = merged.selected_columns
    best = (
        merged.order_by(columns.priority.desc(), columns.rank, columns.id)
        .limit(bindparam("at_most"))
        .subquery("best")
    )
    return candidates().join(best, best.c.id == _entries.id).order_by(*IN_ORDER)


def head_values(campaign_id: int, lanes: Sequence[Lane], *, at_most: int) -> dict[str, Any]:
    """Return what `heads(padded(len(lanes)))` is asked with; the parts too many ask for an owner who does not exist."""
    values: dict[str, Any] = {"campaign": campaign_id, "at_most": at_most}
    for n in range(padded(len(lanes))):
        known = n < len(lanes)
        values[f"owner_{n}"] = lanes[n].owner_id if known else -1
        values[f"zone_{n}"] = lanes[n].zone if known else ""
    return values
