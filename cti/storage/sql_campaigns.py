"""`CampaignStore` on the database: campaigns, their lists, and what is next."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.contacts import (
    Campaign,
    CampaignState,
    Candidate,
    EntryState,
    ImportResult,
    Mode,
    NewContact,
    Progress,
    RowRefused,
)
from cti.rules import rules_of, rules_record
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.list_rows import add_contacts, add_refusals
from cti.storage.uninterrupted import to_the_end

_CAMPAIGNS: Final = select(tables.campaigns).order_by(tables.campaigns.c.id)
_entries, _contacts, _numbers = tables.list_entries.c, tables.contacts.c, tables.numbers.c
_DIALABLE_FIRST: Final = (EntryState.PENDING, EntryState.WAITING, EntryState.DIALING, EntryState.DONE)
_CANDIDATE: Final = (
    select(
        _entries.id.label("entry_id"),
        _entries.list_id,
        _entries.campaign_id,
        _entries.contact_id,
        _numbers.id.label("number_id"),
        _numbers.e164.label("number"),
        _contacts.name,
        _entries.tries,
        _contacts.owner_agent_id,
        _contacts.crm_ref,
        _entries.zone,
        _entries.priority,
        _entries.rank,
        _entries.number_position,
        _contacts.consent,
    )
    .join_from(tables.list_entries, tables.contacts, _contacts.id == _entries.contact_id)
    .join(
        tables.numbers,
        (_numbers.contact_id == _entries.contact_id) & (_numbers.position == _entries.number_position),
    )
    .where(_entries.campaign_id == bindparam("campaign"))
)
_NEXT: Final = (
    _CANDIDATE.where(_entries.state == EntryState.PENDING.value)
    .order_by(_entries.id)
    .limit(bindparam("at_most"))
)
_ONE: Final = _CANDIDATE.add_columns(_entries.state).where(_entries.contact_id == bindparam("contact"))
_STANDING: Final = (
    select(_entries.state, func.count().label("entries"))
    .where(_entries.campaign_id == bindparam("campaign"))
    .group_by(_entries.state)
)
_attempts = tables.attempts.c
_OUTCOMES: Final = (
    select(_attempts.outcome, func.count(), func.max(_attempts.ended_at))
    .where(_attempts.campaign_id == bindparam("campaign"), _attempts.outcome.is_not(None))
    .group_by(_attempts.outcome)
)


class SqlCampaigns:
    """Campaigns, lists, contacts and their numbers."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def add_campaign(self, campaign: Campaign) -> Campaign:
        """See the port."""
        row = insert(tables.campaigns).values(_campaign_values(campaign)).returning(tables.campaigns.c.id)
        async with self._connections.writing() as connection:
            taken = select(tables.campaigns.c.id).where(tables.campaigns.c.name == campaign.name)
            if await connection.scalar(taken):
                raise Conflict(f"there is a campaign {campaign.name} already")
            return replace(campaign, id=(await connection.execute(row)).scalar_one())

    @to_the_end
    async def campaigns(self) -> list[Campaign]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_campaign(dict(row)) for row in (await connection.execute(_CAMPAIGNS)).mappings()]

    @to_the_end
    async def set_state(self, campaign_id: int, state: CampaignState) -> None:
        """See the port."""
        change = (
            update(tables.campaigns).where(tables.campaigns.c.id == campaign_id).values(state=state.value)
        )
        async with self._connections.writing() as connection:
            if (await connection.execute(change)).rowcount == 0:
                raise NotFound(f"there is no campaign {campaign_id}")

    @to_the_end
    async def update_campaign(self, campaign: Campaign) -> None:
        """See the port."""
        values = _campaign_values(campaign)
        del values["state"]
        known = tables.campaigns.c
        async with self._connections.writing() as connection:
            taken = select(known.id).where(known.name == campaign.name, known.id != campaign.id)
            if await connection.scalar(taken):
                raise Conflict(f"there is a campaign {campaign.name} already")
            change = update(tables.campaigns).where(known.id == campaign.id).values(values)
            if (await connection.execute(change)).rowcount == 0:
                raise NotFound(f"there is no campaign {campaign.id}")

    @to_the_end
    async def candidate(self, campaign_id: int, contact_id: int) -> tuple[Candidate, EntryState] | None:
        """See the port."""
        asked = {"campaign": campaign_id, "contact": contact_id}
        async with self._connections.reading() as connection:
            rows = [dict(row) for row in (await connection.execute(_ONE, asked)).mappings()]
        found = [(EntryState(row.pop("state")), row) for row in rows]
        if not found:
            return None
        state, row = min(found, key=lambda one: _DIALABLE_FIRST.index(one[0]))
        return Candidate(**row), state

    @to_the_end
    async def wake(self, entry_id: int) -> None:
        """See the port."""
        change = (
            update(tables.list_entries)
            .where(_entries.id == entry_id, _entries.state == EntryState.WAITING.value)
            .values(state=EntryState.PENDING.value, due_at=None)
        )
        async with self._connections.writing() as connection:
            await connection.execute(change)

    @to_the_end
    async def add_list(
        self,
        *,
        campaign_id: int,
        name: str,
        source: str,
        contacts: Sequence[NewContact],
        refused: Sequence[RowRefused] = (),
        at: datetime,
    ) -> ImportResult:
        """See the port. One transaction, so that nothing is half imported: on SQLite calls wait while it runs."""
        facts = {"campaign_id": campaign_id, "name": name, "source": source}
        async with self._connections.writing() as connection:
            await _must_know(connection, campaign_id)
            taken = select(tables.lists.c.id).filter_by(campaign_id=campaign_id, name=name)
            if await connection.scalar(taken):
                raise Conflict(f"the campaign has a list {name} already")
            row = insert(tables.lists).values(**facts, taken=len(contacts), created_at=at)
            list_id = (await connection.execute(row.returning(tables.lists.c.id))).scalar_one()
            ids = await self._connections.new_ids(connection, tables.contacts, len(contacts))
            numbered = list(zip(ids, contacts, strict=True))
            await add_contacts(connection, numbered, list_id=list_id, campaign_id=campaign_id, at=at)
            await add_refusals(connection, refused, list_id=list_id)
        return ImportResult(list_id=list_id, taken=len(contacts), refused=tuple(refused))

    @to_the_end
    async def next_candidates(
        self, campaign_id: int, *, limit: int, skip: Sequence[int] = ()
    ) -> list[Candidate]:
        """See the port."""
        unwanted = set(skip)
        wanted = {"campaign": campaign_id, "at_most": limit + len(unwanted)}
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_NEXT, wanted)).mappings().all()
        return list(islice((Candidate(**row) for row in rows if row["entry_id"] not in unwanted), limit))

    @to_the_end
    async def progress(self, campaign_id: int) -> Progress:
        """See the port. Counts from indexes alone: some 50 ms for a million entries."""
        asked = {"campaign": campaign_id}
        async with self._connections.reading() as connection:
            await _must_know(connection, campaign_id)
            rows = (await connection.execute(_STANDING, asked)).all()
            outcomes = (await connection.execute(_OUTCOMES, asked)).all()
        standing = {row.state: row.entries for row in rows}
        return Progress(
            campaign_id=campaign_id,
            total=sum(standing.values()),
            pending=standing.get(EntryState.PENDING, 0),
            waiting=standing.get(EntryState.WAITING, 0),
            dialing=standing.get(EntryState.DIALING, 0),
            done=standing.get(EntryState.DONE, 0),
            outcomes={outcome: count for outcome, count, _ in outcomes},
            updated_at=max((last for _, _, last in outcomes if last), default=None),
        )


async def _must_know(connection: AsyncConnection, campaign_id: int) -> None:
    known = select(tables.campaigns.c.id).where(tables.campaigns.c.id == campaign_id)
    if await connection.scalar(known) is None:
        raise NotFound(f"there is no campaign {campaign_id}")


def _campaign_values(campaign: Campaign) -> dict[str, Any]:
    values = asdict(campaign) | {
        "mode": campaign.mode.value,
        "state": campaign.state.value,
        "rules": rules_record(campaign.rules),
    }
    del values["id"]
    return values


def _campaign(values: dict[str, Any]) -> Campaign:
    return Campaign(
        **values
        | {
            "mode": Mode(values["mode"]),
            "state": CampaignState(values["state"]),
            "rules": rules_of(values["rules"], where="rules"),
        }
    )
