"""Puts together what is known of contacts: finding and changing them, lists, dictionaries, whose they are."""

from collections.abc import Callable, Sequence
from typing import Final

from cti.bus import EventBus
from cti.clock import Clock
from cti.contacts.bulk_desk import BulkDesk
from cti.contacts.bulk_ports import Given
from cti.contacts.desk import ContactDesk
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.contacts.finding_ports import ContactWorks
from cti.contacts.importer import Importer
from cti.contacts.lead_desk import LeadDesk
from cti.contacts.view_desk import ViewDesk
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.model.bulk import BULK_WORK
from cti.model.dictionaries import Meaning
from cti.model.ownership import Selection
from cti.model.telling import Tell
from cti.ownership.desk import OwnershipDesk
from cti.ownership.distributor import Distributor
from cti.ownership.house import House
from cti.ownership.keeper import OwnershipKeeper
from cti.settings import Settings
from cti.storage.database import Database

ENDS_CALLING: Final = (Meaning.FINAL, Meaning.DO_NOT_CALL)
"""What a disposition means after which nobody calls again."""


class People:
    """The desks of contacts, wired."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        dictionaries: DictionaryDesk,
        bus: EventBus,
        clock: Clock,
        campaigns: CampaignDesk,
        agents: AgentDesk,
        tell: Tell,
        on_hooks: Callable[[], None],
        on_work: Callable[[], None],
        follow: ContactWorks,
    ) -> None:
        """`tell` says which work a move of a contact leaves for webhooks, `on_hooks` that there is some.

        `follow`: which an edit leaves for CRMs.
        """
        self.dictionaries = dictionaries
        house = House(
            store=database.ownership,
            agents=agents.agents,
            campaigns=campaigns.all,
            bus=bus,
            clock=clock,
            tell=tell,
            on_work=on_hooks,
        )
        self.ownership, self.distributor = OwnershipDesk(house), Distributor(house)
        self.owners = OwnershipKeeper(
            house=house,
            success_codes=lambda campaign_id: dictionaries.codes_meaning(Meaning.SUCCESS, campaign_id),
        )
        self.contacts = ContactDesk(
            store=database.finding,
            agents=agents.agents,
            campaigns=campaigns.all,
            clock=clock,
            zone=settings.api.zone,
            dictionaries=dictionaries,
            follow=follow,
        )
        self.views = ViewDesk(store=database.views, contacts=self.contacts, clock=clock)
        self.leads = LeadDesk(store=database.leads, bus=bus, clock=clock)
        self.bulk = BulkDesk(
            store=database.bulk,
            clock=clock,
            viewer=self.contacts.viewer,
            owners=_Owners(self.distributor),
            on_work=on_work,
        )
        self.importer = Importer(
            store=database.imports,
            folder=settings.imports.folder,
            clock=clock,
            order_of=lambda campaign_id: campaigns.get(campaign_id).rules.order.order,
        )
        self.handlers = {BULK_WORK: self.bulk.carry_out}

    def finals(self, campaign_id: int) -> set[str]:
        """Return the dispositions of a campaign after which nobody calls again."""
        found = (self.dictionaries.codes_meaning(meaning, campaign_id) for meaning in ENDS_CALLING)
        return {code for codes in found for code in codes}


class _Owners:
    """Gives contacts of an action on many to one agent, through the service of ownership."""

    def __init__(self, distributor: Distributor) -> None:
        self._distributor = distributor

    async def give(
        self, contact_ids: Sequence[int], *, to: str, take_over: bool, by: str, dry_run: bool
    ) -> Given:
        shared = await self._distributor.assign(
            Selection(contact_ids=tuple(contact_ids)), to=[to], take_over=take_over, by=by, dry_run=dry_run
        )
        left = {reason.value: count for reason, count in shared.refused.items()}
        return Given(given=shared.given.total(), left=left)
