"""`CrmStore` on the database: facts of calls for CRMs, what stands there, how they stand."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, case, func, select

from cti.crm.logs import REFS, call_log
from cti.crm.ports import Change, LinkCounts
from cti.model.calls import Join
from cti.model.crm import CallLog, Link, TargetStanding
from cti.model.queries import CallRow, RecordingFacts
from cti.model.work import Work
from cti.storage import tables
from cti.storage.call_rows import CALL_COLUMNS, call_of
from cti.storage.connections import Connections
from cti.storage.held_work import extend_held, finish_held
from cti.storage.leg_rows import read_joins
from cti.storage.link_rows import LinkWriter, link_of, standing_of
from cti.storage.uninterrupted import to_the_end

_calls, _contacts, _links = tables.calls.c, tables.contacts.c, tables.crm_links.c
_targets, _recordings = tables.crm_targets.c, tables.recordings.c

_ENDED: Final = _calls.is_open.is_(False)
_NEXT_CALLBACK: Final = (
    select(func.min(tables.callbacks.c.due_at))
    .where(tables.callbacks.c.contact_id == _calls.contact_id, tables.still_open)
    .correlate(tables.calls)
    .scalar_subquery()
)
_LOGS: Final = (
    select(
        *CALL_COLUMNS,
        _calls.disposition,
        _calls.note,
        _contacts.name.label("contact_name"),
        *(_contacts[name].label(f"contact_{name}") for name in REFS),
        _contacts.next_follow_up_at,
        tables.campaigns.c.name.label("campaign_name"),
        tables.agents.c.login,
        tables.agents.c.name.label("agent_name"),
        tables.agents.c.endpoint,
        _recordings.path,
        _recordings.seconds,
        _NEXT_CALLBACK.label("callback_at"),
    )
    .select_from(tables.calls)
    .outerjoin(tables.contacts, _contacts.id == _calls.contact_id)
    .outerjoin(tables.campaigns, tables.campaigns.c.id == _calls.campaign_id)
    .outerjoin(tables.agents, tables.agents.c.id == _calls.agent_id)
    .outerjoin(tables.recordings, _recordings.call_id == _calls.id)
    .where(_calls.id.in_(bindparam("call_ids", expanding=True)), _ENDED)
)
_LINKS: Final = select(tables.crm_links).where(
    _links.target == bindparam("of_target"), _links.call_id.in_(bindparam("call_ids", expanding=True))
)
_STANDING: Final = select(tables.crm_targets).where(_targets.target == bindparam("of_target"))
_IS_DELETED: Final = _links.deleted_at.is_not(None)
_COUNTS: Final = (
    select(
        _links.target,
        func.count(case((_links.remote_id.is_not(None) & ~_IS_DELETED, 1))).label("written"),
        func.count(_links.sending_at).label("unsure"),
        func.count(_links.deleted_at).label("deleted"),
    )
    .group_by(_links.target)
    .order_by(_links.target)
)


def ended_in(since: datetime, until: datetime, *, after: str) -> Select[str]:
    """Return the question for calls of a span that have ended, by id.

    Ids sort by time: behind one of them they are read in order, and of a year's calls not all are sorted for each
    page. The first page looks for its beginning by time. `coalesce` keeps the planner off the other index.
    """
    question = select(_calls.id).where(_ENDED)
    if not after:
        first = func.coalesce(_calls.id, "")
        return question.where(_calls.placed_at >= since, _calls.placed_at < until).order_by(first)
    placed_at = func.coalesce(_calls.placed_at, _calls.placed_at)
    return question.where(placed_at >= since, placed_at < until, _calls.id > after).order_by(_calls.id)


class SqlCrm:
    """Calls and CRMs."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._links = LinkWriter(connections)

    @to_the_end
    async def logs(self, call_ids: Sequence[str]) -> Mapping[str, CallLog]:
        """See the port."""
        if not call_ids:
            return {}
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_LOGS, {"call_ids": list(call_ids)})).all()
            joins = await read_joins(connection, [row.id for row in rows])
        return {row.id: _log(row, joins[row.id]) for row in rows}

    @to_the_end
    async def ended_ids(
        self, *, since: datetime, until: datetime, after: str = "", limit: int = 1000
    ) -> list[str]:
        """See the port."""
        question = ended_in(since, until, after=after).limit(limit)
        async with self._connections.reading() as connection:
            return list((await connection.execute(question)).scalars())

    @to_the_end
    async def links(self, target: str, call_ids: Sequence[str]) -> Mapping[str, Link]:
        """See the port."""
        if not call_ids:
            return {}
        asked = {"of_target": target, "call_ids": list(call_ids)}
        async with self._connections.glancing() as connection:
            return {row.call_id: link_of(row) for row in await connection.execute(_LINKS, asked)}

    @to_the_end
    async def links_after(self, target: str, call_id: str, *, limit: int) -> list[Link]:
        """See the port."""
        question = (
            select(tables.crm_links)
            .where(_links.target == target, _links.call_id > call_id)
            .order_by(_links.call_id)
            .limit(limit)
        )
        async with self._connections.glancing() as connection:
            return [link_of(row) for row in await connection.execute(question)]

    @to_the_end
    async def begin(self, target: str, call_ids: Sequence[str], *, now: datetime) -> None:
        """See the port."""
        if not call_ids:
            return
        async with self._connections.writing() as connection:
            await self._links.begin(connection, target, call_ids, now=now)

    @to_the_end
    async def put_links(self, links: Sequence[Link]) -> None:
        """See the port."""
        if not links:
            return
        async with self._connections.writing() as connection:
            await self._links.put(connection, links)

    @to_the_end
    async def begin_held(
        self, target: str, works: Sequence[Work], *, now: datetime, lease_for: timedelta
    ) -> set[int]:
        """See the port."""
        async with self._connections.writing() as connection:
            held = await extend_held(connection, works, until=now + lease_for)
            ours = [work.key for work in works if work.id in held]
            await self._links.begin(connection, target, ours, now=now)
        return {work.id for work in works} - held

    @to_the_end
    async def settle_held(
        self,
        target: str,
        settled: Sequence[tuple[Work, Link]],
        *,
        over: Collection[int],
        change: Callable[[Collection[int]], Change],
        now: datetime,
        lease_for: timedelta,
    ) -> set[int]:
        """See the port. Rows of work are locked before that of the target, which is held for the shortest time."""
        ended = [work for work, _ in settled if work.id in over]
        others = [work for work, _ in settled if work.id not in over]
        async with self._connections.writing() as connection:
            held = set(await finish_held(connection, ended, now=now))
            held |= await extend_held(connection, others, until=now + lease_for)
            await self._links.put(connection, [link for work, link in settled if work.id in held])
            lost = {work.id for work, _ in settled} - held
            row = await self._links.lock_target(connection, target)
            await self._links.put_standing(connection, change(lost)(standing_of(row)))
        return lost

    @to_the_end
    async def standing(self, target: str) -> TargetStanding:
        """See the port."""
        async with self._connections.glancing() as connection:
            row = (await connection.execute(_STANDING, {"of_target": target})).one_or_none()
        return standing_of(row) if row is not None else TargetStanding(target=target)

    @to_the_end
    async def change_standing(self, target: str, change: Change) -> TargetStanding:
        """See the port. The row is made first, so that there is one to lock."""
        async with self._connections.writing() as connection:
            changed = change(standing_of(await self._links.lock_target(connection, target)))
            await self._links.put_standing(connection, changed)
        return changed

    @to_the_end
    async def standings(self) -> list[TargetStanding]:
        """See the port."""
        async with self._connections.glancing() as connection:
            rows = await connection.execute(select(tables.crm_targets).order_by(_targets.target))
            return [standing_of(row) for row in rows]

    @to_the_end
    async def link_counts(self) -> list[LinkCounts]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [
                LinkCounts(target=row.target, written=row.written, unsure=row.unsure, deleted=row.deleted)
                for row in await connection.execute(_COUNTS)
            ]


def _log(row: Any, joins: tuple[Join, ...]) -> CallLog:
    recording = RecordingFacts(path=row.path, seconds=row.seconds)
    return call_log(
        CallRow(
            call=call_of(row, joins),
            contact_name=row.contact_name,
            campaign_name=row.campaign_name,
            agent_login=row.login,
            disposition=row.disposition,
            note=row.note,
            recording=recording,
        ),
        agent_name=row.agent_name,
        extension=row.endpoint,
        refs={name: getattr(row, f"contact_{name}") for name in REFS},
        follow_ups=(row.callback_at, row.next_follow_up_at),
    )
