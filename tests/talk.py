"""Builds what was said, for tests that care about the words alone."""

from collections.abc import Sequence
from typing import Any

from cti.model.transcripts import Segment, Speaker, Transcript, Word
from tests.builders import later

C, A = Speaker.CUSTOMER, Speaker.AGENT


def said(speaker: Speaker, words: str, *, at: float = 0.0, each: float = 0.5, text: str = "") -> Segment:
    """Build an utterance whose words (cut at spaces) take `each` seconds."""
    return Segment(
        speaker=speaker,
        words=tuple(
            Word(text=word, start=at + n * each, end=at + (n + 1) * each, confidence=0.9)
            for n, word in enumerate(words.split())
        ),
        text=text,
    )


def a_transcript(call_id: str, segments: Sequence[Segment] = (), **given: Any) -> Transcript:
    """Build a transcript."""
    values: dict[str, Any] = {
        "call_id": call_id,
        "engine": "vosk",
        "model": "small-en-us",
        "fingerprint": "f1",
        "language": "en",
        "seconds": 60.0,
        "segments": tuple(segments),
        "made_at": later(100),
    }
    return Transcript(**values | given)


def dialogue(*lines: str) -> list[Segment]:
    """Build utterances of both in turn, the customer first, one every 5 seconds."""
    return [said((C, A)[n % 2], line, at=5.0 * n) for n, line in enumerate(lines)]
