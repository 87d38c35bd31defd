"""`CampaignStore` in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.contacts import (
    Campaign,
    CampaignState,
    Candidate,
    EntryState,
    ImportResult,
    NewContact,
    Progress,
    RowRefused,
)
from tests.fakes.memory_tables import Entry, MemoryTables, StoredList


class MemoryCampaigns:
    """Campaigns, lists, contacts in dictionaries."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def add_campaign(self, campaign: Campaign) -> Campaign:
        if any(other.name == campaign.name for other in self._tables.campaigns.values()):
            raise Conflict(f"there is a campaign {campaign.name} already")
        stored = replace(campaign, id=self._tables.new_id())
        self._tables.campaigns[stored.id] = stored
        return stored

    async def campaigns(self) -> list[Campaign]:
        return [self._tables.campaigns[campaign_id] for campaign_id in sorted(self._tables.campaigns)]

    async def set_state(self, campaign_id: int, state: CampaignState) -> None:
        self._must_know(campaign_id)
        self._tables.campaigns[campaign_id] = replace(self._tables.campaigns[campaign_id], state=state)

    async def update_campaign(self, campaign: Campaign) -> None:
        self._must_know(campaign.id)
        others = (one for one in self._tables.campaigns.values() if one.id != campaign.id)
        if any(other.name == campaign.name for other in others):
            raise Conflict(f"there is a campaign {campaign.name} already")
        state = self._tables.campaigns[campaign.id].state
        self._tables.campaigns[campaign.id] = replace(campaign, state=state)

    async def candidate(self, campaign_id: int, contact_id: int) -> tuple[Candidate, EntryState] | None:
        order = (EntryState.PENDING, EntryState.WAITING, EntryState.DIALING, EntryState.DONE)
        found = [
            entry
            for entry in self._tables.entries.values()
            if (entry.campaign_id, entry.contact_id) == (campaign_id, contact_id)
        ]
        entry = min(found, key=lambda one: order.index(one.state), default=None)
        return None if entry is None else (self._tables.candidate(entry), entry.state)

    async def wake(self, entry_id: int) -> None:
        entry = self._tables.entries.get(entry_id)
        if entry is not None and entry.state is EntryState.WAITING:
            entry.state = EntryState.PENDING

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
        self._must_know(campaign_id)
        if any((one.campaign_id, one.name) == (campaign_id, name) for one in self._tables.lists.values()):
            raise Conflict(f"the campaign has a list {name} already")
        list_id = self._tables.new_id()
        self._tables.lists[list_id] = StoredList(
            campaign_id=campaign_id, name=name, source=source, refused=tuple(refused), created_at=at
        )
        for contact in contacts:
            contact_id = self._add_contact(contact, list_id=list_id, campaign_id=campaign_id)
            self._tables.created_at[contact_id] = at
        return ImportResult(list_id=list_id, taken=len(contacts), refused=tuple(refused))

    def _add_contact(self, contact: NewContact, *, list_id: int, campaign_id: int) -> int:
        contact_id, entry_id = self._tables.new_id(), self._tables.new_id()
        self._tables.contacts[contact_id] = contact
        self._tables.number_ids[contact_id] = min([self._tables.new_id() for _ in contact.numbers], default=0)
        self._tables.entries[entry_id] = Entry(
            id=entry_id, list_id=list_id, campaign_id=campaign_id, contact_id=contact_id
        )
        return contact_id

    async def next_candidates(
        self, campaign_id: int, *, limit: int, skip: Sequence[int] = ()
    ) -> list[Candidate]:
        unwanted = set(skip)
        found = [
            self._tables.candidate(entry)
            for entry in self._tables.entries.values()
            if entry.campaign_id == campaign_id
            and entry.state is EntryState.PENDING
            and entry.id not in unwanted
        ]
        return found[:limit]

    async def progress(self, campaign_id: int) -> Progress:
        self._must_know(campaign_id)
        entries = [entry for entry in self._tables.entries.values() if entry.campaign_id == campaign_id]
        standing = Counter(entry.state for entry in entries)
        attempts = [one for one in self._tables.attempts.values() if one.campaign_id == campaign_id]
        return Progress(
            campaign_id=campaign_id,
            total=len(entries),
            pending=standing[EntryState.PENDING],
            waiting=standing[EntryState.WAITING],
            dialing=standing[EntryState.DIALING],
            done=standing[EntryState.DONE],
            outcomes=Counter(one.outcome.value for one in attempts if one.outcome),
            updated_at=max((one.ended_at for one in attempts if one.ended_at), default=None),
        )

    def _must_know(self, campaign_id: int) -> None:
        if campaign_id not in self._tables.campaigns:
            raise NotFound(f"there is no campaign {campaign_id}")
