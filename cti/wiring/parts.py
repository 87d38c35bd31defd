"""Puts the whole service together, room by room; says in which order parts hear and end. Starts nothing."""

import logging
from pathlib import Path

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.pacers import MakePacer
from cti.dialer.thinner import Thinner
from cti.hooks.ports import Post
from cti.model.transcription import transcription_works
from cti.service import Service
from cti.settings import Settings
from cti.storage.database import Database
from cti.wiring.callbacks import CallbackRoom
from cti.wiring.calls import CallRoom
from cti.wiring.campaigns import CampaignRoom
from cti.wiring.chances import ChanceRoom
from cti.wiring.compliance import ComplianceRoom
from cti.wiring.crm import CrmRoom
from cti.wiring.dialing import Dialing, Listener
from cti.wiring.exchange import Exchange
from cti.wiring.hooks import Hooks
from cti.wiring.people import People
from cti.wiring.quality import QualityParts
from cti.wiring.recordings import Recordings
from cti.wiring.transcription import Transcribing
from cti.wiring.transcripts import transcript_retention
from cti.work.runner import WorkRunner

log = logging.getLogger(__name__)


class Parts:
    """All parts of the service. `load` first, then run `services`."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        clock: Clock,
        pacer: MakePacer,
        config: Path | None,
        post: Post,
    ) -> None:
        """`config`: the settings file, for processes of our own; `post` sends webhooks."""
        self.database = database
        self.bus = EventBus()
        self.exchange = Exchange(settings=settings, database=database, bus=self.bus, clock=clock)
        room = CampaignRoom(
            settings=settings, database=database, bus=self.bus, clock=clock, exchange=self.exchange
        )
        self.dictionaries, self.campaigns, self.agents = room.dictionaries, room.campaigns, room.agents
        self.crm = CrmRoom(
            settings=settings,
            config=config,
            database=database,
            clock=clock,
            bus=self.bus,
            open_calls=self.exchange.tracker,
        )
        self.hooks = Hooks(
            settings=settings,
            database=database,
            bus=self.bus,
            clock=clock,
            post=post,
            campaigns=self.campaigns,
            agents=self.agents,
            look_ups=self.crm.asker,
        )
        self.chances = ChanceRoom(database=database, clock=clock, on_work=self._wake)
        self.compliance = ComplianceRoom(settings=settings, database=database, clock=clock)
        self.people = People(
            settings=settings,
            database=database,
            dictionaries=self.dictionaries,
            bus=self.bus,
            clock=clock,
            campaigns=self.campaigns,
            agents=self.agents,
            tell=self.hooks.book.tell,
            on_hooks=self.hooks.work.wake,
            on_work=self._wake,
            follow=self.crm.contact_followers.changed,
        )
        self.callbacks = CallbackRoom(
            settings=settings,
            database=database,
            bus=self.bus,
            clock=clock,
            gate=self.compliance.gate,
            campaigns=self.campaigns,
            agents=self.agents,
            tell=self.hooks.book.tell,
            on_hooks=self.hooks.work.wake,
            follow=self.crm.callback_followers.moved,
        )
        self.recordings = Recordings(
            settings=settings.recording,
            database=database,
            bus=self.bus,
            clock=clock,
            nodes=self.exchange.nodes,
            campaigns=self.campaigns,
            lines=self.exchange.lines,
            open_calls=self.exchange.tracker,
            on_work=self._wake,
            transcribe=lambda call, facts: transcription_works(
                self.campaigns.rules(call.campaign_id or 0).transcription, call.call_id, facts
            ),
            also=lambda call, facts: (
                self.crm.followers.changed(call.call_id, clock.now()) if facts.path else ()
            ),
            tell=self.hooks.book.tell,
            on_hooks=self.hooks.work.wake,
        )
        self.quality = QualityParts(
            database=database,
            bus=self.bus,
            clock=clock,
            settings=settings.quality,
            zone=settings.api.zone,
            agents=self.agents.agents,
            on_work=self._wake,
        )
        self.transcription = Transcribing(
            settings=settings,
            config=config,
            database=database,
            bus=self.bus,
            clock=clock,
            campaigns=self.campaigns,
            open_calls=lambda: len(self.exchange.tracker.open_calls()),
            tell=self.hooks.book.tell,
            on_hooks=self.hooks.work.wake,
        )
        self.work = self._work(clock)
        self.calls = CallRoom(
            database=database,
            bus=self.bus,
            open_calls=self.exchange.tracker,
            campaigns=self.campaigns,
            dictionaries=self.dictionaries,
            do_not_call=self.compliance.do_not_call,
            finals=self.people.finals,
            followers=self.crm.followers,
            hooks=self.hooks,
            work=self.work,
        )
        self.dialing = Dialing(
            database=database,
            bus=self.bus,
            clock=clock,
            tracker=self.exchange.tracker,
            lines=self.exchange.lines,
            campaigns=self.campaigns,
            agents=self.agents,
            gate=self.compliance.gate,
            keeper=self.exchange.keeper,
            chances=self.chances.learned,
            nodes=self.exchange.nodes,
            may_record=self.recordings.may_record,
            pacer=pacer,
            expecting=self.hooks.popper.expect,
            choosing=self.crm.gate(self.compliance.gate),
        )
        # The journal is told first: what is acted upon below is noted before.
        hearing: tuple[Listener, ...] = (
            self.calls.journal,
            self.exchange.board,
            self.agents,
            *self.dialing.listeners,
            self.people.owners,
            *self.hooks.listeners,
        )
        for part in hearing:
            self.bus.tap(part.tap)
        # Ended last first: the engine places nothing more, and the journal writes what came until the end.
        self.services: tuple[Service, ...] = (
            *self.hooks.services,
            self.calls.journal,
            self.work,
            *self.transcription.services,
            *self.crm.services,
            self.people.importer,
            *self.chances.services,
            *self.exchange.services(self.agents),
            self.agents,
            *self.compliance.services,
            self.exchange.keeper,
            self.people.owners,
            *self.callbacks.services,
            Thinner(store=database.reasons, clock=clock, kept_days=settings.dialer.reasons_kept_days),
            *self.recordings.services,
            transcript_retention(settings=settings.recording, database=database, clock=clock),
            *self.quality.services,
            *self.dialing.services,
        )

    async def load(self) -> None:
        """Take up calls, agents and campaigns where the last run left them."""
        calls = await self.database.calls.open_calls()
        await self.campaigns.load()
        await self.exchange.keeper.load()
        await self.dictionaries.load()
        await self.quality.load()
        await self.hooks.book.load()
        await self.agents.load(calls)
        await self.people.importer.load()
        self.exchange.take_up(calls)
        if calls:
            log.info("%d calls were up when the service ended; Asterisk is asked about them", len(calls))
        for call in calls:
            if call.node not in self.exchange.nodes:
                log.error("the settings no longer name the node %s: call %s is ended", call.node, call.id)
                self.exchange.give_up(call)

    def _wake(self) -> None:
        """Say that there is work; parts are given this before the runner that they wake is made."""
        self.work.wake()

    def _work(self, clock: Clock) -> WorkRunner:
        handlers = {
            **self.recordings.handlers,
            **self.people.handlers,
            **self.chances.handlers,
            **self.quality.handlers,
            **self.transcription.handlers,
        }
        return WorkRunner(store=self.database.work, handlers=handlers, clock=clock)
