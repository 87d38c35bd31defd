"""Collects the recording of a call that ended: a handler for work of kind `recording.collect`.

Idempotent after a kill at any point: the raw file goes last, when the kept file and its facts are durable. A run that
finds the raw file does all over again; one that finds only facts, or only a whole kept file, believes them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import BrokenSound, DiskFull, FileMissing, GiveUp, NotFound, RecordingError
from cti.model.events import RecordingMissing, RecordingReady
from cti.model.queries import RecordingFacts
from cti.model.recordings import (
    DEFAULT_TEMPLATE,
    Peaks,
    Place,
    RecordedCall,
    SoundFormat,
    file_key,
    kept_name,
)
from cti.model.telling import Tell, tell_nobody
from cti.model.work import Work
from cti.recording.archive import Archive, Kept
from cti.recording.files import as_wav, raw_sound, remove, size_of
from cti.recording.naming import RAW_SUFFIX
from cti.recording.peaks import peaks_of
from cti.recording.ports import Following, RecordingStore
from cti.recording.verdict import Order, order_of, too_long, too_short
from cti.recording.wav import CHANNELS, RATE, sound_seconds, whole_frames

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 1.2
"""Between two looks at a file. Asterisk writes recordings through a buffer of 32 KiB (main/file.c), so a file grows
in steps of 1.02 s of two channels; and the last part, up to as much, comes only when the channel is gone."""
_FEWEST_RUNS: Final = 4
"""Before a recording is called missing, however long ago the call ended: after a restart of the machine the node's
folder may be mounted a little later than the daemon starts."""


class RecordingCollector:
    """Turns a node's raw file into a checked file of the archive."""

    def __init__(
        self,
        *,
        store: RecordingStore,
        archive: Archive,
        bus: EventBus,
        clock: Clock,
        raw_folders: Mapping[str, Path],
        template: Callable[[RecordedCall], str] = lambda _: DEFAULT_TEMPLATE,
        retention: Callable[[RecordedCall], str] = lambda _: "",
        following: Following = lambda _call, _facts: (),
        disk_full: Callable[[str], None] = lambda _: None,
        keep_raw: bool = False,
        settle_seconds: float = SETTLE_SECONDS,
        patience: timedelta = timedelta(seconds=60),
        tell: Tell = tell_nobody,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """`raw_folders`: by node, where its `<astspooldir>/monitor/cti` is seen from here.

        `following`: the work that is written with the facts; `tell`: that of their events, `on_work` hears when it is
        written. `disk_full` is told why nothing can be kept.
        """
        self._store = store
        self._archive = archive
        self._bus = bus
        self._clock = clock
        self._raw_folders = dict(raw_folders)
        self._template = template
        self._retention = retention
        self._following = following
        self._disk_full = disk_full
        self._keep_raw = keep_raw
        self._settle_seconds = settle_seconds
        self._patience = patience
        self._tell = tell
        self._on_work = on_work

    async def collect(self, work: Work) -> None:
        """Do one piece of work. Raises RecordingError to be run again, GiveUp when the order makes no sense."""
        order = order_of(work)
        raw = self._raw(order)
        sound = await self._settled_bytes(raw)
        if sound is None:
            await self._without_raw(work, order, raw)
            return
        problem = too_short(sound, order.expected_seconds)
        if problem and self._may_come(work, order):
            raise RecordingError(f"{problem}: {raw}")
        if not sound:
            await self._missing(order, problem)
        else:
            await self._keep(order, raw, sound)
        if not self._keep_raw:
            await self._remove(raw)

    def _raw(self, order: Order) -> Path:
        folder = self._raw_folders.get(order.node)
        if folder is None:
            raise RecordingError(f"the settings name no recordings folder of the node {order.node!r}")
        return folder / (order.name + RAW_SUFFIX)

    def _may_come(self, work: Work, order: Order) -> bool:
        return work.attempts < _FEWEST_RUNS or self._clock.now() - order.ended_at < self._patience

    async def _settled_bytes(self, raw: Path) -> int | None:
        """Return the bytes of sound once two looks agree. Raises RecordingError while the file still grows."""
        first = await asyncio.to_thread(size_of, raw)
        if first is None:
            return None
        await asyncio.sleep(self._settle_seconds)
        second = await asyncio.to_thread(size_of, raw)
        if second != first:
            raise RecordingError(f"{raw} is still being written")
        return whole_frames(first)

    async def _without_raw(self, work: Work, order: Order, raw: Path) -> None:
        known = await self._store.recording(order.call_id)
        if known is not None and (known.path is not None or known.deleting_at is not None):
            return
        kept = await self._kept_before(await self._call(order))
        if kept is not None:
            await self._kept(order, *kept)
            return
        problem = f"there is no file {raw}"
        if self._may_come(work, order):
            raise RecordingError(problem)
        await self._missing(order, problem if too_short(0, order.expected_seconds) else None)

    async def _call(self, order: Order) -> RecordedCall:
        call = await self._store.recorded_call(order.call_id)
        if call is None:
            raise GiveUp(f"a recording without a call: there is no call {order.call_id}")
        return call

    async def _keep(self, order: Order, raw: Path, sound: int) -> None:
        """Write the file into the archive, and its facts."""
        call = await self._call(order)
        name = kept_name(self._template(call), call)
        try:
            kept, peaks = await asyncio.to_thread(self._written, name, raw, sound)
        except DiskFull as error:
            self._disk_full(str(error))
            raise
        await self._kept(order, call, kept, sound, peaks)

    def _written(self, name: str, raw: Path, sound: int) -> tuple[Kept, Peaks]:
        kept = self._archive.write(Place.LOCAL, name, SoundFormat.WAV, as_wav(raw, sound))
        blocks = (np.frombuffer(piece, "<i2").reshape(-1, CHANNELS) for piece in raw_sound(raw))
        return kept, peaks_of(blocks, rate=RATE, channels=CHANNELS, seconds=sound_seconds(sound))

    async def _kept_before(self, call: RecordedCall) -> tuple[RecordedCall, Kept, int, Peaks] | None:
        """Return the whole file that a run left whose raw file is gone; None when there is none."""
        name = kept_name(self._template(call), call)
        return await asyncio.to_thread(self._found, call, name)

    def _found(self, call: RecordedCall, name: str) -> tuple[RecordedCall, Kept, int, Peaks] | None:
        for sealed in (True, False):
            facts = RecordingFacts(path=file_key(name, SoundFormat.WAV, sealed=sealed))
            try:
                with self._archive.open_sound(facts) as sound:
                    seconds = sound.frames / sound.rate
                    peaks = peaks_of(
                        sound.blocks(), rate=sound.rate, channels=sound.channels, seconds=seconds
                    )
                    frames = sound.frames
                return call, self._archive.described(facts), frames * 2 * CHANNELS, peaks
            except FileMissing:
                continue
            except BrokenSound as error:
                log.warning("%s is left alone: %s", facts.path, error)
        return None

    async def _kept(self, order: Order, call: RecordedCall, kept: Kept, sound: int, peaks: Peaks) -> None:
        """Store and tell what there is; too little of it is stored all the same, and is an alarm."""
        alarm = too_short(sound, order.expected_seconds)
        facts = RecordingFacts(
            path=kept.path,
            seconds=sound_seconds(sound),
            size_bytes=kept.size_bytes,
            problem=alarm or too_long(sound, order.expected_seconds),
            sha256=kept.sha256,
            key_id=kept.key_id,
            retention=self._retention(call),
            recorded_at=order.answered_at,
        )
        ready = RecordingReady(
            call_id=order.call_id,
            path=kept.path,
            seconds=sound_seconds(sound),
            size_bytes=kept.size_bytes,
            at=self._clock.now(),
            campaign_id=call.campaign_id,
        )
        alarms = [self._no_use(call, alarm)] if alarm else []
        await self._save(order, facts, [ready, *alarms], call=call, peaks=peaks)

    async def _missing(self, order: Order, problem: str | None) -> None:
        """Store that there is nothing; an alarm unless the call was over before recording could begin."""
        reason = problem or "the call was over before anything was recorded"
        alarms = [self._no_use(await self._call(order), problem)] if problem else []
        await self._save(order, RecordingFacts(path=None, problem=reason), alarms)

    def _no_use(self, call: RecordedCall, reason: str) -> RecordingMissing:
        return RecordingMissing(
            call_id=call.call_id, reason=reason, at=self._clock.now(), campaign_id=call.campaign_id
        )

    async def _save(
        self,
        order: Order,
        facts: RecordingFacts,
        events: Sequence[RecordingReady | RecordingMissing],
        *,
        call: RecordedCall | None = None,
        peaks: Peaks | None = None,
    ) -> None:
        """Store facts, the work that follows and that of the events; then tell the events."""
        told = [work for event in events for work in self._tell(event)]
        following = self._following(call, facts) if call else ()
        try:
            await self._store.save_recording(
                order.call_id,
                facts,
                at=self._clock.now(),
                peaks=peaks,
                works=(*following, *told),
                ended_at=order.ended_at,
            )
        except NotFound as error:
            raise GiveUp(f"a recording without a call: {error}") from error
        for event in events:
            if isinstance(event, RecordingMissing):
                log.error(
                    "the recording of call %s on %s is not usable: %s",
                    order.call_id,
                    order.node,
                    event.reason,
                )
            self._bus.publish(event)
        if told:
            self._on_work()

    async def _remove(self, raw: Path) -> None:
        try:
            await asyncio.to_thread(remove, raw)
        except RecordingError as error:
            log.warning("%s; the recording itself is kept, but the node's disk will fill up", error)
