"""`TranscriptStore` in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import BadInput, NotFound
from cti.model.transcripts import Segment, Span, Transcript, Word
from cti.model.work import NewWork
from cti.search.segment_ids import MOST_SEGMENTS, first_key, free_key
from tests.fakes.memory_tables import MemoryTables


class MemoryTranscripts:
    """Transcripts by their keys."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def save(self, transcript: Transcript, then: Sequence[NewWork] = ()) -> int:
        if len(transcript.segments) > MOST_SEGMENTS:
            raise BadInput(f"{len(transcript.segments)} segments; at most {MOST_SEGMENTS} can be kept")
        call = self._tables.calls.get(transcript.call_id)
        if call is None:
            raise NotFound(f"there is no call {transcript.call_id}")
        known = self._of(transcript.call_id)
        for one in known:
            if one.fingerprint == transcript.fingerprint:
                return one.version
        stored = _to_the_millisecond(replace(transcript, version=len(known) + 1))
        key = free_key(first_key(call.placed_at), sorted(self._tables.transcripts))
        self._tables.transcripts[key] = stored
        self._tables.write_works(then, transcript.made_at)
        return stored.version

    async def current(self, call_id: str) -> Transcript | None:
        return next(iter(self._of(call_id)), None)

    async def versions(self, call_id: str) -> list[Transcript]:
        return [replace(one, segments=(), voices={}) for one in self._of(call_id)]

    async def version(self, call_id: str, version: int) -> Transcript | None:
        return next((one for one in self._of(call_id) if one.version == version), None)

    async def past(self, before: Mapping[str, datetime], *, after: int, limit: int) -> list[tuple[int, str]]:
        newest = {one.call_id: key for key, one in sorted(self._tables.transcripts.items())}
        found = sorted((key, call_id) for call_id, key in newest.items() if self._is_past(call_id, before))
        return [one for one in found if one[0] > after][:limit]

    def _is_past(self, call_id: str, before: Mapping[str, datetime]) -> bool:
        facts = self._tables.recordings.get(call_id)
        if facts is None or facts.recorded_at is None or facts.held or facts.retention not in before:
            return False
        return facts.recorded_at < before[facts.retention]

    async def forget(self, call_ids: Sequence[str]) -> int:
        keys = [key for key, one in self._tables.transcripts.items() if one.call_id in call_ids]
        for key in keys:
            del self._tables.transcripts[key]
        return len(keys)

    def _of(self, call_id: str) -> list[Transcript]:
        """Return all of a call, newest first."""
        found = [one for one in self._tables.transcripts.values() if one.call_id == call_id]
        return sorted(found, key=lambda one: one.version, reverse=True)


def _to_the_millisecond(transcript: Transcript) -> Transcript:
    voices = {
        speaker: tuple(Span(start=_ms(span.start), end=_ms(span.end)) for span in spans)
        for speaker, spans in transcript.voices.items()
    }
    return replace(transcript, segments=tuple(map(_segment, transcript.segments)), voices=voices)


def _segment(segment: Segment) -> Segment:
    words = tuple(map(_word, segment.words))
    plain = " ".join(word.text for word in words)
    return replace(segment, words=words, text="" if segment.text == plain else segment.text)


def _word(word: Word) -> Word:
    confidence = None if word.confidence is None else round(word.confidence, 3)
    return replace(word, start=_ms(word.start), end=_ms(word.end), confidence=confidence)


def _ms(seconds: float) -> float:
    return round(seconds * 1000) / 1000
