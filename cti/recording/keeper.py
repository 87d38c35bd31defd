"""Changes how a kept recording is kept: smaller, elsewhere, under another key. Handlers of three kinds of work.

All go one way, so that a kill at any point is mended by running again: the new file is written under a name of its own
and read back; the facts change, if they are still those it began with; then every other file of that recording goes.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final, TypeVar

from cti.clock import Clock
from cti.errors import DiskFull, GiveUp, RecordingError
from cti.model.queries import RecordingFacts
from cti.model.recordings import Place, SoundFormat, name_of_key
from cti.model.work import NewWork, Work
from cti.recording.archive import PIECE, Archive, Kept
from cti.recording.files import translated
from cti.recording.locks import CallLocks
from cti.recording.ports import RecordingStore
from cti.recording.sound_files import encode
from cti.recording.works import works_after

log = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE: Final = 2
"""Recordings that are worked on at one time: encoding holds a processor, and calls go first."""
NICE: Final = 10
"""Of the threads that do it; on Linux a thread has a priority of its own (setpriority(2), "C library/kernel
differences")."""
_IN_MEMORY: Final = 32 << 20
"""A compressed recording up to this size (an hour and more) is not written to disk before it is encrypted."""


class RecordingKeeper:
    """Compresses, uploads, encrypts anew."""

    def __init__(
        self,
        *,
        store: RecordingStore,
        archive: Archive,
        clock: Clock,
        locks: CallLocks,
        spool: Path,
        compress: SoundFormat | None = None,
        disk_full: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`spool`: folder for files on their way; `compress`: into what, None: not at all."""
        self._store = store
        self._archive = archive
        self._clock = clock
        self._locks = locks
        self._spool = spool
        self._compress = compress
        self._disk_full = disk_full
        self._room = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, "recordings", initializer=_be_nice)

    async def compress(self, work: Work) -> None:
        """Handle `recording.compress`. Raises RecordingError to be run again."""
        call_id = _call_id(work)
        async with self._room, self._locks.held(call_id):
            facts = await self._facts(call_id)
            if facts is None:
                return
            if self._compress is None or facts.format is not SoundFormat.WAV:
                await self._store.add_works(self._after(call_id, facts), now=self._clock.now())
                await self._tidy(facts)
                return
            form = self._compress
            smaller = await self._in_thread(self._compressed, facts, form)
            await self._change(call_id, facts, facts.place, form, smaller)

    async def upload(self, work: Work) -> None:
        """Handle `recording.upload`: the local file goes only when the other one's checksum agrees."""
        call_id, place = _call_id(work), self._archive.last_place
        async with self._room, self._locks.held(call_id):
            facts = await self._facts(call_id)
            if facts is None:
                return
            if facts.place is place:
                await self._tidy(facts)
                return
            kept = await self._in_thread(self._copied, facts, place)
            await self._change(call_id, facts, place, facts.format, kept)

    async def rotate(self, work: Work) -> None:
        """Handle `recording.rotate`: under the current key, whatever it was before."""
        call_id = _call_id(work)
        async with self._room, self._locks.held(call_id):
            facts = await self._facts(call_id)
            if facts is None or self._archive.keys.current is None:
                return
            if facts.key_id == self._archive.keys.current:
                await self._tidy(facts)
                return
            kept = await self._in_thread(self._copied, facts, facts.place)
            await self._change(call_id, facts, facts.place, facts.format, kept)

    def _after(self, call_id: str, facts: RecordingFacts) -> Sequence[NewWork]:
        return works_after(call_id, facts, last_place=self._archive.last_place)

    async def _facts(self, call_id: str) -> RecordingFacts | None:
        """Return the facts of a recording that has a file and will keep it."""
        facts = await self._store.recording(call_id)
        return None if facts is None or facts.path is None or facts.deleting_at is not None else facts

    async def _change(
        self, call_id: str, before: RecordingFacts, place: Place, form: SoundFormat, kept: Kept
    ) -> None:
        after = replace(
            before,
            path=kept.path,
            place=place,
            format=form,
            key_id=kept.key_id,
            size_bytes=kept.size_bytes,
            sha256=kept.sha256,
        )
        works = self._after(call_id, after)
        if not await self._store.move_recording(
            call_id, before=before, after=after, now=self._clock.now(), works=works
        ):
            raise RecordingError(f"the recording of call {call_id} was changed by somebody else meanwhile")
        await self._tidy(after)

    async def _tidy(self, facts: RecordingFacts) -> None:
        """Remove what earlier forms, places and keys of the recording left behind."""
        await asyncio.to_thread(self._archive.remove_all, name_of_key(facts.path or ""), but=facts)

    async def _in_thread(self, do: Callable[..., Kept], *arguments: object) -> Kept:
        """Do it in a thread that gives way to calls; cancelled, it ends at its next piece."""
        stop, loop = threading.Event(), asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, partial(do, stop, *arguments))
        except DiskFull as error:
            self._disk_full(str(error))
            raise
        finally:
            stop.set()

    def _copied(self, stop: threading.Event, facts: RecordingFacts, place: Place) -> Kept:
        """Write the same sound to a place under the current key, and read it back."""
        self._whole(facts)
        name, chunks = name_of_key(facts.path or ""), self._archive.chunks(facts)
        kept = self._archive.write(place, name, facts.format, _until(stop, chunks))
        self._proved(kept, place, facts.format)
        return kept

    def _compressed(self, stop: threading.Event, facts: RecordingFacts, form: SoundFormat) -> Kept:
        """Write the recording in another form where it lies, and read it back."""
        self._whole(facts)
        with translated("cannot write to", self._spool):
            self._spool.mkdir(parents=True, exist_ok=True)
            # Without a name: what a kill leaves is gone with the process.
            with SpooledTemporaryFile(_IN_MEMORY, dir=str(self._spool)) as file:
                with self._archive.open_sound(facts) as sound:
                    rate, channels, frames = sound.rate, sound.channels, sound.frames
                    blocks = _until(stop, sound.blocks())
                    written = encode(blocks, file, form, rate=rate, channels=channels)
                if written != frames:
                    raise RecordingError(f"{facts.path}: {written} frames of {frames} were compressed")
                file.seek(0)
                name = name_of_key(facts.path or "")
                kept = self._archive.write(facts.place, name, form, iter(partial(file.read, PIECE), b""))
        self._proved(kept, facts.place, form)
        after = replace(facts, path=kept.path, format=form, size_bytes=None, sha256=None, seconds=None)
        with self._archive.open_sound(after) as sound:
            if sound.frames != frames:
                raise RecordingError(f"{kept.path} has {sound.frames} frames and should have {frames}")
        return kept

    def _whole(self, facts: RecordingFacts) -> None:
        """Raises RecordingError unless the file is as it was kept: what is broken is not spread."""
        if problem := self._archive.problem(facts):
            raise RecordingError(f"{facts.path} is left as it is: {problem}")

    def _proved(self, kept: Kept, place: Place, form: SoundFormat) -> None:
        there = RecordingFacts(
            path=kept.path, place=place, format=form, size_bytes=kept.size_bytes, sha256=kept.sha256
        )
        if problem := self._archive.problem(there):
            raise RecordingError(f"{kept.path} was not kept as it was written: {problem}")


def _call_id(work: Work) -> str:
    call_id = work.payload.get("call_id")
    if not isinstance(call_id, str):
        raise GiveUp(f"{work.kind}: the payload names no call")
    return call_id


def _until(stop: threading.Event, pieces: Iterable[T]) -> Iterator[T]:
    """Give pieces until somebody says stop: the service would not end before a long recording is done."""
    for piece in pieces:
        if stop.is_set():
            raise RecordingError("the service ends; this is done again")
        yield piece


def _be_nice() -> None:
    with suppress(OSError, AttributeError):  # another system than Linux
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
