"""What is asked all day of quality is answered from an index (on SQLite)."""

from typing import Any

import pytest

from cti.model.judgements import JudgementFilter
from cti.storage import sql_judgements, sql_review_queue
from tests.builders import NOW
from tests.contract.test_plans import plan_of


@pytest.mark.parametrize(
    ("question", "asked", "index"),
    [
        pytest.param(sql_review_queue._FREE, {"now": NOW}, "ix_review_queue_next", id="who is next"),
        pytest.param(
            sql_review_queue._FREE_OF,
            {"now": NOW, "campaign": 1},
            "ix_review_queue_next",
            id="who is next of a campaign",
        ),
        pytest.param(
            sql_judgements._filtered(JudgementFilter()), {}, "ix_call_judgements_broken", id="flagged calls"
        ),
        pytest.param(
            sql_judgements._filtered(JudgementFilter(rule="x")),
            {},
            "ix_call_verdicts_rule_call_id (rule=?",
            id="calls that broke a rule",
        ),
        pytest.param(
            sql_judgements._scannable(None, None).order_by(sql_judgements._transcripts.call_id.desc()),
            {},
            "uq_transcripts_current",
            id="the next calls of a rescan",
        ),
    ],
)
def test_the_question_is_answered_from_its_index_in_order(
    sqlite_url: str, question: Any, asked: dict[str, Any], index: str
) -> None:
    plan = plan_of(sqlite_url, question, asked)
    assert index in plan
    assert "TEMP B-TREE" not in plan
