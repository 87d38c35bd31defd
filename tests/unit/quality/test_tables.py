import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cti.errors import BadInput
from cti.model.judgements import JudgedCall, JudgedTally
from cti.model.reviews import QuestionTally, Review, ReviewState, ScoreAnswer, ScoredTally
from cti.model.tables import Table
from cti.quality import tables
from cti.quality.results import ResultKind, spans_of
from tests.builders import NOW

BERLIN = ZoneInfo("Europe/Berlin")
SUMS = {
    "seconds": 100.0,
    "agent_talk_seconds": 40.0,
    "customer_talk_seconds": 20.0,
    "silence_seconds": 45.0,
    "overtalk_seconds": 5.0,
    "interruptions": 3.0,
}


def rows(table: Table) -> list[dict[str, object]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_rates_of_many_calls_are_made_of_sums() -> None:
    long = JudgedTally(
        agent_id=1, calls=1, flagged=1, alerts=1, sums={key: 9 * value for key, value in SUMS.items()}
    )
    short = JudgedTally(agent_id=1, calls=3, sums={"seconds": 100.0, "customer_talk_seconds": 60.0})
    found = dict(zip(tables.JUDGED_COLUMNS, tables.judged_cells([long, short]), strict=True))
    assert found == {
        "calls": 4,
        "flagged": 1,
        "alerts": 1,
        "flagged_share": 0.25,
        "talk_ratio": 0.6,
        "silence_share": 0.405,
        "overtalk_share": pytest.approx(45 / 555, abs=1e-4),
        "interruptions_per_call": 6.75,
    }
    assert tables.judged_cells([])[3:] == (None, None, None, None, None)


def test_agents_are_named_and_those_who_only_have_reviews_stand_beside() -> None:
    table = tables.by_agent(
        [JudgedTally(agent_id=2, calls=1, sums=SUMS), JudgedTally(agent_id=None, calls=4)],
        [ScoredTally(who=1, reviews=2, points=150.0, passed=1)],
        {1: "bob", 2: "anna"},
    )
    assert [(row["agent"], row["calls"], row["reviews"], row["points"]) for row in rows(table)] == [
        ("anna", 1, 0, None),
        ("bob", 0, 2, 75.0),
        (None, 4, 0, None),
    ]


def test_the_worst_question_comes_first_and_one_that_nobody_scored_last() -> None:
    def tally(question: str, **given: float) -> QuestionTally:
        values = {"answers": 4, "na": 0, "shares": 4.0, "overridden": 0} | given
        return QuestionTally(card="sales", question=question, **values)  # type: ignore[arg-type]

    table = tables.by_question(
        [tally("good"), tally("never", na=4, shares=0.0), tally("bad", na=2, shares=1.0)]
    )
    assert [(row["question"], row["points_share"]) for row in rows(table)] == [
        ("bad", 0.5),
        ("good", 1.0),
        ("never", None),
    ]


def a_review(reviewer: str, points: float, version: int = 1, **answers: str) -> Review:
    return Review(
        id=len(reviewer),
        call=JudgedCall(call_id="c", placed_at=NOW, campaign_id=None, agent_id=1),
        card_id=version,
        card_code="sales",
        card_version=version,
        reviewer=reviewer,
        state=ReviewState.SUBMITTED,
        answers={code: ScoreAnswer(value=value) for code, value in answers.items()},
        points=points,
        created_at=NOW,
        changed_at=NOW,
    )


def test_calibration_tells_spread_and_agreement_of_each_pair() -> None:
    together = [
        a_review("a", 90.0, x="yes", y="1"),
        a_review("bb", 70.0, x="yes", y="2"),
        a_review("ccc", 50.0, x="no", y="2"),
        a_review("dddd", 10.0, version=2, x="no"),
    ]
    [row] = rows(tables.calibration(together))
    assert (row["reviewers"], row["who"], row["points"], row["spread"]) == (3, "a, bb, ccc", 70.0, 40.0)
    assert row["agreement"] == pytest.approx(2 / 6, abs=1e-4)
    assert tables.agreement([a_review("a", 1.0, x="yes"), a_review("b", 1.0, y="yes")]) is None


def test_days_are_those_of_the_services_zone_also_when_the_clock_is_changed() -> None:
    since = datetime(2026, 10, 24, 10, tzinfo=UTC)
    spans = spans_of(ResultKind.DAYS, since, datetime(2026, 10, 26, 10, tzinfo=UTC), BERLIN)
    assert [(name, end.astimezone(UTC).isoformat()) for name, _, end in spans] == [
        ("2026-10-24", "2026-10-24T22:00:00+00:00"),
        ("2026-10-25", "2026-10-25T23:00:00+00:00"),
        ("2026-10-26", "2026-10-26T10:00:00+00:00"),
    ]
    assert spans[0][1] == since
    assert [before[2] == after[1] for before, after in itertools.pairwise(spans)] == [True, True]


def test_weeks_begin_on_monday_and_too_many_are_refused() -> None:
    spans = spans_of(
        ResultKind.WEEKS,
        datetime(2026, 11, 18, tzinfo=UTC),
        datetime(2026, 11, 24, tzinfo=UTC),
        BERLIN,
    )
    assert [name for name, _, _ in spans] == ["2026-W47", "2026-W48"]
    with pytest.raises(BadInput, match="more than 120 weeks"):
        spans_of(ResultKind.WEEKS, datetime(2020, 1, 1, tzinfo=UTC), NOW, BERLIN)
