"""Leads in real time: a contact comes in by the API and is the next to be dialed."""

from cti.bus import EventBus
from cti.clock import Clock
from cti.contacts.ports import LeadStore
from cti.model.campaign_rules import Order
from cti.model.contacts import EntryState
from cti.model.events import ContactAdded
from cti.model.imports import Lead, LeadTaken


class LeadDesk:
    """Takes leads and says on the bus that somebody waits to be dialed."""

    def __init__(self, *, store: LeadStore, bus: EventBus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def add(self, lead: Lead, *, order: Order) -> LeadTaken:
        """Store the lead, then tell it. Raises NotFound (campaign), StorageError.

        A lead that came before by its key, or who is being called, is not told again.
        """
        at = self._clock.now()
        taken = await self._store.add_lead(lead, order=order, at=at)
        if taken.state == EntryState.PENDING and not taken.again:
            self._bus.publish(ContactAdded(campaign_id=lead.campaign_id, entry_id=taken.entry_id, at=at))
        return taken
