"""Rows of leads and contacts become records, of old versions and new ones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crm_sync.odoo.people import Person
from crm_sync.odoo.reader import number_domain
from crm_sync.odoo.records import Around, day_begins, numbers_of, over, record_of
from crm_sync.port import CrmError
from cti.model.crm import RecordRef

LEAD, PARTNER = "crm.lead", "res.partner"
ANNA = Person(id=6, partner_id=7, login="anna", email="", zone=None)


@pytest.mark.parametrize(
    ("model", "row", "expected"),
    [
        (LEAD, {"active": True, "won_status": "pending", "probability": 100.0}, None),
        (LEAD, {"active": True, "won_status": "won"}, "won"),
        (LEAD, {"active": True, "probability": 100.0}, "won"),
        (LEAD, {"active": True, "probability": 40.0}, None),
        (LEAD, {"active": False, "won_status": "lost", "probability": 0.0}, "lost"),
        (LEAD, {"active": False, "probability": 0.0}, "lost"),
        (LEAD, {"active": False, "won_status": "pending", "probability": 20.0}, "archived"),
        (PARTNER, {"active": False}, "archived"),
        (PARTNER, {"active": True}, None),
    ],
)
def test_why_a_record_is_over(model: str, row: dict[str, Any], expected: str | None) -> None:
    assert over(model, row) == expected


def test_a_bare_row_is_a_record_with_nothing_known() -> None:
    record = record_of(LEAD, {"id": 7, "name": "Lead", "user_id": False, "phone": False}, Around())

    assert (record.ref, record.name, list(record.numbers)) == (RecordRef(LEAD, "7"), "Lead", [])
    assert (record.owner, record.region, record.deal, record.over) == (None, None, None, None)


def test_an_owner_without_an_email_goes_by_his_login() -> None:
    record = record_of(LEAD, {"id": 7, "user_id": [6, "Anna"]}, Around(owners={6: ANNA}))

    assert record.owner == "anna"


def test_numbers_are_as_they_were_written_mobile_first() -> None:
    both = {"phone": "030 901820", "mobile": "0151 1", "phone_sanitized": "+4930901820"}

    assert numbers_of(both) == ["0151 1", "030 901820"]
    assert numbers_of({"phone": False, "phone_sanitized": "+4930901820"}) == ["+4930901820"]


def test_a_day_begins_in_its_zone() -> None:
    assert day_begins("2026-12-01", "Asia/Shanghai") == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert day_begins(False, "UTC") is None
    assert day_begins("2026-12-01", "No/Where") is None


def test_a_number_is_asked_for_in_each_way_it_may_be_written() -> None:
    domain = number_domain("+4930901820")

    assert domain[:3] == ["|", "|", "|"]
    assert ["phone_sanitized", "=", "+4930901820"] in domain
    for way in ("30901820", "030901820", "4930901820"):
        assert ["phone_mobile_search", "=", way] in domain
    with pytest.raises(CrmError):
        number_domain("anonymous")
