"""A transcript as JSON values, between the process that made it and the one that stores it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cti.errors import BadInput
from cti.model.transcripts import Segment, Span, Speaker, Transcript, Word


def transcript_record(transcript: Transcript) -> dict[str, Any]:
    """Return it as JSON values; words are lists `[text, start, end, confidence]`, for there are many."""
    return {
        "call_id": transcript.call_id,
        "engine": transcript.engine,
        "model": transcript.model,
        "fingerprint": transcript.fingerprint,
        "language": transcript.language,
        "seconds": transcript.seconds,
        "segments": [
            {
                "speaker": segment.speaker.value,
                "text": segment.text,
                "words": [[word.text, word.start, word.end, word.confidence] for word in segment.words],
            }
            for segment in transcript.segments
        ],
        "voices": {
            speaker.value: [[span.start, span.end] for span in spans]
            for speaker, spans in transcript.voices.items()
        },
        "made_at": transcript.made_at.isoformat(),
        "problem": transcript.problem,
    }


def transcript_of(record: Mapping[str, Any]) -> Transcript:
    """Read it again. Raises BadInput naming what cannot be read."""
    try:
        made_at = datetime.fromisoformat(record["made_at"])
        if made_at.tzinfo is None:
            raise ValueError("made_at has no time zone")
        return Transcript(
            call_id=_text(record, "call_id"),
            engine=_text(record, "engine"),
            model=_text(record, "model"),
            fingerprint=_text(record, "fingerprint"),
            language=_text(record, "language"),
            seconds=float(record["seconds"]),
            segments=tuple(_segment(one) for one in record["segments"]),
            voices={
                Speaker(speaker): tuple(Span(start=float(start), end=float(end)) for start, end in spans)
                for speaker, spans in record["voices"].items()
            },
            made_at=made_at,
            problem=None if record["problem"] is None else _text(record, "problem"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"this is no transcript: {type(error).__name__}: {error}") from error


def _segment(record: Mapping[str, Any]) -> Segment:
    words = tuple(
        Word(
            text=str(text),
            start=float(start),
            end=float(end),
            confidence=None if confidence is None else float(confidence),
        )
        for text, start, end, confidence in record["words"]
    )
    if not words:
        raise ValueError("a segment has no words")
    return Segment(speaker=Speaker(record["speaker"]), words=words, text=_text(record, "text"))


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value
