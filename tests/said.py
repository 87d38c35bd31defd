"""Calls made of lines of text, for tests of quality: who said what from which second on."""

from typing import Any

from cti.model.judgements import JudgedCall, Judgement
from cti.model.keyword_rules import KeywordRule, RuleKind, RuleVersion
from cti.model.score_cards import Question, ScoreCard, Section
from cti.model.transcripts import Segment, Span, Speaker, Transcript, Word
from cti.quality.talk import talk_figures
from tests.builders import NOW

Line = tuple[str, float, str]
"""`agent` or `customer`, seconds from the beginning, what was said."""
WORD_SECONDS = 0.4


def a_segment(speaker: str, start: float, text: str) -> Segment:
    """Build one utterance; each word lasts WORD_SECONDS, without a pause."""
    words = tuple(
        Word(text=word, start=start + place * WORD_SECONDS, end=start + (place + 1) * WORD_SECONDS)
        for place, word in enumerate(text.split())
    )
    return Segment(speaker=Speaker(speaker), words=words)


def a_transcript(*lines: Line, **given: Any) -> Transcript:
    """Build the transcript of a call of 60 s; voices are heard while words are said."""
    segments = tuple(sorted((a_segment(*line) for line in lines), key=lambda one: one.start))
    values: dict[str, Any] = {
        "call_id": "0" * 32,
        "engine": "vosk",
        "model": "small-en-us",
        "fingerprint": "f",
        "language": "en",
        "seconds": 60.0,
        "segments": segments,
        "voices": {
            speaker: tuple(Span(start=one.start, end=one.end) for one in segments if one.speaker is speaker)
            for speaker in Speaker
        },
        "made_at": NOW,
        "version": 1,
    }
    return Transcript(**values | given)


def a_rule(*phrases: str, **given: Any) -> KeywordRule:
    """Build a rule that forbids phrases."""
    values: dict[str, Any] = {"code": "rule", "kind": RuleKind.MUST_NOT_SAY, "phrases": phrases}
    return KeywordRule(**values | given)


def versions(*rules: KeywordRule) -> list[RuleVersion]:
    """Put rules in force, one revision each."""
    return [
        RuleVersion(revision=place + 1, version=1, rule=rule, by="lead", at=NOW)
        for place, rule in enumerate(rules)
    ]


def a_judgement(**given: Any) -> Judgement:
    """Build the judgement of a call in which nothing was said."""
    values: dict[str, Any] = {
        "call": JudgedCall(call_id="0" * 32, placed_at=NOW, campaign_id=None, agent_id=None),
        "transcript_version": 1,
        "language": "en",
        "revision": 1,
        "figures": talk_figures(a_transcript()),
        "judged_at": NOW,
    }
    return Judgement(**values | given)


def a_card(*questions: Question, **given: Any) -> ScoreCard:
    """Build a card of one section."""
    asked = questions or (Question(code="greeting", text="Did he greet?"),)
    values: dict[str, Any] = {"code": "sales", "sections": (Section(title="All", questions=asked),)}
    return ScoreCard(**values | given)
