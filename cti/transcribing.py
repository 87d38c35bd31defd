"""The composition root of a worker's process, `python -m cti.asr`: takes recordings, hands in transcripts."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import click

from cti.asr.api_feed import ApiFeed, api_feed
from cti.asr.archive_sounds import ArchiveSounds
from cti.asr.brake import Brake
from cti.asr.engine_scribes import EngineScribes
from cti.asr.engines import open_engine
from cti.asr.pressure import Limits
from cti.asr.redis_stream import open_stream
from cti.asr.stream_feed import StreamFeed
from cti.asr.table_feed import TableFeed
from cti.asr.watchman import Watchman
from cti.asr.worker import Hangs, TranscriptionWorker
from cti.asr.worker_ports import Feed, Scribes, Sounds
from cti.child import RECYCLE_STATUS
from cti.clock import SystemClock
from cti.errors import CtiError, SettingsError, StorageError
from cti.model.campaign_rules import CampaignRules
from cti.recording.archive import Archive
from cti.service import every, running
from cti.settings import Settings, load
from cti.settings.client import access
from cti.storage.database import Database, open_database
from cti.wiring.transcription import RENEWALS, follow_of
from cti.wiring.transcripts import kept_transcripts

log = logging.getLogger(__name__)

MakeScribes = Callable[[Settings], Scribes]
HANGS_STATUS: Final = 70
"""EX_SOFTWARE of sysexits.h: a thread hung in an engine."""
WRONG_SETTINGS_STATUS: Final = 3
SIZE_SECONDS: Final = 10.0
RULES_SECONDS: Final = 15.0


def models_of(settings: Settings) -> EngineScribes:
    """Return the models of the settings, none of them loaded yet."""
    asr = settings.asr
    return EngineScribes(
        profiles=asr.profiles(),
        open_engine=partial(open_engine, cache=asr.cache, threads=asr.threads),
    )


async def work(
    settings: Settings,
    *,
    config: Path | None = None,
    name: str | None = None,
    ends_with_stdin: bool = False,
    scribes: MakeScribes = models_of,
) -> int:
    """Transcribe until SIGTERM or SIGINT; return the exit status. Raises SettingsError, StorageError, GiveUp and
    EngineError for models that are not there or cannot be loaded.
    """
    os.nice(settings.asr.nice)
    name = name or f"{socket.gethostname()}-{os.getpid()}"
    brake = Brake()
    async with AsyncExitStack() as stack:
        feed, sounds = await stack.enter_async_context(_fed(settings, config, name))
        models = scribes(settings)
        # Before any work is taken: with a model that cannot be loaded every recording would end as a dead letter.
        first = await asyncio.to_thread(models.scribe, model="", language="")
        log.info("%s hears %s with the model %s", first.engine, first.language, first.model)
        worker = TranscriptionWorker(
            feed=feed,
            sounds=sounds,
            scribes=models,
            clock=SystemClock(),
            brake=brake,
            threads=settings.asr.threads,
            keep_seconds=settings.asr.lease_seconds / RENEWALS,
        )
        _end_on_signals(worker)
        if ends_with_stdin:
            stack.push_async_callback(_cancelled, asyncio.create_task(_end_on_eof(worker), name="stdin"))
        size = SizeWatch(worker, most_mb=settings.asr.recycle_mb)
        watchman = Watchman(brake=brake, limits=limits_of(settings), live_calls=feed.live_calls)
        log.info("transcription worker %s begins, %d threads", name, settings.asr.threads)
        async with running(watchman, size):
            await worker.run()
        log.info("transcription worker %s ends; it stored %d transcripts", name, worker.stored)
    return RECYCLE_STATUS if size.grown else 0


def limits_of(settings: Settings) -> Limits:
    """Return above what a worker pauses."""
    asr = settings.asr
    return Limits(
        cores=asr.cores,
        stalled=asr.pause_above_waiting,
        load_per_core=asr.pause_above_load,
        live_calls=asr.pause_above_calls,
    )


class SizeWatch:
    """Ends a worker that has grown too large: an engine's caches grow with the hours, and are freed only so."""

    name = "size of the worker"

    def __init__(self, worker: TranscriptionWorker, *, most_mb: int) -> None:
        self._worker = worker
        self._most_mb = most_mb
        self.grown = False

    async def run(self) -> None:
        """Look for ever."""
        await every(SIZE_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Look once."""
        size = _resident_mb()
        if size > self._most_mb and not self.grown:
            log.info("the worker has grown to %.0f MB; it ends to be begun anew", size)
            self.grown = True
            self._worker.finish()


def _own_ways(settings: Settings) -> tuple[bool, bool]:
    """Return whether work is had of the database itself, and sounds of the archive itself; else of the service.

    Raises SettingsError for what cannot be.
    """
    is_postgres = settings.database.url.get_secret_value().startswith("postgresql")
    asr = settings.asr
    if asr.feed == "table" and not is_postgres:
        raise SettingsError(
            "asr.feed: is table, but database.url is SQLite, which is the service's alone; use api or redis"
        )
    if asr.sounds == "archive" and not is_postgres:
        raise SettingsError(
            "asr.sounds: is archive, but what is known of recordings lies in SQLite, the service's alone; use api"
        )
    if asr.feed == "redis" and not settings.redis.url.get_secret_value():
        raise SettingsError("asr.feed: is redis, but redis.url is empty")
    by_table = asr.feed == "table" or (asr.feed != "api" and is_postgres)
    return by_table, asr.sounds == "archive" or (asr.sounds == "auto" and by_table)


@asynccontextmanager
async def _fed(settings: Settings, config: Path | None, name: str) -> AsyncIterator[tuple[Feed, Sounds]]:
    """Open what the settings name as feed, and as the place of sounds."""
    asr, (by_table, by_archive) = settings.asr, _own_ways(settings)
    async with AsyncExitStack() as stack:
        api: ApiFeed | None = None
        if not (by_table and by_archive):
            found = access(config=config)
            api = await stack.enter_async_context(api_feed(found.url, found.token, worker=name))
        database: Database | None = None
        if by_table or by_archive:
            database = await stack.enter_async_context(
                open_database(settings.database.url.get_secret_value())
            )
        feed: Feed | None = api
        if by_table and database:
            rules = CampaignRulesNow(database)
            await rules.read()  # before anything is stored: they say which numbers may not be kept
            await stack.enter_async_context(running(rules))
            feed = _table(settings, database, rules)
        sounds: Sounds | None = api
        if by_archive and database:
            sounds = ArchiveSounds(facts=database.recordings, archive=Archive.open(settings.recording.plan()))
        if feed is None or sounds is None:
            raise AssertionError("the API was opened unless table and archive do without it")
        if asr.feed == "redis":
            stream = await stack.enter_async_context(open_stream(settings.redis.url.get_secret_value()))
            feed = StreamFeed(stream=stream, verdicts=feed, worker=name, claim_seconds=asr.lease_seconds)
        yield feed, sounds


class CampaignRulesNow:
    """Campaigns' rules as the database has them, read anew every few seconds. A service."""

    name = "rules of campaigns"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rules: dict[int, CampaignRules] = {}

    def of(self, campaign_id: int) -> CampaignRules:
        """Return a campaign's rules; those of a plain one when it is not known."""
        return self._rules.get(campaign_id, CampaignRules())

    async def run(self) -> None:
        """Read for ever."""
        await every(RULES_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Read once; what was read before stands while the database is away."""
        with suppress(StorageError):
            await self.read()

    async def read(self) -> None:
        """Read once. Raises StorageError."""
        self._rules = {one.id: one.rules for one in await self._database.campaigns.campaigns()}


def _table(settings: Settings, database: Database, rules: CampaignRulesNow) -> TableFeed:
    async def live_calls() -> int:
        return len(await database.calls.open_calls())

    return TableFeed(
        works=database.work,
        transcripts=kept_transcripts(database=database, rules_of=rules.of),
        clock=SystemClock(),
        follow=follow_of(settings),
        live_calls=live_calls,
        lease_for=timedelta(seconds=settings.asr.lease_seconds),
    )


def _end_on_signals(worker: TranscriptionWorker) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, worker.stop)


async def _end_on_eof(worker: TranscriptionWorker) -> None:
    """End when whoever began us is gone: its end of the pipe closes however it died."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(1024):
        pass
    worker.stop()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file; else WAIHU_CONFIG, else config/cti.toml.",
)
@click.option("--name", help="Name of this worker, unique; else host and process id.")
@click.option("--child", is_flag=True, help="End when standard input closes (used by `cti run`).")
def main(config: Path | None, name: str | None, child: bool) -> None:
    """Transcribe recordings until told to end. On other machines: WAIHU_URL and WAIHU_TOKEN name the service."""
    leave(begin(config=config, name=name, child=child))


def begin(
    *, config: Path | None, name: str | None = None, child: bool = False, scribes: MakeScribes = models_of
) -> int:
    """Run a worker in this process and return its exit status; errors of the settings are told in one line."""
    try:
        settings = load(config)
        logging.basicConfig(
            level=settings.logging.level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        return asyncio.run(work(settings, config=config, name=name, ends_with_stdin=child, scribes=scribes))
    except* Hangs as hangs:
        log.critical("%s", hangs.exceptions[0])
        return_status = HANGS_STATUS
    except* SettingsError as wrong:
        click.echo(f"cti.asr: {wrong.exceptions[0]}", err=True)
        return_status = WRONG_SETTINGS_STATUS
    except* CtiError as error:
        click.echo(f"cti.asr: {error.exceptions[0]}", err=True)
        return_status = 1
    return return_status


def leave(status: int) -> None:
    """End at once: a thread that hangs in an engine would hold the interpreter's own end back for ever."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
