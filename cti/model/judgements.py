"""What the service itself thinks of a call: figures and broken rules; and the judging anew of many calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.model.call_record import moment
from cti.model.keyword_rules import RANKS, RuleVerdict, Severity, verdict_record, worst
from cti.model.talk_figures import TalkFigures, figures_record

RESCAN_CALLS: Final = "quality.rescan"
"""Kind of the work that judges calls anew after the rules have changed; its key is the rescan's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCall:
    """What judging needs to know of a call."""

    call_id: str
    placed_at: datetime
    campaign_id: int | None
    agent_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One call, judged."""

    call: JudgedCall
    transcript_version: int
    language: str
    revision: int
    """Of the rulebook: rules in force then that have no verdict here did not apply to the call."""
    figures: TalkFigures
    verdicts: tuple[RuleVerdict, ...] = ()
    """Of every rule that applied, by code."""
    judged_at: datetime

    @property
    def severity(self) -> Severity | None:
        """Return the worst of its broken rules."""
        return worst(self.verdicts)

    @property
    def broken(self) -> tuple[RuleVerdict, ...]:
        """Return the verdicts of broken rules."""
        return tuple(one for one in self.verdicts if one.broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a judgement is against the one before."""

    new: tuple[str, ...] = ()
    """Rules that are broken and were not before, or count for more now."""
    gone: tuple[str, ...] = ()
    """Rules that are not broken any more."""

    def __bool__(self) -> bool:
        return bool(self.new or self.gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedCall:
    """A call of which rules are broken, in a list."""

    call: JudgedCall
    severity: Severity
    verdicts: tuple[RuleVerdict, ...]
    """The broken ones."""
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementFilter:
    """Which judged calls are wanted."""

    agent_id: int | None = None
    campaign_id: int | None = None
    rule: str | None = None
    since: datetime | None = None
    """By the call's placing."""
    until: datetime | None = None
    before_id: str | None = None
    """Cursor: calls with smaller ids."""
    limit: int = 100


class RescanState(StrEnum):
    """How far a rescan has come."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """Somebody ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescan:
    """The judging anew of many calls, newest first, bite by bite."""

    id: int
    by: str
    at: datetime
    revision: int
    """Of the rulebook when it was begun; each bite judges by the rules of its own time."""
    campaign_id: int | None = None
    since: datetime | None = None
    state: RescanState = RescanState.RUNNING
    position: str | None = None
    """Calls from this id up are done with; None: none yet."""
    matched: int = 0
    """Calls to look at, when it was begun."""
    judged: int = 0
    changed: int = 0
    """Calls whose broken rules are others than before."""
    without_transcript: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bite:
    """What one bite of a rescan did."""

    position: str
    judged: int = 0
    changed: int = 0
    without_transcript: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How often a rule was broken."""

    code: str
    severity: Severity
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTally:
    """Judged calls of one agent within a span, added up; what `Results` makes rates and means of."""

    agent_id: int | None
    calls: int = 0
    flagged: int = 0
    """With a broken rule of severity `flag` or `alert`."""
    alerts: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)
    """Of `SUMMED` figures."""


SUMMED: Final = (
    "seconds",
    "agent_talk_seconds",
    "customer_talk_seconds",
    "silence_seconds",
    "overtalk_seconds",
    "interruptions",
)
"""Figures whose sums are kept over many calls: rates of many calls are made of sums, never of means of rates."""


def is_older(new: Judgement, old: Judgement) -> bool:
    """Return whether a judgement comes too late: of an older transcript, or by older rules."""
    return (new.transcript_version, new.revision) < (old.transcript_version, old.revision)


def changed(new: Judgement, old: Judgement | None) -> Changed:
    """Return what is other than before."""
    before = {one.code: RANKS[one.severity] for one in old.broken} if old else {}
    now = {one.code: RANKS[one.severity] for one in new.broken}
    return Changed(
        new=tuple(code for code, rank in now.items() if rank > before.get(code, 0)),
        gone=tuple(code for code in before if code not in now),
    )


def judgement_record(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as everybody outside sees it."""
    return {
        **call_fields(judgement.call),
        "transcript_version": judgement.transcript_version,
        "language": judgement.language,
        "revision": judgement.revision,
        "severity": judgement.severity.value if judgement.severity else None,
        "figures": figures_record(judgement.figures),
        "verdicts": [verdict_record(one) for one in judgement.verdicts],
        "judged_at": moment(judgement.judged_at),
    }


def call_fields(call: JudgedCall) -> dict[str, Any]:
    """Return the fields of the call that each record of quality repeats."""
    return {
        "call_id": call.call_id,
        "placed_at": moment(call.placed_at),
        "campaign_id": call.campaign_id,
        "agent_id": call.agent_id,
    }


def flagged_record(flagged: FlaggedCall) -> dict[str, Any]:
    """Return a flagged call as everybody outside sees it."""
    return {
        **call_fields(flagged.call),
        "severity": flagged.severity.value,
        "rules": [one.code for one in flagged.verdicts],
        "verdicts": [verdict_record(one) for one in flagged.verdicts],
        "judged_at": moment(flagged.judged_at),
    }


def rescan_record(rescan: Rescan) -> dict[str, Any]:
    """Return a rescan as everybody outside sees it."""
    looked_at = rescan.judged + rescan.without_transcript
    return {
        "id": rescan.id,
        "by": rescan.by,
        "at": moment(rescan.at),
        "revision": rescan.revision,
        "campaign_id": rescan.campaign_id,
        "since": moment(rescan.since),
        "state": rescan.state.value,
        "matched": rescan.matched,
        "looked_at": looked_at,
        "judged": rescan.judged,
        "changed": rescan.changed,
        "without_transcript": rescan.without_transcript,
        "finished_at": moment(rescan.finished_at),
    }
