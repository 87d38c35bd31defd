"""Calls become rows of texts; nothing from outside becomes HTML."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.fingerprint import fingerprint, since_last
from crm_sync.odoo.rows import call_body, deal_apart, html, message_row, phonecall_row
from crm_sync.odoo.written import people_changed
from crm_sync.port import CallWrite
from cti.errors import BadInput
from cti.model.crm import RecordRef
from tests.builders import NOW
from tests.contract.crm.houses import a_log

TYPES = {
    "name": "char",
    "date": "datetime",
    "date_open": "datetime",
    "direction": "selection",
    "state": "selection",
    "duration": "float",
    "description": "text",
    "active": "boolean",
    "team_id": "many2one",
    "tag_ids": "many2many",
}
LEAD, PARTNER = RecordRef("crm.lead", "7"), RecordRef("res.partner", "9")
TYPE = "mail.mail_activity_data_call"


def a_write(**given: Any) -> CallWrite:
    return CallWrite(**{"log": a_log(), "fields": {"name": "Call"}, "home": LEAD} | given)


def row(write: CallWrite) -> dict[str, str]:
    return phonecall_row(write, types=TYPES, user_id=5, tags={"Sold": 3, "Again": 4})


def test_a_new_call_has_our_key_and_an_old_one_its_own_id() -> None:
    new = a_write()
    old = a_write(remote=RecordRef("crm.phonecall", "17"))

    assert row(new)["id"] == f"cti.call_{new.log.call_id}"
    assert ".id" not in row(new)
    assert row(old)[".id"] == "17"
    assert "id" not in row(old)


@pytest.mark.parametrize(
    ("fields", "column", "text"),
    [
        ({"name": None}, "name", ""),
        ({"active": True}, "active", "True"),
        ({"date_open": "2026-11-23T17:00:00+08:00"}, "date_open", "2026-11-23 09:00:00"),
        ({"date_open": "2026-11-23 09:00:00"}, "date_open", "2026-11-23 09:00:00"),
        ({"team_id": 4}, "team_id/.id", "4"),
        ({"team_id": "Sales"}, "team_id", "Sales"),
        ({"tag_ids": "Sold, Again"}, "tag_ids/.id", "3,4"),
        ({"tag_ids": None}, "tag_ids/.id", ""),
        ({"description": "a\x00b"}, "description", "ab"),
    ],
)
def test_a_value_is_a_text_that_load_reads(fields: dict[str, Any], column: str, text: str) -> None:
    assert row(a_write(fields=fields))[column] == text


def test_a_state_never_goes_without_a_duration() -> None:
    cells = row(a_write(fields={"state": "done"}))

    assert (cells["state"], cells["duration"]) == ("done", "0.7")
    assert row(a_write(fields={"state": "done", "duration": 2}))["duration"] == "2"


def updated(write: CallWrite, **given: Any) -> dict[str, str]:
    """Return the row of an update after this write."""
    now = replace(write, remote=RecordRef("crm.phonecall", "17"), **given)
    return row(since_last(now, fingerprint(write)))


def test_an_update_has_the_columns_alone_that_are_ours_to_change() -> None:
    first = a_write(fields={"name": "Call", "state": "done", "description": "x", "tag_ids": "Sold"})
    assert updated(first, fields={**first.fields, "description": "y"}) == {".id": "17", "description": "y"}
    assert updated(first) == {".id": "17"}
    assert updated(first, user="ben") == {".id": "17", "user_id/.id": "5"}


def test_an_update_of_the_state_says_the_duration_that_it_would_work_out_anew() -> None:
    first = a_write(fields={"state": "done", "duration": 0.5})
    changed = updated(first, fields={"state": "cancel", "duration": 0.5})
    assert changed == {".id": "17", "state": "cancel", "duration": "0.5"}


def test_an_update_moves_a_call_only_where_ours_moved() -> None:
    first = a_write(deal=RecordRef("crm.lead", "8"))
    assert updated(first, home=PARTNER) == {".id": "17", "partner_id/.id": "9"}
    assert updated(first, deal=RecordRef("crm.lead", "9")) == {".id": "17"}, (
        "of two leads the home has the row"
    )
    first = a_write(home=PARTNER)
    assert updated(first, deal=LEAD) == {".id": "17", "opportunity_id/.id": "7"}


def test_a_field_that_is_not_there_is_named_by_an_update_that_leaves_it_too() -> None:
    first = a_write(fields={"no_such_field": "x"})
    with pytest.raises(BadInput, match="no_such_field"):
        updated(first)


class Asked:
    """An Odoo that has two calls."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        self.asked.append((model, method, arguments["domain"], arguments["fields"]))
        return [{"id": 17, "description": "his own", "name": "Call"}, {"id": 18, "description": False}]


