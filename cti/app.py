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
from cti.ami.listener import CallListener
from cti.ami.panoramisk_client import AmiAccount, PanoramiskClient
from cti.bus import EventBus
from cti.chances.learned import LearnedChances
from cti.chances.learner import ChanceLearner
from cti.clock import Clock, SystemClock
from cti.compliance.consent_desk import ConsentDesk
from cti.compliance.do_not_call import DoNotCall
from cti.compliance.gate import ComplianceGate
from cti.compliance.preview import ComplianceDesk
from cti.compliance.profiles import SHIPPED, load_profiles
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.call_desk import CallDesk
from cti.dialer.callback_clock import CallbackClock
from cti.dialer.callback_desk import CallbackDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.engine import DialEngine
from cti.dialer.journal import Journal
from cti.dialer.pacers import MakePacer
from cti.dialer.recycler import Recycler
from cti.dialer.retry import RetryPlan
from cti.dialer.thinner import Thinner
from cti.dialer.whys import Whys
from cti.errors import SettingsError
from cti.hooks.ports import Post
from cti.lines.desk import LineDesk
from cti.lines.keeper import LineKeeper
from cti.model.dictionaries import DictionaryKind
from cti.model.findings import Finding
from cti.model.queries import CallFilter
from cti.model.transcription import transcription_works
from cti.model.work import FIT_CHANCES
from cti.node.cel import CelFolder
from cti.node.checks import NodeToCheck, check_machine, check_node
from cti.reports.service import CallReconciler, Reports
from cti.service import Service, running
from cti.settings import NodeSettings, Settings
from cti.storage.alone import only_service
from cti.storage.database import Database, open_database
from cti.web.app import make_app, serving
from cti.web.deps import Deps
from cti.web.node_board import NodeBoard
from cti.wiring.crm import CrmRoom
from cti.wiring.dialing import Dialing, Listener, pacer_of
from cti.wiring.hooks import Hooks, dial_desk, sender_of, waking
from cti.wiring.people import People
from cti.wiring.quality import QualityParts
from cti.wiring.recordings import Recordings
from cti.wiring.transcription import Transcribing
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
            tracker=app.tracker,
            lines=app.lines,
            agents=app.agents,
            campaigns=app.campaigns,
            engine=app.dialing.engine,
            journal=app.journal,
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


async def check(settings: Settings, *, clock: Clock | None = None) -> list[Finding]:
    """Look at this machine and prove the node contract on each node; dials nobody, leaves nothing up."""
    clock = clock or SystemClock()
    findings = await check_machine(
        recordings=settings.recording.folder,
        reach_database=lambda: _ask_database(settings),
        host=settings.api.host,
        port=settings.api.port,
    )
    if not settings.nodes:
        mend = "add a [[nodes]] table to the settings"
        findings.append(
            Finding(node="", subject="nodes", ok=False, message="the settings name no node", mend=mend)
        )
    looked = await asyncio.gather(
        *(check_node(_to_check(settings, node), clock=clock) for node in settings.nodes)
    )
    return findings + [finding for found in looked for finding in found]


async def _ask_database(settings: Settings) -> None:
    async with open_database(settings.database.url.get_secret_value()) as database:
        await database.facts.call_rows(CallFilter(limit=1))


