"""`PullStore` on the database: a page of records and the cursor after it are one commit."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.crm_records import Heard, follow_up_day, heard, newest
from cti.crm.pull_ports import PullChange
from cti.crm.pull_standing import taken
from cti.errors import Conflict, NotFound
from cti.model.crm_pulls import (
    DELETED,
    PullAnswer,
    PullProblem,
    PullRules,
    PullStanding,
    PullStep,
    RecordStanding,
    Wanted,
)
from cti.model.standing import NOBODY
from cti.rules import rules_of
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.contact_writes import Into
from cti.storage.pull_cases import cases, memories
from cti.storage.pull_leaving import seen_again
from cti.storage.pull_questions import FOLLOW_UPS, HELD_BACK, NEXT, OF_ENTRIES, OPEN, PROBLEMS
from cti.storage.pull_writes import RecordWriter
from cti.storage.sql_queue import SqlQueue
from cti.storage.uninterrupted import to_the_end

AT_ONCE: Final = 20
"""Records that are read before others get their turn; some 50 microseconds for each number."""

_pulls, _records, _entries = tables.crm_pulls.c, tables.crm_records.c, tables.list_entries.c
_STANDING: Final = select(tables.crm_pulls).where(_pulls.pull == bindparam("of_pull"))
_FIELDS: Final = tuple(field.name for field in fields(PullStanding))
_CAMPAIGN: Final = (
    select(tables.campaigns.c.id, tables.campaigns.c.rules)
    .where(tables.campaigns.c.name == bindparam("name"))
    # locked, so that on PostgreSQL two writers of one campaign's contacts come one after the other; calls and entries
    # that name the campaign are written meanwhile
    .with_for_update(key_share=True)
)


class SqlPulls:
    """Pulls and the records they brought."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._queue = SqlQueue(connections)
        standing = connections.insert(tables.crm_pulls)
        self._put = standing.on_conflict_do_update(
            index_elements=[_pulls.pull],
            set_={name: standing.excluded[name] for name in _FIELDS if name != "pull"},
        )
        self._make = standing.on_conflict_do_nothing(index_elements=[_pulls.pull])

    @to_the_end
    async def standing(self, pull: str) -> PullStanding:
        """See the port."""
        async with self._connections.glancing() as connection:
            row = (await connection.execute(_STANDING, {"of_pull": pull})).one_or_none()
        return _standing(row) if row is not None else PullStanding(pull=pull)

    @to_the_end
    async def standings(self) -> list[PullStanding]:
        """See the port."""
        async with self._connections.glancing() as connection:
            rows = await connection.execute(select(tables.crm_pulls).order_by(_pulls.pull))
            return [_standing(row) for row in rows]

    @to_the_end
    async def change(self, pull: str, change: PullChange) -> PullStanding:
        """See the port."""
        async with self._connections.writing() as connection:
            changed = change(await self._locked(connection, pull))
            await connection.execute(self._put, asdict(changed))
        return changed

    async def take(self, rules: PullRules, answer: PullAnswer, *, at: datetime) -> PullStanding:
        """See the port."""
        records: list[Heard] = []
        for start in range(0, len(answer.records), AT_ONCE):
            some = answer.records[start : start + AT_ONCE]
            records += [heard(one, region=rules.region) for one in some]
            await asyncio.sleep(0)
        gone = [Heard(ref=ref, name="", said={}, over=DELETED) for ref in answer.gone]
        return await self._take(rules, answer, newest([*records, *gone]), at)

    @to_the_end
    async def _take(
        self, rules: PullRules, answer: PullAnswer, records: Sequence[Heard], at: datetime
    ) -> PullStanding:
        if rules.dry_run:
            counts = await self._tried(rules, answer, records, at)
        async with self._connections.writing() as connection:
            before = await self._expected(connection, rules, answer)
            if not rules.dry_run:
                counts = await self._write(connection, rules, answer.step, records, at)
            after = taken(before, answer, counts, at=at)
            await connection.execute(self._put, asdict(after))
        return after

    async def _tried(
        self, rules: PullRules, answer: PullAnswer, records: Sequence[Heard], at: datetime
    ) -> Counter[str]:
        """Return what would become of the records."""
        try:
            async with self._connections.writing() as connection:
                await self._expected(connection, rules, answer)
                raise _OnlyTriedError(await self._write(connection, rules, answer.step, records, at))
        except _OnlyTriedError as tried:
            return tried.counts

    async def _expected(
        self, connection: AsyncConnection, rules: PullRules, answer: PullAnswer
    ) -> PullStanding:
        before = await self._locked(connection, rules.standing_name)
        if answer.step is PullStep.PAGE and before.cursor != answer.before:
            raise Conflict(f"pull {rules.name} has moved on meanwhile")
        return before

    async def _write(
        self,
        connection: AsyncConnection,
        rules: PullRules,
        step: PullStep,
        records: Sequence[Heard],
        at: datetime,
    ) -> Counter[str]:
        campaign = (await connection.execute(_CAMPAIGN, {"name": rules.campaign})).one_or_none()
        if campaign is None:
            raise NotFound(f"pull {rules.name}: there is no campaign {rules.campaign!r}")
        into = Into(
            campaign_id=campaign.id,
            list_id=await _list_of(connection, campaign.id, rules, at),
            priority=rules.priority,
            order=rules_of(campaign.rules, where="rules").order.order,
            at=at,
        )
        remembered = await memories(connection, rules.name, [one.ref for one in records])
        known = [one for one in records if one.said or one.problems or one.ref in remembered]
        found = await cases(connection, known, remembered, campaign_id=campaign.id, owners=rules.owners)
        writer = RecordWriter(self._connections, connection, rules, into)
        await writer.write(found)
        taken_up = {case.heard.ref for case in found}
        older = [remembered[one.ref] for one in known if one.ref not in taken_up]
        writer.counts["older"] += len(older)
        if step is not PullStep.PAGE:
            await seen_again(connection, rules.name, older, at=at)
        return writer.counts

    async def _locked(self, connection: AsyncConnection, pull: str) -> PullStanding:
        """Return the standing, locked; the row is made first, so that there is one to lock."""
        await connection.execute(self._make, asdict(PullStanding(pull=pull)))
        return _standing((await connection.execute(_STANDING.with_for_update(), {"of_pull": pull})).one())

    async def stale(self, rules: PullRules, *, before: datetime, limit: int) -> list[str]:
        """See the port."""
        campaign_id, agents = await self._whose(rules)
        if campaign_id is None:
            return []
        asked = {"of_pull": rules.name, "before": before, "at_most": limit}
        heads = await self._queue.heads(campaign_id, owners=[NOBODY, *agents], limit=3 * limit)
        return await self._refs(asked, campaign_id, [one.entry_id for one in heads], limit)

    @to_the_end
    async def _whose(self, rules: PullRules) -> tuple[int | None, list[int]]:
        campaign = select(tables.campaigns.c.id).where(tables.campaigns.c.name == rules.campaign)
        async with self._connections.glancing() as connection:
            agents = (await connection.execute(select(tables.agents.c.id))).scalars()
            return await connection.scalar(campaign), list(agents)

    @to_the_end
    async def _refs(
        self, asked: dict[str, Any], campaign_id: int, entry_ids: Sequence[int], limit: int
    ) -> list[str]:
        async with self._connections.glancing() as connection:
            held = list((await connection.execute(HELD_BACK, asked | {"campaign": campaign_id})).scalars())
            following = (await connection.execute(NEXT, asked | {"entry_ids": list(entry_ids)})).scalars()
            return list(dict.fromkeys([*held, *following]))[:limit]

    @to_the_end
    async def open_refs(self, rules: PullRules, *, after: str, limit: int) -> list[str]:
        """See the port."""
        asked = {"of_pull": rules.name, "after": after, "at_most": limit}
        async with self._connections.glancing() as connection:
            return list((await connection.execute(OPEN, asked)).scalars())

    @to_the_end
    async def entries(self, entry_ids: Collection[int], *, pulls: Sequence[str]) -> list[RecordStanding]:
        """See the port."""
        asked = {"entry_ids": list(entry_ids)}
        async with self._connections.glancing() as connection:
            rows = await connection.execute(OF_ENTRIES, asked)
            return [
                RecordStanding(entry_id=row.entry_id, over=row.over, seen_at=row.seen_at)
                for row in rows
                if row.pull in pulls
            ]

    @to_the_end
    async def problems(self, pull: str, *, after: str = "", limit: int = 100) -> list[PullProblem]:
        """See the port."""
        asked = {"of_pull": pull, "after": after, "at_most": limit}
        async with self._connections.glancing() as connection:
            return [
                PullProblem(
                    ref=row.ref,
                    name=row.name,
                    reason=row.problem,
                    refused=row.refused,
                    contact_id=row.contact_id,
                    at=row.seen_at,
                )
                for row in await connection.execute(PROBLEMS, asked)
            ]

    @to_the_end
    async def follow_ups(self, pull: str, *, limit: int) -> list[Wanted]:
        """See the port."""
        async with self._connections.glancing() as connection:
            rows = await connection.execute(FOLLOW_UPS, {"of_pull": pull, "at_most": limit})
            return [
                Wanted(
                    ref=row.ref,
                    contact_id=row.contact_id,
                    at=row.follow_up_at,
                    day=follow_up_day(row.said),
                )
                for row in rows
            ]

    @to_the_end
    async def followed_up(self, pull: str, ref: str, at: datetime | None) -> None:
        """See the port."""
        same = _records.follow_up_at.is_(None) if at is None else _records.follow_up_at == at
        note = update(tables.crm_records).where(_records.pull == pull, _records.ref == ref, same)
        async with self._connections.writing() as connection:
            await connection.execute(note.values(follow_up_since=None))

    @to_the_end
    async def counts(self, pull: str) -> tuple[int, int]:
        """See the port."""
        all_of = select(func.count()).where(_records.pull == pull)
        async with self._connections.reading() as connection:
            known = await connection.scalar(all_of)
            return int(known or 0), int(await connection.scalar(all_of.where(tables.with_problem)) or 0)


class _OnlyTriedError(Exception):
    """Takes a dry run back."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self.counts = counts


def _standing(row: Row[Any]) -> PullStanding:
    return PullStanding(**{name: getattr(row, name) for name in _FIELDS})


async def _list_of(connection: AsyncConnection, campaign_id: int, rules: PullRules, at: datetime) -> int:
    lists = tables.lists.c
    wanted = select(lists.id).where(lists.campaign_id == campaign_id, lists.name == rules.name)
    found = await connection.scalar(wanted)
    if found is not None:
        return int(found)
    row = insert(tables.lists).values(
        campaign_id=campaign_id,
        name=rules.name,
        source=f"{rules.target}: {rules.source}",
        taken=0,
        created_at=at,
        region=rules.region,
        priority=rules.priority,
    )
    return int((await connection.execute(row.returning(lists.id))).scalar_one())
