"""Puts callbacks together: orders about them, and the clock that makes them due. Starts nothing."""

from collections.abc import Callable

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.callback_clock import CallbackClock
from cti.dialer.callback_desk import CallbackDesk
from cti.dialer.callback_ports import CallbackWorks
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.candidate_ports import Gate
from cti.model.telling import Tell
from cti.service import Service
from cti.settings import Settings
from cti.storage.database import Database


class CallbackRoom:
    """The parts, wired."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        bus: EventBus,
        clock: Clock,
        gate: Gate,
        campaigns: CampaignDesk,
        agents: AgentDesk,
        tell: Tell,
        on_hooks: Callable[[], None],
        follow: CallbackWorks,
    ) -> None:
        """`tell` says which work a callback leaves for webhooks, `on_hooks` that there is some; `follow` for CRMs."""
        given = settings.callbacks
        self.desk = CallbackDesk(
            store=database.callbacks,
            reasons=database.reasons,
            gate=gate,
            campaign=campaigns.get,
            clock=clock,
            clash_minutes=given.clash_minutes,
            follow=follow,
        )
        keeper = CallbackClock(
            store=database.callbacks,
            bus=bus,
            clock=clock,
            is_away=agents.is_away,
            remind_minutes=given.remind_minutes,
            release_minutes=given.release_minutes,
            tell=tell,
            on_work=on_hooks,
        )
        self.services: tuple[Service, ...] = (keeper,)
