"""Judgements as rows, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from cti.model.judgements import JudgedCall, Judgement, Rescan, RescanState
from cti.model.keyword_rules import RANKS, RuleKind, RuleVerdict, Severity, hit_of, hit_record
from cti.model.talk_figures import FIGURES, TalkFigures


def judged_call(row: Any) -> JudgedCall:
    """Return what a row of judgements, reviews or the queue repeats of its call."""
    return JudgedCall(
        call_id=row.call_id, placed_at=row.placed_at, campaign_id=row.campaign_id, agent_id=row.agent_id
    )


def call_values(call: JudgedCall) -> dict[str, Any]:
    """Return a call as columns."""
    return {
        "call_id": call.call_id,
        "placed_at": call.placed_at,
        "campaign_id": call.campaign_id,
        "agent_id": call.agent_id,
    }


def judgement_values(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as a row of `call_judgements`."""
    worst = judgement.severity
    return {
        **call_values(judgement.call),
        "transcript_version": judgement.transcript_version,
        "language": judgement.language,
        "revision": judgement.revision,
        "rank": RANKS[worst] if worst else 0,
        "kept": {
            one.code: [one.version, one.severity.value] for one in judgement.verdicts if not _has_row(one)
        },
        "judged_at": judgement.judged_at,
        **{name: getattr(judgement.figures, name) for name in FIGURES},
    }


def verdict_rows(judgement: Judgement) -> list[dict[str, Any]]:
    """Return the rows of `call_verdicts`: rules that are broken, or were found."""
    return [
        {
            "call_id": judgement.call.call_id,
            "rule": one.code,
            "version": one.version,
            "kind": one.kind.value,
            "severity": one.severity.value,
            "broken": one.broken,
            "count": one.count,
            "hits": [hit_record(hit) for hit in one.hits],
        }
        for one in judgement.verdicts
        if _has_row(one)
    ]


def _has_row(verdict: RuleVerdict) -> bool:
    """A rule against a phrase that nobody said is the common case: a word in `kept`, no row of its own."""
    return verdict.broken or verdict.count > 0


def judgement_of(row: Any, verdicts: Iterable[Any]) -> Judgement:
    """Return a judgement from its rows."""
    found = [verdict_of(one) for one in verdicts]
    found += [
        RuleVerdict(
            code=code,
            version=version,
            kind=RuleKind.MUST_NOT_SAY,
            severity=Severity(severity),
            broken=False,
        )
        for code, (version, severity) in row.kept.items()
    ]
    return Judgement(
        call=judged_call(row),
        transcript_version=row.transcript_version,
        language=row.language,
        revision=row.revision,
        figures=TalkFigures(**{name: getattr(row, name) for name in FIGURES}),
        verdicts=tuple(sorted(found, key=lambda one: one.code)),
        judged_at=row.judged_at,
    )


def verdict_of(row: Any) -> RuleVerdict:
    """Return a verdict from its row."""
    return RuleVerdict(
        code=row.rule,
        version=row.version,
        kind=RuleKind(row.kind),
        severity=Severity(row.severity),
        broken=row.broken,
        hits=tuple(hit_of(record) for record in row.hits),
        count=row.count,
    )


def rescan_of(row: Any) -> Rescan:
    """Return a rescan from its row."""
    columns: Mapping[str, Any] = row._mapping
    return Rescan(**{**columns, "state": RescanState(row.state)})