async def test_texts_of_all_updates_are_looked_at_by_one_request() -> None:
    first = a_write(fields={"name": "Call", "description": "x", "duration": 1.0})
    mark = fingerprint(first)

    def now(remote: str, **fields: Any) -> CallWrite:
        given = replace(first, remote=RecordRef("crm.phonecall", remote), fields={**first.fields, **fields})
        return since_last(given, mark)

    writes = [now("17", description="y"), now("18", description="y"), now("19", duration=2.0), first]
    odoo = Asked()

    assert await people_changed(odoo, writes, types=TYPES) == [
        {"description"},
        {"description"},
        frozenset(),
        frozenset(),
    ]
    assert odoo.asked == [("crm.phonecall", "search_read", [["id", "in", [17, 18]]], ["description"])]


async def test_nothing_is_looked_at_when_no_text_changes() -> None:
    odoo = Asked()
    strange = since_last(a_write(remote=RecordRef("crm.phonecall", "17")), "")
    assert await people_changed(odoo, [a_write(), strange], types=TYPES) == [frozenset(), frozenset()]
    assert odoo.asked == []


def test_many_records_other_than_tags_are_refused() -> None:
    with pytest.raises(BadInput, match="message_partner_ids"):
        phonecall_row(
            a_write(fields={"message_partner_ids": "1"}),
            types=TYPES | {"message_partner_ids": "many2many"},
            user_id=None,
            tags={},
        )


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="no_such"):
        row(a_write(fields={"no_such": 1}))
    with pytest.raises(BadInput, match="no_such"):
        message_row(a_write(fields={"no_such": 1}), author_id=None, activity_type=TYPE)


@pytest.mark.parametrize(
    ("home", "deal", "expected"),
    [
        (LEAD, None, {"opportunity_id/.id": "7"}),
        (PARTNER, None, {"partner_id/.id": "9"}),
        (PARTNER, LEAD, {"partner_id/.id": "9", "opportunity_id/.id": "7"}),
        (LEAD, RecordRef("crm.lead", "8"), {"opportunity_id/.id": "7"}),
        (RecordRef("", "7"), None, {"opportunity_id/.id": "7"}),
        (None, None, {}),
    ],
)
def test_a_call_stands_on_its_records(
    home: RecordRef | None, deal: RecordRef | None, expected: dict[str, str]
) -> None:
    cells = row(a_write(home=home, deal=deal))

    assert {
        name: cells[name] for name in ("opportunity_id/.id", "partner_id/.id") if name in cells
    } == expected


@pytest.mark.parametrize(
    "home",
    [
        RecordRef("crm.lead", "7) or (1"),
        RecordRef("crm.lead", "-1"),
        RecordRef("sale.order", "1"),
        RecordRef("x y", "1"),
    ],
)
def test_a_reference_that_is_none_is_refused(home: RecordRef) -> None:
    with pytest.raises(BadInput):
        row(a_write(home=home))


@pytest.mark.parametrize(
    ("home", "deal", "apart"),
    [
        (LEAD, RecordRef("crm.lead", "8"), True),
        (LEAD, RecordRef("", "8"), True),
        (LEAD, LEAD, False),
        (RecordRef("", "7"), LEAD, False),
        (PARTNER, LEAD, False),
        (LEAD, None, False),
        (None, LEAD, False),
    ],
)
def test_a_deal_is_told_apart_only_when_the_call_stands_on_another_lead(
    home: RecordRef | None, deal: RecordRef | None, apart: bool
) -> None:
    assert (deal_apart(a_write(home=home, deal=deal)) is not None) is apart


def test_a_message_is_for_eyes_inside_and_bears_the_calls_time() -> None:
    write = a_write(fields={"name": "Call", "description": "one\ntwo\n\nthree"})

    cells = message_row(write, author_id=6, activity_type=TYPE)

    assert cells["body"] == "<p><b>Call</b></p><p>one<br>two</p><p>three</p>"
    assert (cells["model"], cells["res_id"], cells["is_internal"]) == ("crm.lead", "7", "True")
    assert cells["date"] == NOW.strftime("%Y-%m-%d %H:%M:%S")
    assert cells["author_id/.id"] == "6"


def test_an_update_of_a_message_changes_its_body_alone() -> None:
    write = a_write(remote=RecordRef("mail.message", "17"), home=None)

    assert set(message_row(write, author_id=6, activity_type=TYPE)) == {".id", "body"}


def test_addresses_become_links_without_the_point_after_them() -> None:
    assert html("see https://a.example/?x=1&y=2.") == (
        'see <a href="https://a.example/?x=1&amp;y=2">https://a.example/?x=1&amp;y=2</a>.'
    )


@given(st.text(), st.text())
def test_no_text_makes_a_tag_of_its_own(name: str, description: str) -> None:
    body = call_body(name, description)

    assert set(re.findall(r"</?([^\s>/]*)", body)) <= {"p", "b", "br", "a"}
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', body))
    assert re.sub(r'<a href="[^"<>]*">|</?(?:p|b|br|a)>', "", body).count("<") == 0
