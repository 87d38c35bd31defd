"""Writes work for events that no transaction of ours tells of. A service.

What is written with its own transaction (calls, agents, dispositions, owners, callbacks, recordings, transcripts) is
passed over here; see docs/decisions/0130. The rest is gathered for a moment and written together: a kill within that
moment loses it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cti.clock import Clock
from cti.errors import StorageError
from cti.model.events import (
    AgentMoved,
    CallbackMoved,
    CallMoved,
    ContactMoved,
    DispositionSet,
    Event,
    MaterialRequested,
    RecordingMissing,
    RecordingReady,
    ScreenPop,
    TranscriptReady,
)
from cti.model.telling import Tell
from cti.model.work import NewWork
from cti.service import Absence
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

WRITTEN_ELSEWHERE: Final = (
    CallMoved,
    AgentMoved,
    DispositionSet,
    MaterialRequested,
    ContactMoved,
    CallbackMoved,
    RecordingReady,
    RecordingMissing,
    TranscriptReady,
    ScreenPop,
)
"""Written in the transaction of what they tell; a pop is never written."""
GATHER_SECONDS: Final = 0.05
AWAY_SECONDS: Final = 1.0
MOST_WAITING: Final = 10_000
"""Pieces of work that wait for the database; what comes after that is lost, and counted."""
BATCH: Final = 500


class HookOutbox:
    """Gathers and writes."""

    name = "webhook outbox"

    def __init__(
        self, *, tell: Tell, work: WorkStore, clock: Clock, on_work: Callable[[], None] = lambda: None
    ) -> None:
        self._tell = tell
        self._work = work
        self._clock = clock
        self._on_work = on_work
        self._waiting: list[NewWork] = []
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._absence = Absence(log, "events for webhooks wait in memory while the database is away")
        self.lost = 0
        """Pieces of work that had no room."""

    def tap(self, event: Event) -> None:
        """Hear an event of the bus."""
        if isinstance(event, WRITTEN_ELSEWHERE):
            return
        works = self._tell(event)
        room = max(0, MOST_WAITING - len(self._waiting))
        if len(works) > room:
            if not self.lost:
                log.error("events for webhooks are lost: the database is away for too long")
            self.lost += len(works) - room
        self._waiting += works[:room]
        if self._waiting:
            self._wake.set()

    async def run(self) -> None:
        """Write for ever; what is left is written when the service ends."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(GATHER_SECONDS)
                with self._absence.borne():
                    # Cancelled in the middle of a write, the last one waits for it.
                    await asyncio.shield(self.flush())
                if self._waiting:
                    await asyncio.sleep(AWAY_SECONDS)
                    self._wake.set()
        finally:
            with suppress(StorageError):
                await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write what waits. Raises StorageError; then all of it waits on."""
        async with self._writing:
            while self._waiting:
                batch = self._waiting[:BATCH]
                await self._work.add(batch, now=self._clock.now())
                del self._waiting[: len(batch)]
                self._on_work()
