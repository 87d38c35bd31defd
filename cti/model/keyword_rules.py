"""Keyword rules: what must be said in a call, and what must not (违禁词); and what became of them in one call.

A rule is kept in versions. Each change of any rule is one revision of the rulebook: the rules in force at a revision
are known for ever, so that an old verdict can be explained after the rule has changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.model.call_record import moment
from cti.model.transcripts import Speaker


class RuleKind(StrEnum):
    """What is wanted of the phrases. Stored; renamed never."""

    MUST_SAY = "must_say"
    """Broken when none of them was said."""
    MUST_NOT_SAY = "must_not_say"
    """Broken when one of them was said (违禁词)."""


class Severity(StrEnum):
    """What follows from a broken rule. Stored; renamed never."""

    NOTE = "note"
    """It is written down; nothing else."""
    FLAG = "flag"
    """The call is flagged, and comes into the review queue."""
    ALERT = "alert"
    """As `flag`, first in the queue, and told at once."""


RANKS: Final = {Severity.NOTE: 1, Severity.FLAG: 2, Severity.ALERT: 3}
"""The higher the worse; 0 is left for a call without a broken rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordRule:
    """One rule."""

    code: str
    """Its name for ever: verdicts, cards and conditions refer to it."""
    title: str = ""
    kind: RuleKind
    phrases: tuple[str, ...]
    """Any of these counts. As people write: case, width and punctuation do not matter."""
    speaker: Speaker | None = None
    """Said by whom; None: by either."""
    first_seconds: float | None = None
    """Only what begins within so many seconds from the recording's beginning counts."""
    last_seconds: float | None = None
    """Only what ends within so many seconds before the recording's end counts."""
    near: tuple[str, ...] = ()
    """Counts only near one of these, said by the same speaker; empty: anywhere."""
    near_words: int = 8
    """How many words may lie between; of Chinese, Japanese and Korean each character counts as one."""
    inflect: bool = False
    """Words of Latin letters also with the usual English endings: s, es, ed, d, ing, 's."""
    severity: Severity = Severity.FLAG
    campaigns: tuple[int, ...] = ()
    """Only in these; empty: in all."""
    language: str = ""
    """Only in transcripts of this language, for example `zh` (of `zh-CN` too); empty: in all."""
    active: bool = True
    """False: it was taken out of use with this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """A rule as it was from one revision of the rulebook on."""

    revision: int
    """Counts up over all rules."""
    version: int
    """Counts up for each rule."""
    rule: KeywordRule
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A phrase that was said."""

    phrase: str
    """As the rule has it."""
    words: str
    """As the transcript has it."""
    speaker: Speaker
    start: float
    """Seconds from the recording's beginning."""
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """What became of one rule in one call."""

    code: str
    version: int
    kind: RuleKind
    severity: Severity
    broken: bool
    hits: tuple[Hit, ...] = ()
    """What was found of it, by time; at most `MAX_HITS`."""
    count: int = 0
    """How often it was found."""


MAX_HITS: Final = 50
"""Kept of one rule in one call: a filler word in an hour's call must not make a row of a megabyte."""


def in_force(versions: Iterable[RuleVersion], revision: int | None = None) -> list[RuleVersion]:
    """Return the rules in force at a revision of the rulebook, None: now; by code."""
    newest: dict[str, RuleVersion] = {}
    for one in versions:
        if revision is not None and one.revision > revision:
            continue
        known = newest.get(one.rule.code)
        if known is None or known.revision < one.revision:
            newest[one.rule.code] = one
    return sorted((one for one in newest.values() if one.rule.active), key=lambda one: one.rule.code)


def rulebook_revision(versions: Iterable[RuleVersion]) -> int:
    """Return the newest revision, 0 when there was never a rule."""
    return max((one.revision for one in versions), default=0)


def worst(verdicts: Sequence[RuleVerdict]) -> Severity | None:
    """Return the worst severity among the broken rules."""
    broken = [one.severity for one in verdicts if one.broken]
    return max(broken, key=RANKS.__getitem__, default=None)


def hit_record(hit: Hit) -> dict[str, Any]:
    """Return a hit as JSON values: stored and told alike."""
    return {
        "phrase": hit.phrase,
        "words": hit.words,
        "speaker": hit.speaker.value,
        "start": round(hit.start, 3),
        "end": round(hit.end, 3),
    }


def hit_of(record: dict[str, Any]) -> Hit:
    """Return a stored hit."""
    return Hit(**{**record, "speaker": Speaker(record["speaker"])})


def verdict_record(verdict: RuleVerdict) -> dict[str, Any]:
    """Return a verdict as everybody outside sees it."""
    return {
        "rule": verdict.code,
        "version": verdict.version,
        "kind": verdict.kind.value,
        "severity": verdict.severity.value,
        "broken": verdict.broken,
        "count": verdict.count,
        "hits": [hit_record(hit) for hit in verdict.hits],
    }


def rule_version_record(one: RuleVersion) -> dict[str, Any]:
    """Return a version of a rule as everybody outside sees it."""
    rule = one.rule
    return {
        "code": rule.code,
        "title": rule.title,
        "kind": rule.kind.value,
        "phrases": list(rule.phrases),
        "speaker": rule.speaker.value if rule.speaker else None,
        "first_seconds": rule.first_seconds,
        "last_seconds": rule.last_seconds,
        "near": list(rule.near),
        "near_words": rule.near_words,
        "inflect": rule.inflect,
        "severity": rule.severity.value,
        "campaigns": list(rule.campaigns),
        "language": rule.language,
        "active": rule.active,
        "version": one.version,
        "revision": one.revision,
        "by": one.by,
        "at": moment(one.at),
    }
