"""What people do with recordings: look, listen, hold, have them checked and encrypted anew."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import BadInput, Gone, NotFound
from cti.model.queries import RecordingFacts
from cti.model.recordings import HoldStep, Pause, Peaks, RetentionClass
from cti.recording.archive import Archive
from cti.recording.ports import RecordingStore, Source
from cti.recording.works import rotate_work

ROTATED_AT_ONCE: Final = 500
"""Rows of work that are written in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """All that is known of one recording."""

    facts: RecordingFacts
    pauses: Sequence[Pause]
    holds: Sequence[HoldStep]
    delete_after: datetime | None
    """When its time is over; None: never, or it went already. A hold keeps it longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A recording that is not as it was kept."""

    call_id: str
    path: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A bite of recordings that were read through."""

    checked: int
    bad: Sequence[Bad]
    last: str | None
    """The last call's id: where the next bite begins; None: that was the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCount:
    """Recordings of one retention class."""

    retention: str
    days: float | None
    """None: for ever; the settings do not name the class."""
    recordings: int
    held: int


class RecordingDesk:
    """Recordings as people see them."""

    def __init__(
        self,
        *,
        store: RecordingStore,
        archive: Archive,
        clock: Clock,
        classes: Sequence[RetentionClass] = (),
        default: str = "",
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._archive = archive
        self._clock = clock
        self._days = {one.name: one.days for one in classes}
        self._default = default
        self._on_work = on_work

    async def facts(self, call_id: str) -> RecordingFacts:
        """Return the facts of a recording that has a file. Raises NotFound, with the reason; Gone after retention."""
        facts = await self._store.recording(call_id)
        if facts is not None and facts.deleting_at is not None:
            at = facts.deleted_at or facts.deleting_at
            raise Gone(
                f"the recording of call {call_id} was deleted at {at:%Y-%m-%d %H:%M} UTC: its time was over"
            )
        if facts is None or facts.path is None:
            reason = facts.problem if facts else None
            raise NotFound(f"call {call_id} has no recording{f': {reason}' if reason else ''}")
        return facts

    async def described(self, call_id: str) -> Described:
        """Return all that is known, also of a recording that is gone. Raises NotFound where nothing is."""
        facts = await self._store.recording(call_id)
        if facts is None:
            raise NotFound(f"call {call_id} has no recording (yet)")
        return Described(
            facts=facts,
            pauses=await self._store.pauses(call_id),
            holds=await self._store.hold_steps(call_id),
            delete_after=self._delete_after(facts),
        )

    async def source(self, facts: RecordingFacts) -> Source:
        """Open the bytes as they are played. Raises RecordingError: not there, wrong key, store away."""
        return await asyncio.to_thread(self._archive.open_source, facts)

    async def peaks(self, call_id: str) -> Peaks:
        """Return the outline. Raises NotFound, Gone."""
        await self.facts(call_id)
        peaks = await self._store.peaks(call_id)
        if peaks is None:
            raise NotFound(f"the recording of call {call_id} has no outline; it is older than outlines are")
        return peaks

    async def pauses(self, call_id: str) -> Sequence[Pause]:
        """Return the stretches in which the recording holds silence."""
        return await self._store.pauses(call_id)

    async def hold(self, call_id: str, *, held: bool, by: str, reason: str) -> Described:
        """Set or clear the legal hold. Raises NotFound, Conflict when it is being deleted."""
        await self._store.set_hold(call_id, held=held, by=by, reason=reason, at=self._clock.now())
        return await self.described(call_id)

    async def verify(self, *, after: str = "", limit: int = 20) -> Verified:
        """Read the next recordings through and compare their checksums.

        Raises RecordingError when the store they lie in cannot be asked.
        """
        page = await self._store.recordings_after(after, limit=limit)
        bad = []
        for call_id, facts in page:
            if problem := await asyncio.to_thread(self._archive.problem, facts):
                now = await self._store.recording(call_id)
                # It may have been compressed, moved or deleted while it was read.
                if now == facts:
                    bad.append(Bad(call_id=call_id, path=facts.path or "", problem=problem))
        last = page[-1][0] if len(page) == limit else None
        return Verified(checked=len(page), bad=bad, last=last)

    async def count(self) -> int:
        """Count the recordings that have a file."""
        return await self._store.count_recordings()

    async def rotate(self) -> int:
        """Write the work that encrypts everything with the current key; return how many recordings that is.

        Raises BadInput when there is no key.
        """
        current, after, ordered = self._current(), "", 0
        while page := await self._store.recordings_after(after, limit=ROTATED_AT_ONCE, key_id_is_not=current):
            works = [rotate_work(call_id) for call_id, _ in page]
            await self._store.add_works(works, now=self._clock.now())
            after, ordered = page[-1][0], ordered + len(page)
        self._on_work()
        return ordered

    async def left_to_rotate(self) -> int:
        """Count the recordings that are not encrypted with the current key. Raises BadInput when there is none."""
        return await self._store.count_recordings(key_id_is_not=self._current())

    async def retention(self) -> list[ClassCount]:
        """Count recordings by class, those the settings no longer name too."""
        counts: dict[str, list[int]] = {name: [0, 0] for name in self._days}
        for name, held, count in await self._store.retention_counts():
            of_class = counts.setdefault(name, [0, 0])
            of_class[0] += count
            of_class[1] += count if held else 0
        return [
            ClassCount(retention=name, days=self._days_of(name), recordings=count, held=held)
            for name, (count, held) in sorted(counts.items())
        ]

    def _days_of(self, retention: str) -> float | None:
        return self._days.get(retention or self._default)

    def _delete_after(self, facts: RecordingFacts) -> datetime | None:
        days = self._days_of(facts.retention)
        if days is None or facts.recorded_at is None or facts.path is None:
            return None
        return facts.recorded_at + timedelta(days=days)

    def _current(self) -> str:
        current = self._archive.keys.current
        if current is None:
            raise BadInput("there is no key: WAIHU_RECORDING_KEY is not set")
        return current
