"""Puts campaigns together, the agents who work on them, and the dictionaries that they choose from. Starts nothing."""

from cti.bus import EventBus
from cti.clock import Clock
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.model.dictionaries import DictionaryKind
from cti.settings import Settings
from cti.storage.database import Database
from cti.wiring.exchange import Exchange


class CampaignRoom:
    """The parts, wired."""

    def __init__(
        self, *, settings: Settings, database: Database, bus: EventBus, clock: Clock, exchange: Exchange
    ) -> None:
        self.dictionaries = DictionaryDesk(store=database.dictionaries, clock=clock)
        self.campaigns = CampaignDesk(
            store=database.campaigns,
            bus=bus,
            clock=clock,
            nodes=exchange.nodes,
            has_other_numbers=database.queue.has_other_numbers,
            dispositions=lambda campaign_id: self.dictionaries.dictionary(
                DictionaryKind.DISPOSITIONS, (campaign_id,)
            ),
        )
        self.agents = AgentDesk(
            store=database.agents,
            lines=exchange.lines,
            bus=bus,
            clock=clock,
            wrap_up_seconds=self.campaigns.wrap_up_seconds,
            answer_seconds=settings.agents.answer_seconds,
            reconnect_seconds=settings.agents.reconnect_seconds,
        )
