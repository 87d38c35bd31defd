"""Which numbers are looked up, and which records are offered."""

import pytest

from cti.model.look_ups import (
    Found,
    FoundRecord,
    can_be_looked_up,
    found_record,
    names_a_record,
    offered,
    same_record,
)
from cti.model.pops import ContactCard

TARGETS = ("odoo", "espo")


def a_record(ref: str, **given: object) -> FoundRecord:
    target, _, rest = ref.partition("/")
    facts = {"target": target, "kind": rest.partition(":")[0], "name": rest}
    return FoundRecord(crm_ref=ref, **facts | given)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["+4930901820", "+8613800138000", "+290123", "+123456789012345"])
def test_whole_numbers_are_looked_up(number: str) -> None:
    assert can_be_looked_up(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "anonymous",
        "withheld",
        "110",
        "4930901820",
        "+0930901820",
        "+12345",
        "+1234567890123456",
        "+49309018２0",
        "+4930 901820",
        "+493090%",
    ],
)
def test_others_are_not(number: str) -> None:
    assert not can_be_looked_up(number)


@pytest.mark.parametrize(
    ("ref", "names"),
    [
        ("odoo/crm.lead:7", True),
        ("crm.lead:7", True),
        ("7", True),
        ("other/crm.lead:7", False),
        ("", False),
        (None, False),
        ("no reference", False),
    ],
)
def test_a_call_names_a_record_of_a_crm_that_there_is(ref: str | None, names: bool) -> None:
    assert names_a_record(ref, TARGETS) is names
    assert not names_a_record(ref, ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("odoo/crm.lead:7", "odoo/crm.lead:7", True),
        ("odoo/crm.lead:7", "crm.lead:7", True),
        ("odoo/crm.lead:7", "7", True),
        ("odoo/crm.lead:7", "odoo/res.partner:7", False),
        ("odoo/crm.lead:7", "espo/crm.lead:7", False),
        ("odoo/crm.lead:7", "odoo/crm.lead:8", False),
        ("odoo/crm.lead:7", "no reference", False),
    ],
)
def test_references_that_leave_something_out_mean_the_same_record(one: str, other: str, same: bool) -> None:
    assert same_record(one, other, TARGETS) is same_record(other, one, TARGETS) is same


def test_each_record_is_offered_once_and_our_contact_with_it() -> None:
    deal = {"ref": "odoo/crm.lead:9", "name": "Roof"}
    found = Found(records=(a_record("odoo/res.partner:3"), a_record("espo/Lead:5", deal={"ref": "x"})))
    cards = [
        ContactCard(
            contact_id=1, name="Anna", crm_ref="odoo/crm.lead:4", crm_contact="odoo/res.partner:3", deal=deal
        ),
        ContactCard(contact_id=2, name="Bob", crm_ref="Lead:5", deal=deal),
        ContactCard(contact_id=3, name="Carl", crm_ref="no reference"),
        ContactCard(contact_id=4, name="Dora"),
    ]

    records, more = offered(found, cards, targets=TARGETS, most=10)

    assert [(one.crm_ref, one.contact_id, one.deal) for one in records] == [
        ("odoo/res.partner:3", 1, deal),
        ("espo/Lead:5", 2, {"ref": "x"}),
        ("odoo/crm.lead:4", 1, deal),
    ]
    assert not more


@pytest.mark.parametrize(
    ("more_there", "most", "told", "more"), [(True, 9, 3, True), (False, 2, 2, True), (False, 3, 3, False)]
)
def test_of_very_many_it_is_said_that_there_are_more(
    more_there: bool, most: int, told: int, more: bool
) -> None:
    found = Found(records=tuple(a_record(f"odoo/crm.lead:{n}") for n in range(3)), more=more_there)
    records, is_more = offered(found, [], targets=TARGETS, most=most)
    assert (len(records), is_more) == (told, more)


def test_a_record_of_a_list_says_what_its_reference_says() -> None:
    card = ContactCard(contact_id=1, name="Anna", crm_ref="7")
    (one,), _ = offered(Found(), [card], targets=TARGETS, most=9)
    assert found_record(one) == {
        "crm_ref": "7",
        "target": None,
        "kind": None,
        "name": "Anna",
        "url": None,
        "deal": None,
        "contact_id": 1,
    }
