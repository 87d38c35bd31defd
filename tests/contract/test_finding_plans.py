"""The usual conditions over contacts begin with an index and never look at everybody (on SQLite)."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cti.contacts.conditions import condition_of
from cti.contacts.settling import Viewer, settled
from cti.model.conditions import Scope
from cti.model.contact_rows import ContactQuery, Sort
from cti.storage.sql_finding import count_question, page_questions
from tests.builders import NOW
from tests.contract.test_plans import plan_of

VIEWER = Viewer(now=NOW, zone=ZoneInfo("UTC"), me=1, agents={"anna": 1}, campaigns={"autumn": 1})


@pytest.mark.parametrize(
    ("given", "index"),
    [
        pytest.param({"field": "owner", "is": "me"}, "ix_contacts_owner_agent_id", id="my contacts"),
        pytest.param({"field": "stage", "is": "won"}, "ix_contacts_stage_id", id="a stage"),
        pytest.param(
            {"field": "next_follow_up", "within": "today"}, "ix_contacts_next_follow_up_at_id", id="due"
        ),
        pytest.param(
            {"field": "next_follow_up", "before": "now"}, "ix_contacts_next_follow_up_at_id", id="overdue"
        ),
        pytest.param({"field": "callback", "within": "today"}, "ix_callbacks_due", id="callbacks of today"),
        pytest.param({"field": "stopped", "empty": False}, "ix_contacts_stopped_at_id", id="stopped"),
        pytest.param({"field": "number", "is": "+493012345678"}, "ix_numbers_e164", id="a number"),
        pytest.param({"field": "number", "starts_with": "+4930"}, "ix_numbers_e164", id="a beginning"),
        pytest.param({"field": "tag", "is": "vip"}, "ix_contact_tags_tag_contact_id", id="a tag"),
        pytest.param({"field": "list", "is": 3}, "ix_list_entries_list_id_contact_id", id="a list"),
        pytest.param({"field": "crm_ref", "is": "c-1"}, "ix_contacts_crm_ref", id="the CRM's record"),
        pytest.param({"field": "id", "one_of": [1, 2]}, "INTEGER PRIMARY KEY", id="ids"),
        pytest.param({"field": "campaign", "is": "autumn"}, "ix_list_entries_campaign_id", id="a campaign"),
    ],
)
def test_a_usual_condition_begins_with_its_index(sqlite_url: str, given: dict[str, Any], index: str) -> None:
    condition = settled(condition_of(given), VIEWER)
    plan = plan_of(sqlite_url, count_question(condition, Scope.CONTACT), {})
    assert index in plan
    assert "SCAN contacts" not in plan


@pytest.mark.parametrize("sort", [Sort.OLDEST, Sort.NEWEST])
def test_pages_by_age_are_read_in_order_and_nothing_is_sorted(sqlite_url: str, sort: Sort) -> None:
    for question in page_questions(ContactQuery(sort=sort)):
        assert "TEMP B-TREE" not in plan_of(sqlite_url, question.limit(100), {})


def test_who_is_due_is_read_in_the_order_of_the_index(sqlite_url: str) -> None:
    condition = settled(condition_of({"field": "next_follow_up", "before": "now"}), VIEWER)
    with_value, _ = page_questions(ContactQuery(condition=condition, sort=Sort.NEXT_FOLLOW_UP))
    plan = plan_of(sqlite_url, with_value.limit(100), {})
    assert "ix_contacts_next_follow_up_at_id" in plan
    assert "TEMP B-TREE" not in plan
