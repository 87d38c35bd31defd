"""The questions that are asked all day are answered from an index, whatever the size of the tables (on SQLite)."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from cti.model.queries import CallFilter
from cti.storage import sql_calls, sql_campaigns, sql_facts, sql_work
from tests.builders import NOW, later


def filtered(**given: Any) -> Select[Any]:
    return sql_facts._ROWS.where(*sql_facts._conditions(CallFilter(**given))).limit(100)


@pytest.mark.parametrize(
    ("question", "asked", "index"),
    [
        pytest.param(sql_calls._OPEN, {}, "ix_calls_open", id="calls that are open"),
        pytest.param(
            sql_campaigns._NEXT,
            {"campaign": 1, "at_most": 20},
            "ix_list_entries_campaign_id_state_id",
            id="who is next",
        ),
        pytest.param(
            sql_campaigns._STANDING,
            {"campaign": 1},
            "COVERING INDEX ix_list_entries_campaign_id_state_id",
            id="progress",
        ),
        pytest.param(
            sql_campaigns._OUTCOMES,
            {"campaign": 1},
            "COVERING INDEX ix_attempts_campaign_id_outcome_ended_at",
            id="outcomes",
        ),
        pytest.param(
            sql_work._DUE, {"kinds": ["a", "b"], "now": NOW, "at_most": 9}, "ix_work_due", id="work due"
        ),
        pytest.param(filtered(), {}, "sqlite_autoindex_calls_1", id="newest calls"),
        pytest.param(filtered(before_id="f"), {}, "sqlite_autoindex_calls_1", id="next page of calls"),
        pytest.param(filtered(campaign_id=1), {}, "ix_calls_campaign_id_id", id="a campaign's calls"),
        pytest.param(filtered(agent_id=1), {}, "ix_calls_agent_id_id", id="an agent's calls"),
        pytest.param(filtered(open_only=True), {}, "ix_calls_open", id="open calls, newest first"),
    ],
)
def test_an_everyday_question_has_its_index_and_sorts_nothing(
    sqlite_url: str, question: Select[Any], asked: dict[str, Any], index: str
) -> None:
    plan = plan_of(sqlite_url, question, asked)

    assert index in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("given", "index"),
    [
        pytest.param({"since": NOW, "until": later(3600)}, "ix_calls_placed_at", id="a span of time"),
        pytest.param({"number": "901820"}, "ix_calls_reversed_number_id", id="last digits of a number"),
        pytest.param({"number": "+4930901820"}, "ix_calls_reversed_number_id", id="a number"),
    ],
)
def test_a_search_for_calls_has_its_index(sqlite_url: str, given: dict[str, Any], index: str) -> None:
    assert index in plan_of(sqlite_url, filtered(**given), {})


def plan_of(url: str, question: Select[Any], asked: dict[str, Any]) -> str:
    """Return SQLite's plan, one step a line."""
    state = (
        question.params(asked).compile(dialect=sqlite.dialect(paramstyle="named")).construct_expanded_state()
    )
    values = {name: str(value) for name, value in state.parameters.items()}
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {state.statement}", values)
        return "\n".join(step[3] for step in steps)
