"""Headers: what a column means by its name, and by the user's word."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.columns import IGNORE, MAX_COLUMNS, Columns, Meaning, columns_of
from cti.contacts.csv_records import Record
from cti.contacts.rows import contact_of
from cti.contacts.texts import BadCell
from cti.errors import BadInput
from cti.model.imports import RefusalCode


def header(*names: str, **mapping: str) -> Columns:
    return columns_of(Record(1, list(names)), mapping)


def test_columns_are_mapped_by_the_user_s_word() -> None:
    mapping = {"手机号": "number", "客户": "name", "x": "field:town", "y": "ignore", "座机2": "number2"}
    columns = columns_of(Record(1, ["座机2", "手机号", "客户", "x", "y", "z"]), mapping)

    assert columns.told() == {
        "座机2": "number2",
        "手机号": "number",
        "客户": "name",
        "x": "field:town",
        "y": IGNORE,
        "z": "field:z",
    }
    contact = contact_of(["010-66668888", "13800138000", "王芳", "北京", "secret", "q"], columns, region="CN")
    assert [number.e164 for number in contact.numbers] == ["+8613800138000", "+861066668888"]
    assert (contact.name, contact.fields) == ("王芳", {"town": "北京", "z": "q"})


def test_a_column_whose_name_means_something_can_be_given_another_meaning() -> None:
    columns = header("phone", "name", name="field:nickname")
    assert (Meaning.NAME in columns.known, columns.fields) == (False, {1: "nickname"})


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"nowhere": "name"}, r"there is no column 'nowhere'; found: 'phone', 'b'"),
        ({"b": "colour"}, "'b' cannot mean 'colour'; it may mean number, name"),
        ({"b": "field:"}, "'b' cannot mean 'field:'"),
        ({"phone": "name"}, "no column for the number"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_naming_the_column(
    mapping: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        header("phone", "b", **mapping)


def test_two_columns_cannot_become_one_field() -> None:
    with pytest.raises(BadInput, match="the field 'town'"):
        header("phone", "a", "b", a="field:town", b="field:town")


def test_too_many_columns_are_refused_with_their_count() -> None:
    with pytest.raises(BadInput, match=f"500 columns in the header; at most {MAX_COLUMNS}"):
        header("phone", *(f"c{n}" for n in range(499)))


def test_empty_columns_at_the_end_do_not_count() -> None:
    assert header("phone", "name", *[""] * 500).headers == ("phone", "name")


ALL = (
    *("phone", "crm_ref", "crm customer", "CRM Contact", "crm-deal", "score", "stage"),
    *("consent", "consent_at", "consent source", "priority", "标签", "zone"),
)
ROW = (
    *("+493023125001", "L-1", "C-1", "P-1", "D-1", "0.7", "warm"),
    *("yes", "2026-01-02T03:04:05+08:00", "fair", "-3", "hot; vip，hot", "Asia/Shanghai"),
)


def test_every_known_column_finds_its_place() -> None:
    contact = contact_of(ROW, header(*ALL), region=None)

    assert (contact.crm_ref, contact.crm_customer, contact.crm_contact, contact.crm_deal) == (
        "L-1",
        "C-1",
        "P-1",
        "D-1",
    )
    assert (contact.score, contact.stage, contact.priority) == (0.7, "warm", -3)
    assert (contact.consent, contact.consent_source) == ("given", "fair")
    assert contact.consent_at is not None
    assert contact.consent_at.isoformat() == "2026-01-01T19:04:05+00:00"
    assert (contact.fields, contact.zone) == ({"tags": ["hot", "vip"]}, "Asia/Shanghai")


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("score", "high", "score: not a number: 'high'"),
        ("score", "nan", "score: not a number"),
        ("score", "1e999", "score: not a number"),
        ("priority", "1001", "priority: not a whole number from -1000 to 1000"),
        ("priority", "1.5", "priority: not a whole number"),
        ("consent", "perhaps", "consent: must be given or withdrawn"),
        ("consent at", "yesterday", "consent_at: not a time"),
        ("zone", "Mars/Base", "zone: not a time zone"),
        ("tags", ";".join(f"t{n}" for n in range(51)), "tags: more than 50"),
    ],
)
def test_a_value_that_is_none_refuses_the_row(column: str, text: str, message: str) -> None:
    with pytest.raises(BadCell, match=message) as refusal:
        contact_of(["+493023125001", text], header("phone", column), region=None)
    assert refusal.value.code is RefusalCode.BAD_VALUE


@given(st.lists(st.text(max_size=20), max_size=10), st.dictionaries(st.text(max_size=5), st.text(max_size=9)))
def test_any_header_is_understood_or_refused(names: list[str], mapping: dict[str, str]) -> None:
    with suppress(BadInput):
        columns = columns_of(Record(1, names), mapping)
        assert columns.numbers
        assert len(columns.headers) <= len(names)


_NAME = st.sampled_from([*ALL, "name", "Tel", "City", "x", ""])


@given(st.lists(_NAME, min_size=1, max_size=8), st.lists(st.text(max_size=12), max_size=9))
def test_any_row_under_any_header_is_a_contact_or_a_refusal(names: list[str], cells: list[str]) -> None:
    try:
        columns = columns_of(Record(1, ["phone 2", *names]), {})
    except BadInput:
        return
    with suppress(BadCell):
        contact = contact_of(["+493023125001", *cells], columns, region="DE")
        assert contact.numbers[0].e164 == "+493023125001"
