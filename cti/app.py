"""The composition root: the only module that knows every other one. Opens what holds a connection, wires, runs."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cti.ami.call_tracker import CallTracker
from cti.ami.lines import AmiLines
from cti.bus import EventBus
from cti.chances.learned import LearnedChances
from cti.chances.learner import ChanceLearner
from cti.clock import Clock, SystemClock
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.engine import DialEngine
from cti.dialer.journal import Journal
from cti.dialer.pacers import MakePacer
from cti.dialer.thinner import Thinner
from cti.errors import SettingsError
from cti.hooks.ports import Post
from cti.model.dictionaries import DictionaryKind
from cti.model.transcription import transcription_works
from cti.model.work import FIT_CHANCES
from cti.reports.service import Reports
from cti.service import Service, running
from cti.settings import Settings
from cti.storage.alone import only_service
from cti.storage.database import Database, open_database
from cti.web.app import make_app, serving
from cti.web.deps import Deps
from cti.wiring.callbacks import CallbackRoom
from cti.wiring.calls import CallRoom
from cti.wiring.compliance import ComplianceRoom
from cti.wiring.crm import CrmRoom
from cti.wiring.dialing import Dialing, Listener, pacer_of
from cti.wiring.exchange import Exchange
from cti.wiring.hooks import Hooks, dial_desk, sender_of
from cti.wiring.people import People
from cti.wiring.quality import QualityParts
from cti.wiring.recordings import Recordings
from cti.wiring.transcription import Transcribing
from cti.wiring.transcripts import transcript_retention
from cti.work.runner import WorkRunner

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running service, for `run` and for tests and benchmarks that live in its process."""

    bus: EventBus
    tracker: CallTracker
    lines: AmiLines
    agents: AgentDesk
    campaigns: CampaignDesk
    engine: DialEngine
    journal: Journal
    database: Database
    url: str
    """Where the API listens."""


@asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    pacer: MakePacer = pacer_of,
    config: Path | None = None,
) -> AsyncIterator[App]:
    """Open what holds a connection, take up where the last run ended, run all services; undo it in reverse order.

    `config` is the file the settings came from, for processes of our own.

    A node that cannot be reached is no error: it is tried for ever, and told. Raises SettingsError (no node, port
    taken), Conflict (another service on this database), StorageError (no database, or a newer one).
    """
    if not settings.nodes:
        raise SettingsError("nodes: the settings name no Asterisk node; add a [[nodes]] table")
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(only_service(settings.database.url.get_secret_value()))
        database = await stack.enter_async_context(
            open_database(settings.database.url.get_secret_value(), clock=clock)
        )
        post = await stack.enter_async_context(sender_of(settings))
        app = _Wired(settings, database, clock, pacer, config, post)
        await app.load()
        # The port first: a second service on the same settings ends here, before it has dialed anybody.
        url = await stack.enter_async_context(
            serving(
                make_app(app.deps, [*settings.grants(), *app.transcription.grants, *app.crm.grants]),
                host=settings.api.host,
                port=settings.api.port,
            )
        )
        await stack.enter_async_context(running(*app.services))
        yield App(
            bus=app.bus,
            tracker=app.exchange.tracker,
            lines=app.exchange.lines,
            agents=app.agents,
            campaigns=app.campaigns,
            engine=app.dialing.engine,
            journal=app.calls.journal,
            database=database,
            url=url,
        )


async def run(settings: Settings, config: Path | None = None) -> None:
    """Run the service until SIGTERM or SIGINT. Calls that are up go on without it."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with open_app(settings, config=config) as app:
        log.info("the API listens on %s", app.url)
        await stopped.wait()
        log.info("ending; %d calls go on without the service", len(app.tracker.open_calls()))


class _Wired:
    """All parts, wired and not started."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        pacer: MakePacer,
        config: Path | None,
        post: Post,
    ) -> None:
        self.database = database
        self.bus = EventBus()
        self.exchange = Exchange(settings=settings, database=database, bus=self.bus, clock=clock)
        self.dictionaries = DictionaryDesk(store=database.dictionaries, clock=clock)
        self.campaigns = CampaignDesk(
            store=database.campaigns,
            bus=self.bus,
            clock=clock,
            nodes=self.exchange.nodes,
            has_other_numbers=database.queue.has_other_numbers,
            dispositions=lambda campaign_id: self.dictionaries.dictionary(
                DictionaryKind.DISPOSITIONS, (campaign_id,)
            ),
        )
        self.agents = AgentDesk(
            store=database.agents,
            lines=self.exchange.lines,
            bus=self.bus,
            clock=clock,
            wrap_up_seconds=self.campaigns.wrap_up_seconds,
            answer_seconds=settings.agents.answer_seconds,
            reconnect_seconds=settings.agents.reconnect_seconds,
        )
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
        self.chances = LearnedChances(store=database.chances)
        self.learner = ChanceLearner(
            store=database.chances,
            work=database.work,
            learned=self.chances,
            campaigns=database.campaigns.campaigns,
            clock=clock,
            wake=self._wake,
        )
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
            chances=self.chances,
            nodes=self.exchange.nodes,
            may_record=self.recordings.may_record,
            pacer=pacer,
            expecting=self.hooks.popper.expect,
            choosing=self.crm.gate(self.compliance.gate),
        )
        self.deps = self._deps(settings, clock)
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
            self.learner,
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
            FIT_CHANCES: self.learner.handle,
            **self.quality.handlers,
            **self.transcription.handlers,
        }
        return WorkRunner(store=self.database.work, handlers=handlers, clock=clock)

    def _deps(self, settings: Settings, clock: Clock) -> Deps:
        facts = self.database.facts
        return Deps(
            agents=self.agents,
            campaigns=self.campaigns,
            imports=self.people.importer,
            leads=self.people.leads,
            lines=self.exchange.desk,
            calls=self.calls.desk,
            dictionaries=self.dictionaries,
            ownership=self.people.ownership,
            distributor=self.people.distributor,
            contacts=self.people.contacts,
            bulk=self.people.bulk,
            views=self.people.views,
            facts=facts,
            reports=Reports(facts=facts, agents=self.agents.agents, clock=clock),
            reconciler=self.exchange.reconciler(facts),
            nodes=self.exchange.board,
            compliance=self.compliance.desk,
            do_not_call=self.compliance.do_not_call,
            consents=self.compliance.consents,
            previews=self.dialing.previews,
            by_hand=self.dialing.by_hand,
            ledger=self.dialing.ledger,
            decisions=self.dialing.decisions,
            recycler=self.dialing.recycler,
            callbacks=self.callbacks.desk,
            whys=self.dialing.whys,
            chances=self.learner,
            transcription=self.transcription.desk,
            quality=self.quality.desks,
            transcripts=self.database.transcripts,
            search=self.database.search,
            crm=self.crm.desk,
            pulls=self.crm.pulls,
            look_ups=self.crm.look_ups,
            records=self.crm.records,
            hooks=self.hooks.desk,
            dial=dial_desk(
                settings=settings,
                database=self.database,
                clock=clock,
                by_hand=self.dialing.by_hand,
                campaigns=self.campaigns,
                agents=self.agents,
            ),
            bus=self.bus,
            clock=clock,
            recordings=self.recordings.desk,
            pauses=self.recordings.pauses,
            space=self.recordings.space,
            templates=settings.templates(),
            region=settings.dialer.region,
        )
