"""Results as tables. Pure. Rates of many calls are made of sums: a long call counts for more than a short one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, groupby
from typing import Final

from cti.model.judgements import JudgedTally, RuleCount
from cti.model.reviews import QuestionTally, Review, ScoredTally
from cti.model.tables import Cell, Table

JUDGED_COLUMNS: Final = (
    "calls",
    "flagged",
    "alerts",
    "flagged_share",
    "talk_ratio",
    "silence_share",
    "overtalk_share",
    "interruptions_per_call",
)
SCORED_COLUMNS: Final = ("reviews", "points", "passed_share", "fatal", "appealed")


def by_agent(
    judged: Sequence[JudgedTally], scored: Sequence[ScoredTally], logins: Mapping[int, str]
) -> Table:
    """Return one row for each agent who had a judged call or a review."""
    calls = {one.agent_id: one for one in judged}
    scores = {one.who: one for one in scored}
    known = {one for one in (*calls, *scores) if isinstance(one, int)}
    rows: list[tuple[Cell, ...]] = [
        (
            logins.get(one, str(one)),
            *judged_cells([calls[one]] if one in calls else []),
            *_scores(scores, one),
        )
        for one in sorted(known, key=lambda one: logins.get(one, str(one)))
    ]
    if None in calls or None in scores:
        rows.append((None, *judged_cells([calls[None]] if None in calls else []), *_scores(scores, None)))
    return Table(
        title="Quality by agent", columns=("agent", *JUDGED_COLUMNS, *SCORED_COLUMNS), rows=tuple(rows)
    )


def over_time(
    spans: Sequence[tuple[str, Sequence[JudgedTally], Sequence[ScoredTally]]], *, step: str
) -> Table:
    """Return one row for each day or week, also for those without a call."""
    rows = tuple((name, *judged_cells(judged), *scored_cells(scored)) for name, judged, scored in spans)
    return Table(title=f"Quality by {step}", columns=(step, *JUDGED_COLUMNS, *SCORED_COLUMNS), rows=rows)


def by_question(tallies: Sequence[QuestionTally]) -> Table:
    """Return one row for each question, the worst first."""
    rows = [
        (
            one.card,
            one.question,
            one.answers,
            one.na,
            _rate(one.shares, one.answers - one.na),
            one.overridden,
        )
        for one in tallies
    ]
    rows.sort(key=lambda row: (row[4] is None, row[4], row[:2]))
    columns = ("card", "question", "answers", "na", "points_share", "overridden")
    return Table(title="Quality by question", columns=columns, rows=tuple(rows))


def by_rule(counts: Sequence[RuleCount], titles: Mapping[str, str]) -> Table:
    """Return one row for each rule that was broken, the most broken first."""
    rows = tuple((one.code, titles.get(one.code, ""), one.severity.value, one.calls) for one in counts)
    return Table(title="Broken rules", columns=("rule", "title", "severity", "calls"), rows=rows)


def by_reviewer(scored: Sequence[ScoredTally]) -> Table:
    """Return one row for each reviewer: who is milder or stricter than the others."""
    rows = tuple((str(one.who), *scored_cells([one])) for one in scored)
    return Table(title="Reviews by reviewer", columns=("reviewer", *SCORED_COLUMNS), rows=rows)


def calibration(reviews: Sequence[Review]) -> Table:
    """Return one row for each call that several scored with one version of a card.

    `agreement`: of all questions that any two of them answered, the share in which both gave the same answer.
    """
    rows: list[tuple[Cell, ...]] = []
    ordered = sorted(reviews, key=lambda one: (one.call.call_id, one.card_code, one.card_version, one.id))
    for (call_id, card, version), group in groupby(
        ordered, key=lambda one: (one.call.call_id, one.card_code, one.card_version)
    ):
        together = list(group)
        points = [one.points for one in together if one.points is not None]
        if len(together) < 2:
            continue
        rows.append(
            (
                call_id,
                card,
                version,
                len(together),
                ", ".join(one.reviewer for one in together),
                _rate(sum(points), len(points)),
                round(max(points) - min(points), 2) if points else None,
                agreement(together),
            )
        )
    columns = ("call_id", "card", "version", "reviewers", "who", "points", "spread", "agreement")
    return Table(title="Calibration", columns=columns, rows=tuple(rows))


def agreement(reviews: Sequence[Review]) -> float | None:
    """Return in what share of the questions that two of them answered both said the same; None: in none at all."""
    same = asked = 0
    for one, other in combinations(reviews, 2):
        for code in one.answers.keys() & other.answers.keys():
            asked += 1
            same += one.answers[code].value == other.answers[code].value
    return _rate(same, asked)


def judged_cells(tallies: Sequence[JudgedTally]) -> tuple[Cell, ...]:
    """Return the figures of judged calls under `JUDGED_COLUMNS`."""
    calls, flagged = sum(one.calls for one in tallies), sum(one.flagged for one in tallies)
    sums: defaultdict[str, float] = defaultdict(float)
    for one in tallies:
        for name, value in one.sums.items():
            sums[name] += value
    talk = sums["agent_talk_seconds"] + sums["customer_talk_seconds"]
    return (
        calls,
        flagged,
        sum(one.alerts for one in tallies),
        _rate(flagged, calls),
        _rate(sums["agent_talk_seconds"], talk),
        _rate(sums["silence_seconds"], sums["seconds"]),
        _rate(sums["overtalk_seconds"], talk - sums["overtalk_seconds"]),
        _rate(sums["interruptions"], calls),
    )


def scored_cells(tallies: Sequence[ScoredTally]) -> tuple[Cell, ...]:
    """Return the figures of reviews under `SCORED_COLUMNS`."""
    reviews = sum(one.reviews for one in tallies)
    return (
        reviews,
        _rate(sum(one.points for one in tallies), reviews, digits=2),
        _rate(sum(one.passed for one in tallies), reviews),
        sum(one.fatal for one in tallies),
        sum(one.appealed for one in tallies),
    )


def _scores(scores: Mapping[int | str | None, ScoredTally], who: int | None) -> tuple[Cell, ...]:
    return scored_cells([scores[who]] if who in scores else [])


def _rate(part: float, whole: float, *, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole > 0 else None
