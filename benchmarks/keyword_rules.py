"""How many segments a second keyword rules are held against, beside looking for each phrase by itself.

Calls of generated English and Chinese dialogue, ten words a segment. Ours is all of judging: making words comparable,
finding every phrase with its words and seconds, near words, verdicts. `bare` looks whether each phrase stands in the
text of a segment as it is (`phrase in text`), which knows no words, no seconds, and nothing across segments.
"""

import time
from collections.abc import Sequence
from random import Random
from typing import Final

from benchmarks import said
from benchmarks.rows import Row, ratio
from cti.clock import SystemClock
from cti.model.keyword_rules import KeywordRule, RuleKind, RuleVersion
from cti.model.transcripts import Segment, Span, Speaker, Transcript, Word
from cti.quality.matching import Matcher
from cti.quality.talk import talk_figures

NAME = "keyword_rules"
PHRASES = (10, 100, 1000, 5000)
CALLS = 100
SEGMENTS_PER_CALL: Final = 50
_HAN: Final = [chr(code) for code in range(0x4E00, 0x4E00 + 800)]


async def run() -> None:
    """Measure each number of phrases in each language."""
    for language in ("en", "zh"):
        random = Random(7)
        words = _words(random, language)
        calls = [_call(random, words, language, number) for number in range(CALLS)]
        for count in PHRASES:
            said.step(f"{NAME}: {language}, {count} phrases")
            said.row(NAME, _measured(random, words, calls, language, count))


def _measured(
    random: Random, words: Sequence[str], calls: Sequence[Transcript], language: str, count: int
) -> Row:
    rules = _rules(random, words, language, count)
    began = time.perf_counter()
    matcher = Matcher(rules)
    made = time.perf_counter()
    hits = sum(one.count for call in calls for one in matcher.verdicts(call, campaign_id=None))
    found = time.perf_counter()
    phrases = [phrase for one in rules for phrase in one.rule.phrases]
    bare = sum(phrase in segment.shown for call in calls for segment in call.segments for phrase in phrases)
    looked = time.perf_counter()
    for call in calls:
        talk_figures(call)
    figured = time.perf_counter()
    segments = CALLS * SEGMENTS_PER_CALL
    return {
        "lang": language,
        "phrases": count,
        "segments": segments,
        "segments_per_s": round(segments / (found - made)),
        "bare_segments_per_s": round(segments / (looked - found)),
        "ratio": ratio(found - made, looked - found),
        "compile_ms": round(1000 * (made - began), 1),
        "figures_segments_per_s": round(segments / (figured - looked)),
        "hits": hits,
        "bare_hits": bare,
    }


def _words(random: Random, language: str) -> list[str]:
    if language == "zh":
        return ["".join(random.choices(_HAN, k=random.choice((1, 2, 2, 3)))) for _ in range(5000)]
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    return ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(5000)]


def _said(random: Random, words: Sequence[str]) -> str:
    """Draw a word; some are said far more often than others."""
    return words[min(int(random.paretovariate(0.6)), len(words)) - 1]


def _call(random: Random, words: Sequence[str], language: str, number: int) -> Transcript:
    segments = []
    at = 0.0
    for place in range(SEGMENTS_PER_CALL):
        text = [_said(random, words) for _ in range(10)]
        heard = tuple(
            Word(text=word, start=at + 0.3 * n, end=at + 0.3 * (n + 1)) for n, word in enumerate(text)
        )
        speaker = Speaker.AGENT if place % 2 else Speaker.CUSTOMER
        segments.append(Segment(speaker=speaker, words=heard, text="".join(text) if language == "zh" else ""))
        at += 4.0
    voices = {
        speaker: tuple(Span(start=one.start, end=one.end) for one in segments if one.speaker is speaker)
        for speaker in Speaker
    }
    return Transcript(
        voices=voices,
        call_id=f"{number:032x}",
        engine="none",
        model="none",
        fingerprint="",
        language=language,
        seconds=at,
        segments=tuple(segments),
        made_at=SystemClock().now(),
    )


def _rules(random: Random, words: Sequence[str], language: str, count: int) -> list[RuleVersion]:
    """Make rules of ten phrases of one to three words; one in five asks for a near word."""
    joint = "" if language == "zh" else " "
    rules = []
    for number in range(max(1, count // 10)):
        phrases = tuple(joint.join(random.choices(words, k=random.randint(1, 3))) for _ in range(10))
        near = (random.choice(words),) if number % 5 == 0 else ()
        rule = KeywordRule(code=f"r{number}", kind=RuleKind.MUST_NOT_SAY, phrases=phrases, near=near)
        at = SystemClock().now()
        rules.append(RuleVersion(revision=number + 1, version=1, rule=rule, by="bench", at=at))
    return rules
