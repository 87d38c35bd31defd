from typing import Any

import pytest

from cti.model.keyword_rules import MAX_HITS, KeywordRule, RuleKind, RuleVerdict, in_force
from cti.model.transcripts import Speaker, Transcript
from cti.quality.matching import PHRASE_GAP_SECONDS, Matcher
from tests.said import a_rule, a_transcript, versions


def verdict(rule: KeywordRule, transcript: Transcript, campaign_id: int | None = None) -> RuleVerdict:
    [found] = Matcher(versions(rule)).verdicts(transcript, campaign_id=campaign_id)
    return found


def is_broken(rule: KeywordRule, *lines: Any, **given: Any) -> bool:
    return verdict(rule, a_transcript(*lines, **given)).broken


def test_a_forbidden_phrase_is_told_with_its_words_speaker_and_seconds() -> None:
    found = verdict(
        a_rule("Guaranteed returns!"),
        a_transcript(("customer", 1, "hello"), ("agent", 2, "we have guaranteed returns")),
    )
    assert found.broken
    [hit] = found.hits
    assert (hit.phrase, hit.words, hit.speaker) == (
        "Guaranteed returns!",
        "guaranteed returns",
        Speaker.AGENT,
    )
    assert (hit.start, hit.end) == (pytest.approx(2.8), pytest.approx(3.6))


def test_words_are_whole_in_latin_and_anywhere_in_chinese() -> None:
    assert not is_broken(a_rule("rate"), ("agent", 1, "separate rates"))
    found = verdict(a_rule("收益"), a_transcript(("agent", 1, "我们 保证收 益"), language="zh"))
    assert [(hit.words, hit.start, hit.end) for hit in found.hits] == [
        ("保证收益", pytest.approx(1.4), pytest.approx(2.2))
    ]


@pytest.mark.parametrize(
    ("kind", "said", "broken"),
    [
        (RuleKind.MUST_SAY, "this call is recorded", False),
        (RuleKind.MUST_SAY, "this is something else", True),
        (RuleKind.MUST_NOT_SAY, "this call is recorded", True),
        (RuleKind.MUST_NOT_SAY, "this is something else", False),
    ],
)
def test_what_must_be_said_is_broken_by_silence(kind: RuleKind, said: str, broken: bool) -> None:
    assert is_broken(a_rule("call is recorded", "is being taped", kind=kind), ("agent", 1, said)) is broken


def test_the_speaker_is_minded() -> None:
    rule = a_rule("refund", speaker=Speaker.AGENT)
    assert not is_broken(rule, ("customer", 1, "i want a refund"))
    assert is_broken(rule, ("agent", 1, "no refund"))


def test_the_first_and_the_last_seconds_are_minded() -> None:
    greeting = a_rule("good morning", kind=RuleKind.MUST_SAY, first_seconds=10)
    assert not is_broken(greeting, ("agent", 9.9, "good morning"))
    assert is_broken(greeting, ("agent", 10, "good morning"))
    goodbye = a_rule("goodbye", kind=RuleKind.MUST_SAY, last_seconds=10)
    assert is_broken(goodbye, ("agent", 49, "goodbye"))
    assert not is_broken(goodbye, ("agent", 51, "goodbye"))


def test_near_counts_the_words_between_on_either_side() -> None:
    rule = a_rule("return", near=("guaranteed",), near_words=2)
    assert is_broken(rule, ("agent", 1, "guaranteed high yearly return"))
    assert is_broken(rule, ("agent", 1, "a return that is guaranteed"))
    assert not is_broken(rule, ("agent", 1, "guaranteed or not there is a return"))
    assert not is_broken(rule, ("customer", 1, "guaranteed"), ("agent", 2, "return"))
    assert not is_broken(rule, ("agent", 1, "return"))


def test_a_near_word_within_the_phrase_itself_does_not_count() -> None:
    assert not is_broken(a_rule("guaranteed return", near=("guaranteed",)), ("agent", 1, "guaranteed return"))


def test_no_phrase_goes_across_a_long_pause() -> None:
    rule = a_rule("not guaranteed")
    assert is_broken(rule, ("agent", 1, "not"), ("agent", 1.4 + PHRASE_GAP_SECONDS, "guaranteed"))
    assert not is_broken(rule, ("agent", 1, "not"), ("agent", 1.41 + PHRASE_GAP_SECONDS, "guaranteed"))


def test_forms_of_a_word_are_found_only_when_asked_for() -> None:
    line = ("agent", 1, "it was guaranteed")
    assert not is_broken(a_rule("guarantee"), line)
    assert is_broken(a_rule("guarantee", inflect=True), line)


def test_overlapping_phrases_of_several_rules_are_all_found() -> None:
    rules = versions(
        a_rule("guaranteed", code="a"), a_rule("guaranteed returns", code="b"), a_rule("returns", code="c")
    )
    found = Matcher(rules).verdicts(
        a_transcript(("agent", 1, "guaranteed returns for you")), campaign_id=None
    )
    assert [(one.code, one.count) for one in found] == [("a", 1), ("b", 1), ("c", 1)]


def test_a_rule_of_other_campaigns_or_languages_has_no_verdict() -> None:
    rules = versions(
        a_rule("x", code="a", campaigns=(1,)),
        a_rule("x", code="b", language="zh"),
        a_rule("x", code="c", language="en"),
    )
    matcher = Matcher(rules)
    said = a_transcript(language="zh-CN")
    assert [one.code for one in matcher.verdicts(said, campaign_id=1)] == ["a", "b"]
    assert [one.code for one in matcher.verdicts(said, campaign_id=None)] == ["b"]


def test_a_word_said_all_the_time_is_counted_and_kept_up_to_a_limit() -> None:
    found = verdict(a_rule("um"), a_transcript(("agent", 0, "um " * 200)))
    assert (found.count, len(found.hits)) == (200, MAX_HITS)


def test_a_call_without_words_breaks_what_must_be_said() -> None:
    assert is_broken(a_rule("hello", kind=RuleKind.MUST_SAY))


def test_rules_in_force_are_the_newest_of_each_at_that_revision() -> None:
    old, other, new, gone = versions(
        a_rule("x"), a_rule("y", code="other"), a_rule("z"), a_rule("y", code="other", active=False)
    )
    history = [gone, new, old, other]
    assert in_force(history) == [new]
    assert in_force(history, 2) == [other, old]
    assert in_force(history, 0) == []
