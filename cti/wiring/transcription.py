"""Puts transcription together on the service's side: the queue, its desk, the feeder of Redis, our own workers."""

import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from cti.asr.announcer import Announcer, tell_work
from cti.asr.desk import TranscriptionDesk
from cti.asr.feeder import StreamFeeder
from cti.asr.redis_stream import open_stream
from cti.asr.supervisor import WorkerSupervisor
from cti.asr.table_feed import Follow, TableFeed, all_of
from cti.bus import EventBus
from cti.clock import Clock
from cti.crm.targets import CallFollowers
from cti.dialer.campaign_desk import CampaignDesk
from cti.errors import SettingsError
from cti.model.access import Grant, Role, digest_of
from cti.model.telling import Tell, tell_nobody
from cti.model.work import TELL_TRANSCRIPT
from cti.quality.judge import judge_work
from cti.recording.works import compress_work
from cti.service import Service
from cti.settings import Settings
from cti.settings.client import TOKEN_VARIABLE, URL_VARIABLE, service_url
from cti.storage.database import Database
from cti.wiring.transcripts import kept_transcripts
from cti.work.runner import Handler

followers: Final = all_of(
    lambda transcript: (tell_work(transcript.call_id), judge_work(transcript.call_id)),
    lambda transcript: (compress_work(transcript.call_id),),
)
"""The work that follows each new transcript; only such that has a handler."""


def follow_of(settings: Settings) -> Follow:
    """Return what follows each new transcript with these settings: `followers`, and the CRMs hear of it."""
    crms = CallFollowers(settings.crm.rules())
    return all_of(followers, lambda transcript: crms.changed(transcript.call_id, transcript.made_at))


RENEWALS: Final = 4
"""A lease is renewed this often before it would run out, so that some failures do not lose it."""
COMMAND: Final = (sys.executable, "-m", "cti.asr", "--child")


class Transcribing:
    """Transcription's parts, wired."""

    def __init__(
        self,
        *,
        settings: Settings,
        config: Path | None,
        database: Database,
        bus: EventBus,
        clock: Clock,
        campaigns: CampaignDesk,
        open_calls: Callable[[], int],
        tell: Tell = tell_nobody,
        on_hooks: Callable[[], None] = lambda: None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """`config`: the settings file, for the workers; `command` begins one. Raises SettingsError."""
        asr = settings.asr
        if asr.feed == "redis" and not settings.redis.url.get_secret_value():
            raise SettingsError("asr.feed: is redis, but redis.url is empty")

        async def live_calls() -> int:
            return open_calls()

        self.feed = TableFeed(
            works=database.work,
            transcripts=kept_transcripts(database=database, rules_of=campaigns.rules),
            clock=clock,
            follow=follow_of(settings),
            live_calls=live_calls,
            lease_for=timedelta(seconds=asr.lease_seconds),
        )
        token = secrets.token_urlsafe(32)
        self.grants = _grants(token) if asr.workers else ()
        """What lets our own workers in; the token lives as long as this process."""
        file = () if config is None else ("--config", str(config))
        self.workers = WorkerSupervisor(
            command=[*command, *file],
            environ={URL_VARIABLE: service_url(settings), TOKEN_VARIABLE: token, **_ONE_THREAD},
            count=asr.workers,
            clock=clock,
        )
        self._feeding = (
            Feeding(
                url=settings.redis.url.get_secret_value(),
                table=self.feed,
                open_calls=open_calls,
                keep_seconds=asr.lease_seconds / RENEWALS,
            )
            if asr.feed == "redis"
            else None
        )
        self.desk = TranscriptionDesk(
            works=database.work,
            facts=database.facts,
            feed=self.feed,
            bus=bus,
            clock=clock,
            rules=lambda campaign_id: campaigns.rules(campaign_id).transcription,
            workers=self.workers,
            redis=lambda: self._feeding.standing if self._feeding else None,
        )

        async def campaign_of(call_id: str) -> int | None:
            call = await database.calls.get(call_id)
            return call.campaign_id if call else None

        announcer = Announcer(
            store=database.transcripts,
            works=database.work,
            bus=bus,
            clock=clock,
            campaign_of=campaign_of,
            tell=tell,
            on_work=on_hooks,
        )
        self.handlers: Mapping[str, Handler] = {TELL_TRANSCRIPT: announcer.tell}
        self.services: tuple[Service, ...] = (
            self.desk,
            *((self._feeding,) if self._feeding else ()),
            *((self.workers,) if asr.workers else ()),
        )


class Feeding:
    """The feeder with its connection to Redis. A service."""

    name = StreamFeeder.name

    def __init__(
        self, *, url: str, table: TableFeed, open_calls: Callable[[], int], keep_seconds: float
    ) -> None:
        self._url = url
        self._table = table
        self._open_calls = open_calls
        self._keep_seconds = keep_seconds
        self._feeder: StreamFeeder | None = None

    @property
    def standing(self) -> str:
        return "away" if self._feeder is None or self._feeder.away else "ok"

    async def run(self) -> None:
        """Feed for ever."""
        async with open_stream(self._url) as stream:
            self._feeder = StreamFeeder(
                stream=stream,
                table=self._table,
                live_calls=self._open_calls,
                keep_seconds=self._keep_seconds,
            )
            await self._feeder.run()


_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Our threads are recordings; a library that makes as many of its own for each of them only makes them wait."""


def _grants(token: str) -> tuple[Grant, ...]:
    return (Grant(name="workers beside the service", sha256=digest_of(token), role=Role.WORKER),)
