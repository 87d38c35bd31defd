"""Transcripts as a CRM is given them."""

from typing import Any

from cti.crm.texts import text_of, texts_by
from cti.model.transcripts import Segment, Speaker, Transcript, Word
from tests.builders import NOW


def said(speaker: Speaker, text: str, start: float) -> Segment:
    return Segment(speaker=speaker, words=(Word(text=text, start=start, end=start + 1),))


def a_transcript(**given: Any) -> Transcript:
    values: dict[str, Any] = {
        "call_id": "a",
        "engine": "vosk",
        "model": "m",
        "language": "en",
        "seconds": 9.0,
        "made_at": NOW,
        "fingerprint": "f",
        "segments": (said(Speaker.AGENT, "hello", 0), said(Speaker.CUSTOMER, "你好", 2)),
    }
    return Transcript(**values | given)


def test_each_utterance_is_a_line_with_who_said_it() -> None:
    assert text_of(a_transcript()) == "agent: hello\ncustomer: 你好"


async def test_calls_without_a_transcript_are_left_out() -> None:
    async def current(call_id: str) -> Transcript | None:
        return a_transcript() if call_id == "a" else None

    assert await texts_by(current)(["a", "b"]) == {"a": "agent: hello\ncustomer: 你好"}
