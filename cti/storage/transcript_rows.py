"""Rows of `transcripts` and `segments`, from and to values. Times are whole milliseconds there. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cti.model.transcripts import Segment, Span, Speaker, Transcript, Word
from cti.search.segment_ids import first_id


def transcript_values(
    transcript: Transcript, *, key: int, version: int, facets: Iterable[str]
) -> dict[str, Any]:
    """Return the row of the call's new current transcript."""
    return {
        "key": key,
        "call_id": transcript.call_id,
        "version": version,
        "is_current": True,
        "engine": transcript.engine,
        "model": transcript.model,
        "fingerprint": transcript.fingerprint,
        "language": transcript.language,
        "seconds": transcript.seconds,
        "made_at": transcript.made_at,
        "problem": transcript.problem,
        "voices": _voices_text(transcript.voices),
        "facets": " ".join(facets),
    }


def segment_values(segments: Sequence[Segment], *, key: int) -> list[dict[str, Any]]:
    """Return the rows of a transcript's segments, by id."""
    return [
        {
            "id": segment_id,
            "speaker": segment.speaker.value,
            "start_ms": milliseconds(segment.start),
            "end_ms": milliseconds(segment.end),
            "text": segment.shown,
            "words": words_text(segment.words),
            "confidence": _rounded(segment.confidence),
        }
        for segment_id, segment in enumerate(segments, first_id(key))
    ]


def transcript_of(row: Any, segments: Iterable[Any] = (), *, with_voices: bool = True) -> Transcript:
    """Return a transcript."""
    return Transcript(
        call_id=row.call_id,
        engine=row.engine,
        model=row.model,
        fingerprint=row.fingerprint,
        language=row.language,
        seconds=row.seconds,
        segments=tuple(segment_of(segment.speaker, segment.text, segment.words) for segment in segments),
        voices=_voices_of(row.voices) if with_voices else {},
        made_at=row.made_at,
        version=row.version,
        problem=row.problem,
    )


def segment_of(speaker: str, shown: str, words: str) -> Segment:
    """Return a segment; its text is empty when it is just the words."""
    heard = tuple(
        Word(text=word, start=start / 1000, end=end / 1000, confidence=confidence)
        for word, start, end, confidence in json.loads(words)
    )
    plain = " ".join(word.text for word in heard)
    return Segment(speaker=Speaker(speaker), words=heard, text="" if shown == plain else shown)


def words_text(words: Iterable[Word]) -> str:
    """Return words as compact JSON."""
    return _compact(
        [
            [word.text, milliseconds(word.start), milliseconds(word.end), _rounded(word.confidence)]
            for word in words
        ]
    )


def milliseconds(seconds: float) -> int:
    """Return seconds as whole milliseconds."""
    return round(seconds * 1000)


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 3)


def _voices_text(voices: Mapping[Speaker, Sequence[Span]]) -> str:
    return _compact(
        {
            speaker.value: [[milliseconds(span.start), milliseconds(span.end)] for span in spans]
            for speaker, spans in voices.items()
        }
    )


def _voices_of(stored: str) -> dict[Speaker, tuple[Span, ...]]:
    return {
        Speaker(speaker): tuple(Span(start=start / 1000, end=end / 1000) for start, end in spans)
        for speaker, spans in json.loads(stored).items()
    }


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
