"""`LeadStore` on the database: one contact that wants to be dialed now, with one commit."""

from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.doubles import Known, planned
from cti.errors import NotFound
from cti.model.campaign_rules import Order
from cti.model.contacts import EntryState, NewContact
from cti.model.doubles import DoubleRule
from cti.model.imports import Lead, LeadTaken, StagedRow
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.contact_writes import Into, Joining, add_contacts, add_entries, change_contacts
from cti.storage.known_contacts import known_contacts
from cti.storage.uninterrupted import to_the_end

LEADS_LIST: Final = "leads"
"""Name and source of the list that leads stand in, one for each campaign."""
_entries, _keys, _lists = tables.list_entries.c, tables.lead_keys.c, tables.lists.c


class SqlLeads:
    """Leads in real time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def add_lead(self, lead: Lead, *, order: Order, at: datetime) -> LeadTaken:
        """See the port."""
        async with self._connections.writing() as connection:
            campaign = tables.campaigns.c.id
            # locked, so that on PostgreSQL two leads of one campaign come one after the other; calls and entries that
            # name the campaign are written meanwhile
            held = select(campaign).where(campaign == lead.campaign_id).with_for_update(key_share=True)
            if await connection.scalar(held) is None:
                raise NotFound(f"there is no campaign {lead.campaign_id}")
            if (again := await _earlier(connection, lead)) is not None:
                return again
            taken = await self._taken(connection, lead, order, at)
            await _remember(connection, lead, taken, at)
            return taken

    async def _taken(self, connection: AsyncConnection, lead: Lead, order: Order, at: datetime) -> LeadTaken:
        list_id = await _leads_list(connection, lead.campaign_id, at)
        into = Into(campaign_id=lead.campaign_id, list_id=list_id, priority=lead.priority, order=order, at=at)
        found = await known_contacts(
            connection, [lead.contact], lead.doubles, campaign_id=lead.campaign_id, import_id=None
        )
        known = min(found.values(), key=lambda one: one.id, default=None)
        if known is None:
            (contact_id,) = await add_contacts(self._connections, connection, [lead.contact], into)
            joining = Joining(contact_id=contact_id, contact=lead.contact)
        else:
            known, after = await _changed(self._connections, connection, lead, found, known, at)
            if (standing := await _raised(connection, known.id, lead, list_id)) is not None:
                return standing
            joining = Joining(contact_id=known.id, contact=after, owner_agent_id=known.owner_agent_id)
        (entry_id,) = await add_entries(self._connections, connection, [joining], into)
        return LeadTaken(
            contact_id=joining.contact_id,
            entry_id=entry_id,
            state=EntryState.PENDING.value,
            known=known is not None,
        )


async def _changed(
    connections: Connections,
    connection: AsyncConnection,
    lead: Lead,
    found: dict[str, Known],
    known: Known,
    at: datetime,
) -> tuple[Known, NewContact]:
    """Make the contact what the rule says (`skip`: leave him as he is); return him before and after."""
    if lead.doubles.rule is DoubleRule.SKIP:
        return known, known.contact
    plan = planned([StagedRow(line=1, contact=lead.contact)], found, lead.doubles)
    (change,) = plan.changes.values()
    await change_contacts(connections, connection, [change], at=at)
    return change.known, change.after


async def _earlier(connection: AsyncConnection, lead: Lead) -> LeadTaken | None:
    """Return what became of the same lead when it came before."""
    if lead.key is None:
        return None
    wanted = select(tables.lead_keys).where(_keys.campaign_id == lead.campaign_id, _keys.key == lead.key)
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    state = await connection.scalar(select(_entries.state).where(_entries.id == row.entry_id))
    return LeadTaken(
        contact_id=row.contact_id,
        entry_id=row.entry_id,
        state=state or EntryState.DONE.value,
        known=True,
        again=True,
    )


async def _remember(connection: AsyncConnection, lead: Lead, taken: LeadTaken, at: datetime) -> None:
    if lead.key is not None:
        values = {"contact_id": taken.contact_id, "entry_id": taken.entry_id, "created_at": at}
        row = insert(tables.lead_keys).values(campaign_id=lead.campaign_id, key=lead.key, **values)
        await connection.execute(row)


async def _leads_list(connection: AsyncConnection, campaign_id: int, at: datetime) -> int:
    wanted = select(_lists.id).where(_lists.campaign_id == campaign_id, _lists.name == LEADS_LIST)
    found = await connection.scalar(wanted)
    if found is not None:
        return int(found)
    values = {"campaign_id": campaign_id, "name": LEADS_LIST, "source": LEADS_LIST}
    row = insert(tables.lists).values(**values, taken=0, created_at=at).returning(_lists.id)
    return int((await connection.execute(row)).scalar_one())


async def _raised(connection: AsyncConnection, contact_id: int, lead: Lead, list_id: int) -> LeadTaken | None:
    """Put the place that he has in the campaign before all others; None when he has none that is open.

    It moves to the list of leads: an import that is undone must not take a lead away.
    """
    open_states = [state.value for state in EntryState if state is not EntryState.DONE]
    wanted = (
        select(_entries.id, _entries.state, _entries.priority)
        .where(
            _entries.contact_id == contact_id,
            _entries.campaign_id == lead.campaign_id,
            _entries.state.in_(open_states),
        )
        .order_by(_entries.id)
        .with_for_update()
    )
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    state = row.state
    if state != EntryState.DIALING.value:
        state = EntryState.PENDING.value
        priority = max(row.priority, lead.priority)
        values = {"state": state, "due_at": None, "priority": priority, "list_id": list_id}
        await connection.execute(update(tables.list_entries).where(_entries.id == row.id).values(values))
    return LeadTaken(contact_id=contact_id, entry_id=row.id, state=state, known=True)
