"""Which transcripts go when, and what goes with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cti.asr.retention import TranscriptRetention, text_cutoffs
from cti.errors import StorageError
from cti.model.queries import RecordingFacts
from cti.model.recordings import RetentionClass
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.talk import a_transcript, dialogue

KEPT = RecordingFacts(path="2026/a.wav", seconds=6.0, size_bytes=96_044, sha256="ab" * 32)
SHORT = RetentionClass(name="short", days=10)
TEXT_LONGER = RetentionClass(name="longer", days=10, transcript_days=100)
TEXT_SHORTER = RetentionClass(name="shorter", days=100, transcript_days=10)
CLASSES = (SHORT, TEXT_LONGER, TEXT_SHORTER)


class Judgements:
    """Remembers whose were forgotten, and what stood there then."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.forgotten: list[str] = []

    async def forget(self, call_ids: Sequence[str]) -> int:
        for call_id in call_ids:
            assert await self.store.transcripts.current(call_id), "what quotes goes before what is quoted"
        self.forgotten += call_ids
        return len(call_ids)


class House:
    """Calls with recordings and transcripts."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FakeClock(NOW)
        self.judgements = Judgements(self.store)

    async def said(self, retention: str, *, held: bool = False) -> str:
        call = a_call(placed_at=NOW)
        await self.store.calls.place([(call, None)])
        facts = replace(KEPT, retention=retention, recorded_at=NOW)
        await self.store.recordings.save_recording(call.id, facts, at=NOW)
        if held:
            await self.store.recordings.set_hold(call.id, held=True, by="lea", reason="", at=NOW)
        await self.store.transcripts.save(a_transcript(call.id, dialogue("a word")))
        return call.id

    async def after(self, days: float, *, default: str = "", bite: int = 2) -> int:
        self.clock.advance(days * 86_400)
        keeper = TranscriptRetention(
            store=self.store.transcripts,
            judgements=self.judgements,
            clock=self.clock,
            classes=CLASSES,
            default=default,
            bite=bite,
        )
        return await keeper.step()

    async def left(self) -> set[str]:
        return {one.call_id for one in self.store.tables.transcripts.values()}


def test_a_class_has_a_time_for_texts_or_that_of_its_recordings() -> None:
    assert text_cutoffs(CLASSES, "longer", NOW) == {
        "short": NOW - timedelta(days=10),
        "longer": NOW - timedelta(days=100),
        "shorter": NOW - timedelta(days=10),
        "": NOW - timedelta(days=100),
    }
    assert text_cutoffs((), "short", NOW) == {}


async def test_a_backlog_goes_in_bites_and_each_class_in_its_time() -> None:
    house = House()
    gone = [await house.said("short") for _ in range(5)] + [await house.said("shorter")]
    longer, unknown, none = [await house.said(name) for name in ("longer", "unknown", "")]

    assert await house.after(9.9) == 0
    assert await house.after(0.2) == 6
    assert await house.left() == {longer, unknown, none}
    assert sorted(house.judgements.forgotten) == sorted(gone)
    assert await house.after(90) == 1
    assert await house.after(0, default="short") == 1
    assert await house.left() == {unknown}


async def test_what_is_held_stays_and_goes_when_the_hold_does() -> None:
    house = House()
    held = [await house.said("short", held=True) for _ in range(3)]
    free = await house.said("short")

    assert await house.after(11) == 1
    assert await house.left() == set(held)
    assert house.judgements.forgotten == [free]
    await house.store.recordings.set_hold(held[1], held=False, by="lea", reason="", at=NOW)
    assert await house.after(1) == 1


async def test_a_transcript_that_was_made_late_goes_with_the_next_step() -> None:
    house = House()
    call_id = await house.said("short")
    assert await house.after(11) == 1
    await house.store.transcripts.save(a_transcript(call_id, dialogue("once more"), fingerprint="f2"))

    assert await house.after(1) == 1
    assert await house.left() == set()


async def test_a_database_that_is_away_is_asked_again_a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    await house.said("short")

    async def away(before: Mapping[str, datetime], *, after: int, limit: int) -> list[tuple[int, str]]:
        raise StorageError("the database is away", temporary=True)

    with monkeypatch.context() as patched:
        patched.setattr(house.store.transcripts, "past", away)
        assert await house.after(11) == 0
    assert await house.after(1) == 1
