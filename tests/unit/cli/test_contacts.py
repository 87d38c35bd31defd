"""`cti contacts`."""

import json

import pytest

from tests.builders import NOW, some_contacts
from tests.fakes.memory_looks import set_columns
from tests.unit.cli.conftest import Terminal


@pytest.fixture
def crowd(terminal: Terminal) -> Terminal:
    store = terminal.site.store
    terminal.meanwhile(
        store.campaigns.add_list(campaign_id=1, name="first", source="", contacts=some_contacts(3), at=NOW)
    )
    ids = sorted(store.tables.contacts)
    set_columns(store.tables, ids[0], {"owner_agent_id": terminal.site.anna, "score": 3.5})
    return terminal


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--where", "owner is anna"), ["Contact 0"]),
        (("--where", "owner empty true", "--where", "name contains t 2"), ["Contact 2"]),
        (("--where", "number is +493090000001"), ["Contact 1"]),
        (("--where", "number one_of +493090000001, +493090000002"), ["Contact 1", "Contact 2"]),
        (("--where", "score at_least 3.5"), ["Contact 0"]),
        (("--where", "tries is 0", "--limit", "2"), ["Contact 0", "Contact 1"]),
        (
            ("--where", "created within 2026-11-01..2026-12-01", "--where", "campaign is 1"),
            ["Contact 0", "Contact 1", "Contact 2"],
        ),
        (("--condition", '{"field": "owner", "is_not": "anna"}'), ["Contact 1", "Contact 2"]),
        (("--where", "field:home town is Ulm"), []),
    ],
)
def test_contacts_are_found(crowd: Terminal, options: tuple[str, ...], expected: list[str]) -> None:
    rows = json.loads(crowd.said("contacts", "find", "--sort", "id", "--json", *options))
    assert [row["name"] for row in rows] == expected


def test_contacts_are_counted(crowd: Terminal) -> None:
    assert crowd.said("contacts", "find", "--where", "owner empty true", "--count") == "2\n"


@pytest.mark.parametrize(
    "options",
    [
        ("--where", "owner"),
        ("--where", "tries is many"),
        ("--where", "owner empty maybe"),
        ("--condition", "{"),
    ],
)
def test_a_wrong_question_is_refused_before_it_is_asked(crowd: Terminal, options: tuple[str, ...]) -> None:
    assert "Error: Invalid value for --" in crowd.said("contacts", "find", *options, code=2)


def test_what_the_service_refuses_is_told(crowd: Terminal) -> None:
    output = crowd.said("contacts", "find", "--where", "onwer is anna", code=1)
    assert "condition.all.0.field: there is no field 'onwer'; did you mean 'owner'?" in output


def test_one_contact_is_shown_with_his_places(crowd: Terminal) -> None:
    contact_id = min(crowd.site.store.tables.contacts)
    output = crowd.said("contacts", "show", str(contact_id))
    assert "Contact 0" in output
    assert "autumn" in output
    assert json.loads(crowd.said("contacts", "show", str(contact_id), "--json"))[0]["owner"] == "anna"
