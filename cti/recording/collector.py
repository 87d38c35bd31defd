"""Collects the recording of a call that ended: a handler for work of kind `recording.collect`.

Idempotent after a kill at any point: the raw file goes last, when the WAV file and its facts are durable. A run that
finds the raw file does all over again; one that finds only a whole WAV file writes the facts from it.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import GiveUp, NotFound, RecordingError
from cti.model.events import RecordingMissing, RecordingReady
from cti.model.queries import RecordingFacts
from cti.model.work import Work
from cti.recording.files import keep_as_wav, kept_sound_bytes, remove, size_of
from cti.recording.naming import RAW_SUFFIX, WAV_SUFFIX
from cti.recording.ports import RecordingStore
from cti.recording.verdict import Order, order_of, too_long, too_short
from cti.recording.wav import HEAD_BYTES, sound_seconds, whole_frames

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 1.2
"""Between two looks at a file. Asterisk writes recordings through a buffer of 32 KiB (main/file.c), so a file grows
in steps of 1.02 s of two channels; and the last part, up to as much, comes only when the channel is gone."""
_FEWEST_RUNS: Final = 4
"""Before a recording is called missing, however long ago the call ended: after a restart of the machine the node's
folder may be mounted a little later than the daemon starts."""


class RecordingCollector:
    """Turns a node's raw file into a checked WAV file in the recordings folder."""

    def __init__(
        self,
        *,
        store: RecordingStore,
        bus: EventBus,
        clock: Clock,
        raw_folders: Mapping[str, Path],
        folder: Path,
        keep_raw: bool = False,
        settle_seconds: float = SETTLE_SECONDS,
        patience: timedelta = timedelta(seconds=60),
    ) -> None:
        """`raw_folders`: by node, where its `<astspooldir>/monitor/cti` is seen from here."""
        self._store = store
        self._bus = bus
        self._clock = clock
        self._raw_folders = dict(raw_folders)
        self._folder = folder
        self._keep_raw = keep_raw
        self._settle_seconds = settle_seconds
        self._patience = patience

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
            kept = await asyncio.to_thread(keep_as_wav, raw, self._wav(order))
            await self._kept(order, kept)
        if not self._keep_raw:
            await self._remove(raw)

    def _raw(self, order: Order) -> Path:
        folder = self._raw_folders.get(order.node)
        if folder is None:
            raise RecordingError(f"the settings name no recordings folder of the node {order.node!r}")
        return folder / (order.name + RAW_SUFFIX)

    def _wav(self, order: Order) -> Path:
        return self._folder / (order.name + WAV_SUFFIX)

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
        kept = await asyncio.to_thread(kept_sound_bytes, self._wav(order))
        if kept is not None:
            await self._kept(order, kept)
            return
        problem = f"there is no file {raw}"
        if self._may_come(work, order):
            raise RecordingError(problem)
        await self._missing(order, problem if too_short(0, order.expected_seconds) else None)

    async def _kept(self, order: Order, sound: int) -> None:
        """Store and tell what there is; too little of it is stored all the same, and is an alarm."""
        alarm = too_short(sound, order.expected_seconds)
        facts = RecordingFacts(
            path=order.name + WAV_SUFFIX,
            seconds=sound_seconds(sound),
            size_bytes=sound + HEAD_BYTES,
            problem=alarm or too_long(sound, order.expected_seconds),
        )
        await self._save(order, facts)
        now = self._clock.now()
        self._bus.publish(
            RecordingReady(
                call_id=order.call_id,
                path=order.name + WAV_SUFFIX,
                seconds=sound_seconds(sound),
                size_bytes=sound + HEAD_BYTES,
                at=now,
            )
        )
        if alarm:
            self._alarm(order, alarm)

    async def _missing(self, order: Order, problem: str | None) -> None:
        """Store that there is nothing; an alarm unless the call was over before recording could begin."""
        reason = problem or "the call was over before anything was recorded"
        await self._save(order, RecordingFacts(path=None, problem=reason))
        if problem:
            self._alarm(order, problem)

    def _alarm(self, order: Order, reason: str) -> None:
        log.error("the recording of call %s on %s is not usable: %s", order.call_id, order.node, reason)
        self._bus.publish(RecordingMissing(call_id=order.call_id, reason=reason, at=self._clock.now()))

    async def _save(self, order: Order, facts: RecordingFacts) -> None:
        try:
            await self._store.save_recording(order.call_id, facts, at=self._clock.now())
        except NotFound as error:
            raise GiveUp(f"a recording without a call: {error}") from error

    async def _remove(self, raw: Path) -> None:
        try:
            await asyncio.to_thread(remove, raw)
        except RecordingError as error:
            log.warning("%s; the recording itself is kept, but the node's disk will fill up", error)