def _to_check(settings: Settings, node: NodeSettings) -> NodeToCheck:
    return NodeToCheck(
        account=_account(node),
        trunk=node.default_trunk(),
        more_trunks=tuple(
            trunk.endpoint for trunk in node.all_trunks() if trunk.endpoint != node.default_trunk()
        ),
        message=settings.dialer.message,
        recordings=node.recordings,
        cel_file=node.cel / node.cel_file if node.cel else None,
    )


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
        nodes = {node.name: node for node in settings.nodes}
        self._nodes, self._clock = frozenset(nodes), clock
        self.database = database
        self.bus, self.tracker = EventBus(), CallTracker()
        self.board = NodeBoard(list(nodes))
        self.stories = CelFolder({name: node.cel / node.cel_file for name, node in nodes.items() if node.cel})
        self.clients = {name: PanoramiskClient(_account(node)) for name, node in nodes.items()}
        self.lines = AmiLines(
            clients=self.clients, tracker=self.tracker, phone_seconds=settings.agents.answer_seconds
        )
        self.line_keeper = LineKeeper(
            trunks=[trunk for node in settings.nodes for trunk in node.all_trunks()],
            store=database.callers,
            clock=clock,
        )
        self.dictionaries = DictionaryDesk(store=database.dictionaries, clock=clock)
        self.campaigns = CampaignDesk(
            store=database.campaigns,
            bus=self.bus,
            clock=clock,
            nodes=nodes,
            has_other_numbers=database.queue.has_other_numbers,
            dispositions=lambda campaign_id: self.dictionaries.dictionary(
                DictionaryKind.DISPOSITIONS, (campaign_id,)
            ),
        )
        self.agents = AgentDesk(
            store=database.agents,
            lines=self.lines,
            bus=self.bus,
            clock=clock,
            wrap_up_seconds=self.campaigns.wrap_up_seconds,
            answer_seconds=settings.agents.answer_seconds,
            reconnect_seconds=settings.agents.reconnect_seconds,
        )
        self.hooks = Hooks(
            settings=settings,
            database=database,
            bus=self.bus,
            clock=clock,
            post=post,
            campaigns=self.campaigns,
            agents=self.agents,
        )
        self.chances = LearnedChances(store=database.chances)
        self.learner = ChanceLearner(
            store=database.chances,
            work=database.work,
            learned=self.chances,
            campaigns=database.campaigns.campaigns,
            clock=clock,
            wake=lambda: self.work.wake(),
        )
        own = settings.compliance.profiles
        self.profiles = load_profiles(SHIPPED, *([own] if own else []))
        self.gate = ComplianceGate(store=database.compliance, profiles=self.profiles)
        self.do_not_call = DoNotCall(
            store=database.do_not_call,
            facts=database.compliance,
            clock=clock,
            region=settings.dialer.region,
        )
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
            on_work=lambda: self.work.wake(),
        )
        self.crm = CrmRoom(settings=settings, config=config, database=database, clock=clock)
        self.recordings = Recordings(
            settings=settings.recording,
            database=database,
            bus=self.bus,
            clock=clock,
            nodes=nodes,
            campaigns=self.campaigns,
            lines=self.lines,
            open_calls=self.tracker,
            on_work=lambda: self.work.wake(),
            transcribe=lambda call, facts: transcription_works(
                self.campaigns.rules(call.campaign_id or 0).transcription, call.call_id, facts
            ),
            also=lambda call, facts: (
                self.crm.followers.changed(call.call_id, clock.now()) if facts.path else ()
            ),
        )
        self.quality = QualityParts(
            database=database,
            bus=self.bus,
            clock=clock,
            settings=settings.quality,
            zone=settings.api.zone,
            agents=self.agents.agents,
            on_work=lambda: self.work.wake(),
        )
        self.transcription = Transcribing(
            settings=settings,
            config=config,
            database=database,
            bus=self.bus,
            clock=clock,
            campaigns=self.campaigns,
            open_calls=lambda: len(self.tracker.open_calls()),
        )
        self.work = self._work(clock)
        self.plan = RetryPlan(self.campaigns.rules, finals=self.people.finals)
        self.journal = Journal(
            calls=database.calls,
            agents=database.agents,
            on_work=waking(self.work, self.hooks.work),
            plan=self.plan,
            tell=self.hooks.book.tell,
            follow=self.crm.followers.ended,
        )
        self.dialing = Dialing(
            database=database,
            bus=self.bus,
            clock=clock,
            tracker=self.tracker,
            lines=self.lines,
            campaigns=self.campaigns,
            agents=self.agents,
            gate=self.gate,
            keeper=self.line_keeper,
            chances=self.chances,
            nodes=nodes,
            may_record=self.recordings.may_record,
            pacer=pacer,
            expecting=self.hooks.popper.expect,
            choosing=self.crm.gate(self.gate),
        )
        self.listeners = [self._listener(client, clock) for client in self.clients.values()]
        self.deps = self._deps(settings, clock)
        # The journal is told first: what is acted upon below is noted before.
        hearing: tuple[Listener, ...] = (
            self.journal,
            self.board,
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
            self.journal,
            self.work,
            *self.transcription.services,
            *self.crm.services,
            self.people.importer,
            self.learner,
            *self.clients.values(),
            *self.listeners,
            self.agents,
            self.do_not_call,
            self.line_keeper,
            self.people.owners,
            CallbackClock(
                store=database.callbacks,
                bus=self.bus,
                clock=clock,
                is_away=self.agents.is_away,
                remind_minutes=settings.callbacks.remind_minutes,
                release_minutes=settings.callbacks.release_minutes,
                tell=self.hooks.book.tell,
                on_work=self.hooks.work.wake,
            ),
            Thinner(store=database.reasons, clock=clock, kept_days=settings.dialer.reasons_kept_days),
            *self.recordings.services,
            *self.quality.services,
            *self.dialing.services,
        )

    async def load(self) -> None:
        """Take up calls, agents and campaigns where the last run left them."""
        calls = await self.database.calls.open_calls()
        await self.campaigns.load()
        await self.line_keeper.load()
        await self.dictionaries.load()
        await self.quality.load()
        await self.hooks.book.load()
        await self.agents.load(calls)
        await self.people.importer.load()
        for call in calls:
            for event in self.tracker.place(call):
                self.bus.publish(event)
        if calls:
            log.info("%d calls were up when the service ended; Asterisk is asked about them", len(calls))
        for call in calls:
            if call.node not in self._nodes:
                log.error("the settings no longer name the node %s: call %s is ended", call.node, call.id)
                for event in self.tracker.settle(call.id, None, restarted=True, now=self._clock.now()):
                    self.bus.publish(event)

    def _listener(self, client: PanoramiskClient, clock: Clock) -> CallListener:
        return CallListener(
            client=client,
            tracker=self.tracker,
            bus=self.bus,
            stories=self.stories,
            clock=clock,
            memory=self.database.nodes,
            expected_legs=self.agents.expected_legs,
            expected_phones=self.agents.phones,
        )

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
            lines=LineDesk(keeper=self.line_keeper, store=self.database.callers, clock=clock),
            calls=CallDesk(
                store=self.database.calls,
                open_calls=self.tracker,
                bus=self.bus,
                dispositions=self.dictionaries,
                do_not_call=self.do_not_call,
                plan=self.plan,
                follow=self.crm.followers.disposed,
                material=lambda campaign_id: self.campaigns.rules(campaign_id).material,
                tell=self.hooks.book.tell,
                on_work=self.hooks.work.wake,
            ),
            dictionaries=self.dictionaries,
            ownership=self.people.ownership,
            distributor=self.people.distributor,
            contacts=self.people.contacts,
            bulk=self.people.bulk,
            views=self.people.views,
            facts=facts,
            reports=Reports(facts=facts, agents=self.agents.agents, clock=clock),
            reconciler=CallReconciler(
                facts=facts,
                stories=self.stories,
                nodes=[node.name for node in settings.nodes if node.cel],
            ),
            nodes=self.board,
            compliance=ComplianceDesk(
                gate=self.gate,
                profiles=self.profiles,
                store=self.database.compliance,
                consents=self.database.consents,
                region=settings.dialer.region,
            ),
            do_not_call=self.do_not_call,
            consents=ConsentDesk(store=self.database.consents, clock=clock, region=settings.dialer.region),
            previews=self.dialing.previews,
            by_hand=self.dialing.by_hand,
            ledger=self.dialing.ledger,
            decisions=self.dialing.decisions,
            recycler=Recycler(store=self.database.queue, clock=clock),
            callbacks=CallbackDesk(
                store=self.database.callbacks,
                reasons=self.database.reasons,
                gate=self.gate,
                campaign=self.campaigns.get,
                clock=clock,
                clash_minutes=settings.callbacks.clash_minutes,
                follow=self.crm.callback_followers.moved,
            ),
            whys=Whys(
                store=self.database.reasons,
                gate=self.crm.gate(self.gate),
                agents=self.agents.agents,
                campaigns=self.campaigns.all,
                clock=clock,
                pacing=self.dialing.decisions.last,
            ),
            chances=self.learner,
            transcription=self.transcription.desk,
            quality=self.quality.desks,
            transcripts=self.database.transcripts,
            search=self.database.search,
            crm=self.crm.desk,
            pulls=self.crm.pulls,
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


def _account(node: NodeSettings) -> AmiAccount:
    return AmiAccount(
        node=node.name,
        host=node.host,
        port=node.port,
        user=node.user,
        secret=node.secret.get_secret_value(),
    )
