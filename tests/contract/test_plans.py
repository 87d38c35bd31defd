"""The questions that are asked all day are answered from an index, whatever the size of the tables (on SQLite)."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from cti.model.queries import CallFilter
from cti.model.standing import Lane
from cti.storage import (
    gate_rows,
    owner_questions,
    pool_rows,
    pull_cases,
    pull_questions,
    queue_rows,
    sql_calls,
    sql_campaigns,
    sql_chances,
    sql_compliance,
    sql_crm,
    sql_facts,
    sql_follow_ups,
    sql_queue,
    sql_work,
    sqlite_search,
)
from cti.storage.gate_rows import Kind
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
        pytest.param(sql_queue._DUE, {"now": NOW, "at_most": 9}, "ix_list_entries_due", id="who becomes due"),
        pytest.param(
            pool_rows._FRESH,
            {"campaign": 1, "zone": "Asia/Shanghai", "at_most": 20},
            "ix_list_entries_next",
            id="who of the pool is claimed next",
        ),
        pytest.param(
            pool_rows._NEXT_ZONE,
            {"campaign": 1, "after": "Asia/Shanghai"},
            "ix_list_entries_next",
            id="the pool's next zone",
        ),
        pytest.param(
            pool_rows._RETURNED,
            {"at_most": 20},
            "ix_contacts_given_back",
            id="who was given back longest ago",
        ),
        pytest.param(
            owner_questions._HISTORY, {"contact": 1}, "ix_owner_moves_contact_id_id", id="who owned a contact"
        ),
        pytest.param(
            owner_questions._OWNED, {}, "COVERING INDEX ix_contacts_owner_agent_id", id="how many each owns"
        ),
        pytest.param(
            sql_work.due_rows(1),
            {"kind0": "a", "now": NOW, "at_most": 9},
            "ix_work_due (kind=?)",
            id="work due",
        ),
        pytest.param(
            sql_chances._NEXT_PAGE,
            {
                "campaign": 1,
                "outcome": "busy",
                "since": NOW,
                "before": NOW,
                "before_id": "f",
                "at_most": 9,
            },
            "ix_attempts_campaign_id_outcome_ended_at",
            id="attempts to learn from",
        ),
        pytest.param(
            sql_chances._OF_CONTACTS,
            {"contacts": [1, 2, 3]},
            "ix_attempts_contact_id_placed_at",
            id="the past of contacts",
        ),
        pytest.param(sql_chances._NEWEST, {"campaign": 1}, "ix_chance_fits_campaign_id_id", id="newest fit"),
        pytest.param(
            pull_questions.OF_ENTRIES,
            {"entry_ids": [1, 2]},
            "ix_crm_records_entry_id",
            id="what CRMs say of those who are chosen",
        ),
        pytest.param(
            pull_questions.PROBLEMS,
            {"of_pull": "a", "after": "", "at_most": 9},
            "ix_crm_records_problems",
            id="records that were not taken",
        ),
        pytest.param(
            pull_questions.FOLLOW_UPS,
            {"of_pull": "a", "at_most": 9},
            "ix_crm_records_follow_ups",
            id="follow-ups that wait",
        ),
        pytest.param(
            pull_questions.OPEN,
            {"of_pull": "a", "after": "", "at_most": 9},
            "SEARCH crm_records USING PRIMARY KEY (pull=? AND ref>?)",
            id="records that are still to be dialed",
        ),
        pytest.param(
            sql_crm.ended_in(NOW, later(3600), after="a"),
            {},
            "sqlite_autoindex_calls_1 (id>?)",
            id="calls of a span behind one of them",
        ),
        pytest.param(
            sql_follow_ups._BEHIND,
            {"of_target": "a", "of_kind": "crm.follow_up.a", "at_most": 9},
            "ix_crm_follow_links_standing",
            id="callbacks that stand in a CRM otherwise",
        ),
        pytest.param(
            sql_follow_ups._CONTACTS_BEHIND,
            {"of_target": "a", "of_kind": "crm.follow_up.a", "at_most": 9},
            "ix_crm_follow_links_standing",
            id="contacts' follow-ups that stand in a CRM otherwise",
        ),
        pytest.param(
            pull_questions.HELD_BACK,
            {"campaign": 1, "of_pull": "a", "before": NOW, "at_most": 9},
            "ix_crm_records_entry_id",
            id="who is held back",
        ),
        pytest.param(
            pull_cases._BY_NUMBER, {"numbers": ["+49"]}, "ix_numbers_e164", id="contacts with a number"
        ),
        pytest.param(
            pull_cases._BY_REFERENCE, {"refs": ["a/b:1"]}, "ix_contacts_crm_ref", id="contacts of records"
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


GATE_ASKED = {
    "contacts": [1, 2],
    "numbers": ["+491"],
    "keys": ["+491", "+4*"],
    "numbers_since": NOW,
    "contacts_since": NOW,
    "campaign": 1,
    "now": NOW,
}
NEXT = "INDEX ix_list_entries_next (campaign_id=? AND owner_key=?"


def test_each_lane_is_one_seek_in_the_index(sqlite_url: str) -> None:
    asked = {"campaign": 1, "owners": [3, 4], "nobody_s": True}

    plan = plan_of(sqlite_url, queue_rows.LANES, asked).splitlines()

    looks = [step for step in plan if "ix_list_entries" in step]
    assert [step.removeprefix("SEARCH list_entries USING ") for step in looks] == [
        f"{NEXT})",
        f"{NEXT} AND zone>?)",
    ]
    assert not [step for step in plan if "SCAN list_entries" in step or "SCAN head" in step]


def test_each_lane_s_head_is_read_in_order_from_the_index(sqlite_url: str) -> None:
    lanes = [Lane(owner_id=0, zone=zone, entry_id=1, priority=0, rank=0.0) for zone in "ab"]

    plan = plan_of(sqlite_url, queue_rows.heads(2), queue_rows.head_values(1, lanes, at_most=9)).splitlines()

    looks = [step for step in plan if step.startswith("SEARCH list_entries USING INDEX ix_list_entries_next")]
    assert looks == [f"SEARCH list_entries USING {NEXT} AND zone=?)"] * 2
    assert not [step for step in plan if step.startswith("SCAN list_entries")]


@pytest.mark.parametrize(
    ("question", "asked", "index"),
    [
        pytest.param(
            gate_rows.question(tuple(Kind)), GATE_ASKED, "contacts USING INTEGER PRIMARY KEY", id="contacts"
        ),
        pytest.param(
            gate_rows.question((Kind.CONTACT, Kind.AT_NUMBER)),
            GATE_ASKED,
            "ix_attempts_e164_placed_at (e164=? AND placed_at>?)",
            id="attempts at numbers",
        ),
        pytest.param(
            gate_rows.question(tuple(Kind)),
            GATE_ASKED,
            "ix_attempts_contact_id_placed_at (contact_id=? AND placed_at>?)",
            id="attempts of all kinds",
        ),
        pytest.param(
            gate_rows.question((Kind.CONTACT, Kind.IN_ALL)),
            GATE_ASKED,
            "ix_attempts_contact_id_placed_at (contact_id=?)",
            id="attempts in all",
        ),
        pytest.param(
            gate_rows.question(tuple(Kind)),
            GATE_ASKED,
            "sqlite_autoindex_do_not_call_1 (key=? AND campaign_key=?)",
            id="the own list",
        ),
        pytest.param(
            gate_rows.question(tuple(Kind)),
            GATE_ASKED,
            "PRIMARY KEY (register_id=? AND key=?)",
            id="registers",
        ),
        pytest.param(
            sql_compliance._ENTRIES,
            {"campaign": 1, "state": "pending", "after": 0, "at_most": 500},
            "ix_list_entries_campaign_id_state_id (campaign_id=? AND state=? AND id>?)",
            id="a page of entries",
        ),
    ],
)
def test_the_gate_s_facts_are_looked_up_by_their_keys(
    sqlite_url: str, question: Any, asked: dict[str, Any], index: str
) -> None:
    assert index in plan_of(sqlite_url, question, asked)


def test_no_part_of_the_gate_s_facts_reads_a_table_through(sqlite_url: str) -> None:
    plan = plan_of(sqlite_url, gate_rows.question(tuple(Kind)), GATE_ASKED).splitlines()

    read_through = {step.split()[1] for step in plan if step.startswith("SCAN")}
    assert read_through == {"json_each", "registers"}


def test_a_search_reads_the_full_text_index_backwards_and_sorts_nothing(sqlite_url: str) -> None:
    asked = {"match": "terms : hello", "first": 0, "beyond": 1, "at_most": 20}

    first, *others = plan_of(sqlite_url, sqlite_search._QUESTION, asked).splitlines()

    assert first.startswith("SCAN segment_index VIRTUAL TABLE INDEX")
    assert all(step.startswith("SEARCH") for step in others)


def plan_of(url: str, question: Any, asked: dict[str, Any]) -> str:
    """Return SQLite's plan, one step a line."""
    state = (
        question.params(asked).compile(dialect=sqlite.dialect(paramstyle="named")).construct_expanded_state()
    )
    values = {name: str(value) for name, value in state.parameters.items()}
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {state.statement}", values)
        return "\n".join(step[3] for step in steps)
