"""Keyword rules held against a transcript. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cti.model.keyword_rules import MAX_HITS, Hit, KeywordRule, RuleKind, RuleVerdict, RuleVersion
from cti.model.transcripts import CHANNELS, Speaker, Transcript, Word
from cti.quality.phrases import BARRIER, Found, PhraseFinder
from cti.quality.wording import inflections, is_joined, joined, tokens

PHRASE_GAP_SECONDS: Final = 1.5
"""No phrase goes across a longer pause of its speaker: the segments of recorded calls end at pauses of 0.5 to 1 s."""


@dataclass(frozen=True, slots=True)
class Said:
    """All that one speaker said, as one comparable text."""

    text: str
    starts: tuple[int, ...]
    """Where each token begins in the text."""
    word_of: tuple[int, ...]
    """By token: which of `words` it belongs to."""
    words: tuple[Word, ...]

    def token_at(self, letter: int) -> int:
        """Return which token a letter of the text belongs to."""
        return bisect_right(self.starts, letter) - 1


def said_by(transcript: Transcript, speaker: Speaker) -> Said:
    """Return what a speaker said, with a barrier at long pauses."""
    words = tuple(
        word
        for segment in sorted(
            (one for one in transcript.segments if one.speaker is speaker), key=lambda one: one.start
        )
        for word in segment.words
    )
    parts: list[str] = []
    starts: list[int] = []
    word_of: list[int] = []
    length, after_joined, last_end = 0, False, 0.0
    for place, word in enumerate(words):
        for token in tokens(word.text):
            first = not starts or word_of[-1] != place
            if parts and first and word.start - last_end > PHRASE_GAP_SECONDS:
                between = BARRIER
            elif parts and not (after_joined and is_joined(token)):
                between = " "
            else:
                between = ""
            starts.append(length + len(between))
            word_of.append(place)
            parts.append(between + token)
            length += len(between) + len(token)
            after_joined = is_joined(token)
        last_end = word.end
    return Said("".join(parts), tuple(starts), tuple(word_of), words)


@dataclass(frozen=True, slots=True)
class _Place:
    """A phrase that was found, by tokens."""

    hit: Hit
    first: int
    last: int


_Part = tuple[str, bool]
"""Code of a rule, and whether the phrase is one of its near words."""


class Matcher:
    """The rules of one revision of the rulebook, ready to be held against transcripts."""

    def __init__(self, rules: Sequence[RuleVersion]) -> None:
        """`rules`: those in force, see `keyword_rules.in_force`."""
        self._rules = tuple(rules)
        wanted: defaultdict[str, list[tuple[_Part, str]]] = defaultdict(list)
        for one in rules:
            for phrases, is_near in ((one.rule.phrases, False), (one.rule.near, True)):
                for phrase in phrases:
                    for form in _comparable(phrase, one.rule):
                        wanted[form].append(((one.rule.code, is_near), phrase))
        self._wanted: Mapping[str, list[tuple[_Part, str]]] = wanted
        self._finder = PhraseFinder(wanted.keys())

    def verdicts(self, transcript: Transcript, *, campaign_id: int | None) -> list[RuleVerdict]:
        """Return the verdict of each rule that applies, by code."""
        found = {speaker: self._found(transcript, speaker) for speaker in CHANNELS}
        return [
            _verdict(one, _hits(one.rule, transcript, found))
            for one in self._rules
            if applies(one.rule, language=transcript.language, campaign_id=campaign_id)
        ]

    def _found(self, transcript: Transcript, speaker: Speaker) -> dict[_Part, list[_Place]]:
        said = said_by(transcript, speaker)
        by_part: defaultdict[_Part, list[_Place]] = defaultdict(list)
        for found in self._finder.find(said.text):
            for part, phrase in self._wanted[found.phrase]:
                by_part[part].append(_place(said, speaker, found, phrase))
        return by_part


def applies(rule: KeywordRule, *, language: str, campaign_id: int | None) -> bool:
    """Return whether a rule is meant for a call of this campaign in this language."""
    spoken = language.casefold().split("-")[0]
    return (not rule.campaigns or campaign_id in rule.campaigns) and (
        not rule.language or rule.language.casefold().split("-")[0] == spoken
    )


def _comparable(phrase: str, rule: KeywordRule) -> Iterable[str]:
    words = tokens(phrase)
    return {joined(form) for form in (inflections(words) if rule.inflect else [words])}


def _place(said: Said, speaker: Speaker, found: Found, phrase: str) -> _Place:
    first, last = said.token_at(found.start), said.token_at(found.end - 1)
    words = said.words[said.word_of[first] : said.word_of[last] + 1]
    hit = Hit(
        phrase=phrase,
        words=_shown(words),
        speaker=speaker,
        start=words[0].start,
        end=max(w.end for w in words),
    )
    return _Place(hit, first, last)


def _shown(words: Sequence[Word]) -> str:
    text = ""
    for word in words:
        apart = text and not (is_joined(text[-1]) and is_joined(word.text[:1]))
        text += f" {word.text}" if apart else word.text
    return text


def _hits(
    rule: KeywordRule, transcript: Transcript, found: Mapping[Speaker, Mapping[_Part, Sequence[_Place]]]
) -> list[Hit]:
    hits = []
    for speaker, parts in found.items():
        if rule.speaker not in (None, speaker):
            continue
        nears = parts.get((rule.code, True), ())
        for place in parts.get((rule.code, False), ()):
            if _in_position(rule, place.hit, transcript.seconds) and (
                not rule.near or any(_is_near(place, near, rule.near_words) for near in nears)
            ):
                hits.append(place.hit)
    return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.phrase))


def _in_position(rule: KeywordRule, hit: Hit, seconds: float) -> bool:
    if rule.first_seconds is not None and hit.start >= rule.first_seconds:
        return False
    return rule.last_seconds is None or hit.end > seconds - rule.last_seconds


def _is_near(one: _Place, other: _Place, most_between: int) -> bool:
    between = max(one.first - other.last, other.first - one.last) - 1
    return 0 <= between <= most_between


def _verdict(one: RuleVersion, hits: Sequence[Hit]) -> RuleVerdict:
    rule = one.rule
    return RuleVerdict(
        code=rule.code,
        version=one.version,
        kind=rule.kind,
        severity=rule.severity,
        broken=bool(hits) is (rule.kind is RuleKind.MUST_NOT_SAY),
        hits=tuple(hits[:MAX_HITS]),
        count=len(hits),
    )
