"""Transcribes: takes work from a feed, one recording at a time in each of some threads, and hands transcripts back.

Knows neither where work comes from nor which engine there is. Nothing is lost when it dies at any point: the lease
runs out and somebody else does it again; nothing is doubled, for a transcript has a fingerprint.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from cti.asr.brake import Brake, Stopped, still
from cti.asr.orders import Order, order_of
from cti.asr.worker_ports import Ear, Feed, Heard, Scribe, Scribes, Sounds
from cti.clock import Clock
from cti.errors import BadInput, CtiError, GiveUp
from cti.model.transcripts import Transcript
from cti.model.work import Work

log = logging.getLogger(__name__)

T = TypeVar("T")
Verdict = Callable[[], Awaitable[object]]

KEEP_SECONDS: Final = 15.0
"""Leases last 60 s, so that three failures in a row do not lose one."""
VERDICT_SECONDS: Final = 300.0
"""A result is offered again for so long before it is dropped: making it cost minutes, and the lease may be lost by
then, but the feed takes it all the same when nobody else did the work."""
LIMIT_SHARE: Final = 1.0
LIMIT_SECONDS: Final = 30.0
"""A recording may take as long as it lasts, and so much more; pauses do not count."""
HANG_SECONDS: Final = 120.0
"""So long beyond its limit a thread hangs in the engine, which nobody can end but with the process."""


LOAD_SECONDS: Final = 900.0
"""A model that is not loaded after so long will not be; the largest take a minute from a slow disk."""


class Hangs(CtiError):
    """A thread does not come back from the engine: the process must be ended."""


@dataclass(slots=True, eq=False)
class Slot:
    """A thread, and what runs in it."""

    number: int
    executor: ThreadPoolExecutor
    ears: dict[str, Ear] = field(default_factory=dict)
    """By model; used by its thread alone."""
    work: Work | None = None
    brake: Brake | None = None
    """Ends this run alone."""
    hangs_after: float | None = None
    """Unbraked, as `time.monotonic` tells; None: nothing is in the engine."""


class TranscriptionWorker:
    """The service in a worker's process."""

    name = "transcription worker"

    def __init__(
        self,
        *,
        feed: Feed,
        sounds: Sounds,
        scribes: Scribes,
        clock: Clock,
        brake: Brake,
        threads: int = 1,
        idle_seconds: float = 2.0,
        away_seconds: tuple[float, float] = (1.0, 30.0),
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        """`idle_seconds`: between two looks when there was nothing; `away_seconds`: the first and the longest pause
        when the feed could not be asked.
        """
        self._feed = feed
        self._sounds = sounds
        self._scribes = scribes
        self._clock = clock
        self._brake = brake
        self._idle_seconds = idle_seconds
        self._away_seconds = away_seconds
        self._keep_seconds = keep_seconds
        self._stopping = asyncio.Event()
        self._away = False
        self.stored = 0
        """Transcripts handed over so far."""
        self._slots = [
            Slot(number, ThreadPoolExecutor(1, thread_name_prefix=f"scribe-{number}"))
            for number in range(threads)
        ]

    def stop(self) -> None:
        """Take nothing more and give back what runs: `run` returns soon."""
        self._stopping.set()
        self._brake.end()
        for slot in self._slots:
            if slot.brake is not None:
                slot.brake.end()

    def finish(self) -> None:
        """Take nothing more; what runs is done to its end, and then `run` returns."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop` or `finish`. Raises Hangs (in an ExceptionGroup) when a thread is stuck in the engine."""
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(self._keep_for_ever(), name="leases of transcription")
            async with asyncio.TaskGroup() as slots:
                for slot in self._slots:
                    slots.create_task(self._slot(slot), name=f"scribe {slot.number}")
            keeper.cancel()
        for slot in self._slots:
            slot.executor.shutdown(wait=False)

    async def _slot(self, slot: Slot) -> None:
        pause = self._away_seconds[0]
        while not self._stopping.is_set():
            try:
                taken = [] if self._brake.drawn else await self._feed.take(1)
            except CtiError as error:
                self._say_away(error)
                await self._sleep(pause)
                pause = min(2 * pause, self._away_seconds[1])
                continue
            self._away, pause = False, self._away_seconds[0]
            for work in taken:
                await self._one(slot, work)
            if not taken:
                await self._sleep(self._idle_seconds)

    async def _one(self, slot: Slot, work: Work) -> None:
        slot.work, slot.brake = work, Brake()
        try:
            verdict = await self._verdict(slot, work)
        finally:
            slot.work, slot.brake, slot.hangs_after = None, None, None
        if verdict is not None:
            await self._deliver(work, verdict)

    async def _verdict(self, slot: Slot, work: Work) -> Verdict | None:
        """Do it; return what is to be told the feed, None for nothing."""
        try:
            transcript = await self._transcript(slot, work)
        except Stopped:
            return partial(self._feed.give_back, work) if self._stopping.is_set() else None  # else it is lost
        except (GiveUp, BadInput) as error:
            return partial(self._feed.failed, work, str(error), for_good=True)
        except Exception as error:
            if not isinstance(error, CtiError):
                log.exception("call %s: a transcription failed", work.key)
            slot.ears.clear()  # a recognizer that failed is not trusted again
            return partial(self._feed.failed, work, str(error) or type(error).__name__, for_good=False)
        return None if transcript is None else partial(self._store, work, transcript)

    async def _transcript(self, slot: Slot, work: Work) -> Transcript | None:
        if self._stopping.is_set():
            raise Stopped("the worker is told to end")
        order = order_of(work)
        slot.hangs_after = time.monotonic() + LOAD_SECONDS
        scribe = await self._in_thread(
            slot, lambda: self._scribes.scribe(model=order.model, language=order.language)
        )
        slot.hangs_after = None
        if not await self._feed.begin(work, scribe.fingerprint):
            return None
        async with self._sounds.fetched(order.call_id) as path:
            begun = time.monotonic()
            heard = await self._in_thread(slot, lambda: self._listen(slot, scribe, path))
        took = time.monotonic() - begun
        log.info("call %s: %.0f s transcribed in %.1f s by %s", work.key, heard.seconds, took, scribe.model)
        return _transcript(order, scribe, heard, self._clock)

    def _listen(self, slot: Slot, scribe: Scribe, path: Path) -> Heard:
        """In the slot's thread."""
        ear = slot.ears.get(scribe.fingerprint)
        if ear is None:
            ear = slot.ears[scribe.fingerprint] = scribe.ear()
        return ear(path, partial(self._still, slot))

    def _still(self, slot: Slot, seconds: float) -> Callable[[], None]:
        """In the slot's thread: return what the run calls between two stretches of a recording of that length."""
        own = slot.brake or Brake()
        most = time_limit(seconds)
        slot.hangs_after = time.monotonic() + most + HANG_SECONDS
        all_of_us, alone = still(self._brake, most_seconds=most), still(own, most_seconds=float("inf"))

        def passing() -> None:
            slot.hangs_after = None  # a pause is no hanging
            all_of_us()
            alone()
            slot.hangs_after = time.monotonic() + most + HANG_SECONDS

        return passing

    async def _store(self, work: Work, transcript: Transcript) -> None:
        if await self._feed.done(work, transcript) is None:
            log.warning("call %s: somebody else has its transcription now; ours is dropped", work.key)
            return
        self.stored += 1

    async def _deliver(self, work: Work, verdict: Verdict) -> None:
        """Tell the feed, again and again while it is away."""
        until, pause = time.monotonic() + VERDICT_SECONDS, self._away_seconds[0]
        while True:
            try:
                await verdict()
                return
            except BadInput as error:
                log.error("call %s: its result was refused: %s", work.key, error)
                return
            except CtiError as error:
                self._say_away(error)
                if time.monotonic() > until or self._stopping.is_set():
                    log.warning("call %s: its result is dropped; it will be transcribed again", work.key)
                    return
            await self._sleep(pause)
            pause = min(2 * pause, self._away_seconds[1])

    async def _keep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._keep_seconds)
            await self.keep()

    async def keep(self) -> None:
        """Renew the leases once; end the runs whose work is no longer ours. Raises Hangs."""
        self._look_for_hanging()
        held = [slot for slot in self._slots if slot.work is not None]
        if not held:
            return
        try:
            lost = await self._feed.keep([slot.work for slot in held if slot.work is not None])
        except CtiError as error:
            self._say_away(error)
            return
        for slot in held:
            if slot.work is not None and slot.work.id in lost and slot.brake is not None:
                log.warning("call %s: somebody else has its transcription now", slot.work.key)
                slot.brake.end()

    def _look_for_hanging(self) -> None:
        for slot in self._slots:
            if slot.hangs_after is not None and time.monotonic() > slot.hangs_after:
                key = slot.work.key if slot.work else "?"
                raise Hangs(f"call {key}: the engine does not come back; the process is ended")

    def _say_away(self, error: CtiError) -> None:
        if not self._away:
            log.warning("the feed of transcription is away: %s", error)
        self._away = True

    async def _in_thread(self, slot: Slot, doing: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(slot.executor, doing)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


def _transcript(order: Order, scribe: Scribe, heard: Heard, clock: Clock) -> Transcript:
    return Transcript(
        call_id=order.call_id,
        engine=scribe.engine,
        model=scribe.model,
        fingerprint=scribe.fingerprint,
        language=scribe.language,
        seconds=heard.seconds,
        segments=heard.segments,
        voices=heard.voices,
        made_at=clock.now(),
        problem=heard.problem,
    )


def time_limit(seconds: float) -> float:
    """Return how long a recording of that length may take to transcribe, in seconds."""
    return LIMIT_SHARE * seconds + LIMIT_SECONDS
