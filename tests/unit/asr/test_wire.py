"""A transcript and leased work as JSON, and back."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asr.orders import Order, order_of, work_of, work_record
from cti.asr.wire import transcript_of, transcript_record
from cti.errors import BadInput, GiveUp
from cti.model.campaign_rules import TranscriptionRules
from cti.model.queries import RecordingFacts
from cti.model.transcription import transcribe_work, transcription_works
from cti.model.transcripts import Segment, Span, Speaker, Transcript, Word
from cti.model.work import TRANSCRIBE, Work
from tests.builders import NOW, later
from tests.fakes.transcription import a_transcript

seconds = st.floats(0, 1e5)
texts = st.text(max_size=20)
words = st.builds(Word, text=texts, start=seconds, end=seconds, confidence=st.none() | st.floats(0, 1))
segments = st.builds(
    Segment,
    speaker=st.sampled_from(Speaker),
    words=st.lists(words, min_size=1, max_size=3).map(tuple),
    text=texts,
)
spans = st.lists(st.builds(Span, start=seconds, end=seconds), max_size=3).map(tuple)
transcripts = st.builds(
    Transcript,
    call_id=texts,
    engine=texts,
    model=texts,
    fingerprint=texts,
    language=texts,
    seconds=seconds,
    segments=st.lists(segments, max_size=3).map(tuple),
    voices=st.dictionaries(st.sampled_from(Speaker), spans),
    made_at=st.just(NOW),
    problem=st.none() | texts,
)


@given(transcripts)
def test_a_transcript_comes_back_as_it_was(transcript: Transcript) -> None:
    assert transcript_of(json.loads(json.dumps(transcript_record(transcript)))) == transcript


@pytest.mark.parametrize(
    "change",
    [
        {"call_id": 7},
        {"made_at": "2026-11-23T09:00:00"},
        {"made_at": "yesterday"},
        {"segments": [{"speaker": "nobody", "text": "", "words": [["a", 0, 1, None]]}]},
        {"segments": [{"speaker": "agent", "text": "", "words": [["a", 0]]}]},
        {"segments": 5},
        {"voices": []},
        {"voices": {"agent": [[1]]}},
        {"problem": 5},
    ],
)
def test_what_is_no_transcript_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="this is no transcript"):
        transcript_of(transcript_record(a_transcript("c")) | change)


def a_work(**given: Any) -> Work:
    wish = transcribe_work("c1", {"language": "zh", "model": "big", "priority": 3})
    values: dict[str, Any] = {
        "id": 5,
        "kind": wish.kind,
        "key": wish.key,
        "version": 2,
        "payload": wish.payload,
        "attempts": 1,
        "lease": "token",
        "leased_until": later(60),
    }
    return Work(**values | given)


def test_leased_work_comes_back_as_it_was() -> None:
    work = replace(a_work(), error="no disk", leased_until=later(60) + timedelta(microseconds=7))
    assert work_of(json.loads(json.dumps(work_record(work)))) == work


def test_the_order_is_read_from_the_payload() -> None:
    assert order_of(a_work()) == Order(call_id="c1", language="zh", model="big")
    assert order_of(a_work(payload={"call_id": "c2"})) == Order(call_id="c2")


@pytest.mark.parametrize("payload", [{}, {"call_id": 5}, {"call_id": ""}, {"call_id": "c", "model": 7}])
def test_an_order_that_cannot_be_read_is_given_up(payload: dict[str, Any]) -> None:
    with pytest.raises(GiveUp):
        order_of(a_work(payload=payload))


def test_a_recording_is_transcribed_where_its_campaign_wants_it_and_there_is_sound() -> None:
    sound, silence = RecordingFacts(path="a.wav"), RecordingFacts(path=None, problem="no file")
    rules = TranscriptionRules(enabled=True, language="zh", priority=4)

    (work,) = transcription_works(rules, "c", sound)

    assert (work.kind, work.key, work.priority) == (TRANSCRIBE, "c", 4)
    assert work.payload == {"call_id": "c", "language": "zh", "model": ""}
    assert transcription_works(rules, "c", silence) == ()
    assert transcription_works(TranscriptionRules(), "c", sound) == ()
