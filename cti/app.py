"""The composition root: opens what holds a connection, has the parts put together (`cti.wiring`), runs them."""

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
from cti.clock import Clock, SystemClock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.engine import DialEngine
from cti.dialer.journal import Journal
from cti.dialer.pacers import MakePacer
from cti.errors import SettingsError
from cti.service import running
from cti.settings import Settings
from cti.storage.alone import only_service
from cti.storage.database import Database, open_database
from cti.web.app import make_app, serving
from cti.wiring.api import deps_of
from cti.wiring.dialing import pacer_of
from cti.wiring.hooks import sender_of
from cti.wiring.parts import Parts

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
        parts = Parts(
            settings=settings, database=database, clock=clock, pacer=pacer, config=config, post=post
        )
        await parts.load()
        # The port first: a second service on the same settings ends here, before it has dialed anybody.
        url = await stack.enter_async_context(
            serving(
                make_app(
                    deps_of(parts, settings=settings, clock=clock),
                    [*settings.grants(), *parts.transcription.grants, *parts.crm.grants],
                ),
                host=settings.api.host,
                port=settings.api.port,
            )
        )
        await stack.enter_async_context(running(*parts.services))
        yield App(
            bus=parts.bus,
            tracker=parts.exchange.tracker,
            lines=parts.exchange.lines,
            agents=parts.agents,
            campaigns=parts.campaigns,
            engine=parts.dialing.engine,
            journal=parts.calls.journal,
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
