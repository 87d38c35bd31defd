"""What is asked about owners: who can be shared out, who is due back, what happened, who was won."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import NotFound
from cti.model.ownership import MoveKind, Ownable, OwnerMove, Selection, Success, Untouched
from cti.storage import tables
from cti.storage.owner_rows import given_back_by, has_entry, partners_of

_contacts, _calls, _moves = tables.contacts.c, tables.calls.c, tables.owner_moves.c
_OWNED: Final = (
    select(_contacts.owner_agent_id, func.count())
    .where(_contacts.owner_agent_id.is_not(None))
    .group_by(_contacts.owner_agent_id)
)
_HISTORY: Final = (
    select(tables.owner_moves).where(_moves.contact_id == bindparam("contact")).order_by(_moves.id)
)
_OWNERS: Final = select(_contacts.id, _contacts.owner_agent_id).where(
    _contacts.id.in_(bindparam("contact_ids", expanding=True))
)
_SUCCESSES: Final = (
    select(
        _calls.id.label("call_id"),
        _calls.contact_id,
        func.coalesce(_calls.disposed_by, _calls.agent_id).label("agent_id"),
        _calls.campaign_id,
        _calls.disposition,
    )
    .join_from(tables.calls, tables.contacts, _contacts.id == _calls.contact_id)
    .where(
        _calls.placed_at >= bindparam("since", type_=_calls.placed_at.type),
        _calls.disposition.in_(bindparam("codes", expanding=True)),
        _calls.campaign_id.is_not(None),
        func.coalesce(_calls.disposed_by, _calls.agent_id).is_not(None),
        _contacts.owner_agent_id.is_(None),
        or_(_contacts.returned_at.is_(None), _contacts.returned_at < _calls.disposed_at),
    )
    .order_by(_calls.id)
)


async def owned(connection: AsyncConnection) -> dict[int, int]:
    """Count the contacts of each agent who has any."""
    return {row[0]: row[1] for row in await connection.execute(_OWNED)}


async def ownable(
    connection: AsyncConnection, selection: Selection, *, after: int, limit: int, since: datetime | None
) -> list[Ownable]:
    """See `OwnershipStore`."""
    rows = (await connection.execute(_selected(selection, after).limit(limit))).all()
    ids = [row.id for row in rows]
    partners = await partners_of(connection, ids)
    others = sorted({one for known in partners.values() for one in known})
    owners = {
        row.id: row.owner_agent_id for row in await connection.execute(_OWNERS, {"contact_ids": others})
    }
    given_back = await given_back_by(connection, ids, since)
    return [
        Ownable(
            contact_id=row.id,
            name=row.name,
            owner_id=row.owner_agent_id,
            stopped=row.stopped_at is not None,
            zone=row.zone or "",
            stage=row.stage or "",
            fields=row.fields,
            partners={one: owners.get(one) for one in sorted(partners[row.id])},
            given_back_by=given_back[row.id],
        )
        for row in rows
    ]


async def due(
    connection: AsyncConnection, campaign_id: int, agent_id: int, untouched: Untouched, *, limit: int
) -> list[int]:
    """See `OwnershipStore`."""
    question = (
        select(_contacts.id)
        .where(_contacts.owner_agent_id == agent_id, _is_due(untouched), has_entry(campaign_id))
        .limit(limit)
    )
    return list((await connection.execute(question)).scalars())


async def history(connection: AsyncConnection, contact_id: int) -> list[OwnerMove]:
    """List a contact's changes of owner, the oldest first. Raises NotFound."""
    if await connection.scalar(select(_contacts.id).where(_contacts.id == contact_id)) is None:
        raise NotFound(f"there is no contact {contact_id}")
    rows = (await connection.execute(_HISTORY, {"contact": contact_id})).all()
    return [
        OwnerMove(
            contact_id=row.contact_id,
            at=row.at,
            before=row.before_agent_id,
            after=row.after_agent_id,
            kind=MoveKind(row.kind),
            reason=row.reason,
            by=row.by,
        )
        for row in rows
    ]


async def successes(
    connection: AsyncConnection, codes: Collection[str], *, since: datetime, call_id: str | None
) -> list[Success]:
    """See `OwnershipStore`."""
    question = _SUCCESSES if call_id is None else _SUCCESSES.where(_calls.id == call_id)
    rows = await connection.execute(question, {"codes": sorted(codes), "since": since})
    return [Success(**row) for row in rows.mappings()]


def _is_due(untouched: Untouched) -> Any:
    began = func.coalesce(_contacts.owner_since, _contacts.created_at, type_=_contacts.created_at.type)
    last = case(
        (and_(_contacts.last_talk_at.is_not(None), _contacts.last_talk_at > began), _contacts.last_talk_at),
        else_=began,
    )
    conditions = []
    if untouched.no_talk_since is not None:
        conditions.append(last < untouched.no_talk_since)
    if untouched.failures is not None:
        conditions.append(_contacts.failures >= untouched.failures)
    return or_(*conditions) if conditions else _contacts.id.is_(None)


def _selected(selection: Selection, after: int) -> Any:
    question = (
        select(
            _contacts.id,
            _contacts.name,
            _contacts.owner_agent_id,
            _contacts.stopped_at,
            _contacts.zone,
            _contacts.stage,
            _contacts.fields,
        )
        .where(_contacts.id > after)
        .order_by(_contacts.id)
    )
    if selection.campaign_id is not None or selection.list_id is not None:
        question = question.where(has_entry(selection.campaign_id, selection.list_id))
    if selection.contact_ids is not None:
        question = question.where(_contacts.id.in_(list(selection.contact_ids)))
    if selection.owner_id is not None:
        question = question.where(_contacts.owner_agent_id == selection.owner_id)
    if selection.unowned:
        question = question.where(_contacts.owner_agent_id.is_(None))
    return question
