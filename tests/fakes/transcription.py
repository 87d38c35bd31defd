"""Transcription's parts over a store in memory, and a scribe that hears what a test wants."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cti.asr.desk import TranscriptionDesk
from cti.asr.pipeline import Heard
from cti.asr.table_feed import Follow, TableFeed, all_of
from cti.asr.worker_ports import Ear
from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import GiveUp
from cti.model.campaign_rules import TranscriptionRules
from cti.model.transcripts import Segment, Span, Speaker, Transcript, Word
from tests.builders import NOW
from tests.fakes.memory_store import MemoryStore

NOTHING = all_of()


def a_table_feed(
    store: MemoryStore, clock: Clock, *, live_calls: int = 0, follow: Follow = NOTHING
) -> TableFeed:
    async def calls() -> int:
        return live_calls

    return TableFeed(
        works=store.work,
        transcripts=store.transcripts,
        clock=clock,
        follow=follow,
        live_calls=calls,
        chance=lambda: 1.0,
    )


def a_transcription_desk(store: MemoryStore, bus: EventBus, clock: Clock) -> TranscriptionDesk:
    def rules(campaign_id: int) -> TranscriptionRules:
        return store.tables.campaigns[campaign_id].rules.transcription

    return TranscriptionDesk(
        works=store.work,
        facts=store.facts,
        feed=a_table_feed(store, clock, live_calls=3),
        bus=bus,
        clock=clock,
        rules=rules,
    )


def a_transcript(call_id: str, fingerprint: str = "f1", text: str = "hello") -> Transcript:
    word = Word(text=text, start=0.5, end=0.9, confidence=0.8)
    return Transcript(
        call_id=call_id,
        engine="fake",
        model="echo",
        fingerprint=fingerprint,
        language="en",
        seconds=2.0,
        segments=(Segment(speaker=Speaker.CUSTOMER, words=(word,)),),
        voices={Speaker.CUSTOMER: (Span(start=0.5, end=0.9),)},
        made_at=NOW,
    )


@dataclass
class FakeScribe:
    """Hears the file's text as one word; `during` is done in the thread while it listens."""

    engine: str = "fake"
    model: str = "echo"
    language: str = "en"
    fingerprint: str = "f1"
    seconds: float = 2.0
    during: Callable[[Callable[[], None]], None] = lambda still: still()
    faults: dict[str, Exception] = field(default_factory=dict)
    """By the file's text: what listening to it raises."""
    ears: int = 0
    heard: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def ear(self) -> Ear:
        self.ears += 1

        def listen(path: Path, still: Callable[[float], Callable[[], None]]) -> Heard:
            text = path.read_text()
            self.heard.append(text)
            self.threads.add(threading.get_ident())
            self.during(still(self.seconds))
            if text in self.faults:
                raise self.faults[text]
            word = Word(text=text, start=0.1, end=0.5)
            return Heard(seconds=self.seconds, segments=(Segment(speaker=Speaker.AGENT, words=(word,)),))

        return listen


@dataclass
class FakeScribes:
    """By model's name; empty asks for `echo`."""

    by_name: Mapping[str, FakeScribe]

    def scribe(self, *, model: str, language: str) -> FakeScribe:
        name = model or "echo"
        if name not in self.by_name:
            raise GiveUp(f"there is no model {name!r}")
        return self.by_name[name]
