"""The desk of transcription: how it stands, ordering it anew, dead letters. And it tells of each new dead letter."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from cti.asr.worker_ports import Feed
from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import NotFound, StorageError
from cti.model.campaign_rules import TranscriptionRules
from cti.model.events import TranscriptionDead
from cti.model.queries import CallFilter, CallRow
from cti.model.transcription import transcribe_work
from cti.model.transcription_standing import DeadRecording, TranscriptionStanding
from cti.model.work import TRANSCRIBE, Work
from cti.service import every
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
MOST_DEAD: Final = 1000
"""Dead letters that are listed, or made due again, at once."""
SEEN_FOR: Final = timedelta(minutes=2)
HOUR: Final = timedelta(hours=1)


class CallFacts(Protocol):
    """Where calls and their recordings are looked up."""

    async def call_rows(self, wanted: CallFilter) -> list[CallRow]:
        """List calls, newest first."""
        ...


class Workers(Protocol):
    """Processes of the daemon's own."""

    @property
    def wanted(self) -> int: ...
    @property
    def alive(self) -> int: ...


class TranscriptionDesk:
    """Implements the API's `Transcription`, and is the service that looks for new dead letters."""

    name = "desk of transcription"

    def __init__(
        self,
        *,
        works: WorkStore,
        facts: CallFacts,
        feed: Feed,
        bus: EventBus,
        clock: Clock,
        rules: Callable[[int], TranscriptionRules],
        workers: Workers | None = None,
        redis: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`rules`: a campaign's; `redis`: `ok`, `away`, or None for none."""
        self._works = works
        self._facts = facts
        self._feed = feed
        self._bus = bus
        self._clock = clock
        self._rules = rules
        self._workers = workers
        self._redis = redis
        self._seen: dict[str, datetime] = {}
        self._told: set[tuple[int, int]] | None = None
        """Dead letters (id and version) that were told; None before the first look, which tells none: after a restart
        they are old news."""

    @property
    def feed(self) -> Feed:
        return self._feed

    async def run(self) -> None:
        """Look for dead letters, for ever."""
        await every(LOOK_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Tell of dead letters that are new since the last look."""
        try:
            dead = await self._works.dead(kind=TRANSCRIBE, limit=MOST_DEAD)
        except StorageError:
            return  # whoever works says that the database is away
        known, self._told = self._told, {(work.id, work.version) for work in dead}
        if known is None:
            return
        for work in dead:
            if (work.id, work.version) not in known:
                reason = work.error or "unknown"
                self._bus.publish(TranscriptionDead(call_id=work.key, reason=reason, at=self._clock.now()))

    def noted(self, worker: str) -> None:
        """See the port."""
        now = self._clock.now()
        self._seen = {name: at for name, at in self._seen.items() if now - at < SEEN_FOR} | {worker: now}

    async def standing(self) -> TranscriptionStanding:
        """See the port."""
        now = self._clock.now()
        counts = {one.kind: one for one in await self._works.counts()}.get(TRANSCRIBE)
        queue = await self._works.queue(kind=TRANSCRIBE, now=now, since=now - HOUR)
        return TranscriptionStanding(
            waiting=counts.waiting if counts else 0,
            running=counts.leased if counts else 0,
            dead=counts.dead if counts else 0,
            done_last_hour=queue.done,
            oldest_due_at=queue.oldest_due_at,
            workers_wanted=self._workers.wanted if self._workers else 0,
            workers_alive=self._workers.alive if self._workers else 0,
            seen=sorted(name for name, at in self._seen.items() if now - at < SEEN_FOR),
            redis=self._redis(),
        )

    async def dead(self) -> Sequence[DeadRecording]:
        """See the port."""
        return [
            DeadRecording(work_id=work.id, call_id=work.key, error=work.error or "")
            for work in await self._dead()
        ]

    async def order(self, call_id: str, *, model: str | None, language: str | None) -> None:
        """See the port."""
        # the newest call before the smallest text that is greater than this id
        rows = await self._facts.call_rows(CallFilter(before_id=call_id + "0", limit=1))
        if not rows or rows[0].call.id != call_id:
            raise NotFound(f"there is no call {call_id}")
        row = rows[0]
        if row.recording is None or row.recording.path is None or row.recording.deleting_at is not None:
            raise NotFound(f"call {call_id} has no recording")
        campaign = row.call.campaign_id
        rules = TranscriptionRules() if campaign is None else self._rules(campaign)
        # who names a language and no model means the language's first model, not the campaign's
        wish = {
            "model": model if model is not None else ("" if language else rules.model),
            "language": language if language is not None else rules.language,
            "priority": rules.priority,
        }
        await self._works.add([transcribe_work(call_id, wish)], now=self._clock.now())

    async def revive(self, work_id: int) -> bool:
        """See the port."""
        if work_id not in {work.id for work in await self._dead()}:
            return False  # a dead letter of another kind is not ours to touch
        return await self._works.revive(work_id, now=self._clock.now())

    async def revive_all(self) -> int:
        """See the port."""
        now = self._clock.now()
        return sum([await self._works.revive(work.id, now=now) for work in await self._dead()])

    async def _dead(self) -> list[Work]:
        return await self._works.dead(kind=TRANSCRIBE, limit=MOST_DEAD)
