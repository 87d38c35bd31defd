"""What conditions may say, and what is said of those that are wrong."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.conditions import MAX_TESTS, condition_of, condition_record
from cti.contacts.fields import BELONGS, FIELDS, OPERATORS
from cti.contacts.settling import NOBODY, Viewer, settled
from cti.errors import BadInput
from cti.model.conditions import All, AnyOf, Not, Op, Scope, Some, Test
from tests.builders import NOW

VIEWER = Viewer(
    now=NOW,
    zone=ZoneInfo("Europe/Berlin"),
    me=7,
    agents={"anna": 7, "bob": 8},
    campaigns={"autumn": 3, "4": 9},
)


def test_a_combined_condition_is_read() -> None:
    read = condition_of(
        {
            "all": [
                {"field": "owner", "is": "anna"},
                {"any": [{"field": "tag", "has_tag": "vip"}, {"not": {"field": "score", "at_most": 3}}]},
                {"entry": {"field": "state", "one_of": ["pending", "waiting"]}},
                {"field": "field:city", "contains": "ulm"},
            ]
        }
    )

    assert read == All(
        (
            Test(field="owner", op=Op.IS, values=("anna",)),
            AnyOf(
                (
                    Test(field="tag", op=Op.HAS_TAG, values=("vip",)),
                    Not(Test(field="score", op=Op.AT_MOST, values=(3.0,))),
                )
            ),
            Some(Scope.ENTRY, Test(field="state", op=Op.ONE_OF, values=("pending", "waiting"))),
            Test(field="field", key="city", op=Op.CONTAINS, values=("ulm",)),
        )
    )


def test_nothing_asked_is_everything() -> None:
    assert condition_of({}) == All()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([], "must be an object, not a list"),
        ({"all": {}}, "all: must be a list of conditions, not an object"),
        (
            {"all": [{}, {"field": "onwer", "is": "anna"}]},
            "all.1.field: there is no field 'onwer'; did you mean",
        ),
        ({"field": "name"}, "needs one operator of: is, is_not, one_of, contains"),
        ({"field": "name", "is": "a", "contains": "b"}, "needs one operator"),
        ({"field": "name", "at_least": 3}, "at_least: name does not know it; there are: is, is_not"),
        ({"field": "name", "containz": "x"}, "containz: name does not know it; did you mean 'contains'?"),
        ({"field": "name", "is": 3}, "is: must be text, not a number"),
        ({"field": "name", "is": None}, "is: must be text, not null"),
        ({"field": "name", "is": ""}, "`empty` asks whether there is nothing"),
        ({"field": "name", "is": "a\x00b"}, "must not hold control characters"),
        ({"field": "name", "is": "\ud800"}, "must not hold control characters"),
        ({"field": "name", "is": "x" * 501}, "1 to 500 characters"),
        ({"field": "name", "one_of": []}, "one_of: must be a list of 1 to 1000 values"),
        ({"field": "name", "one_of": ["a", 5]}, "one_of.1: must be text"),
        ({"field": "name", "empty": "yes"}, "empty: must be true or false, not text"),
        ({"field": "number", "is": "030 12"}, "must be a number in E.164"),
        ({"field": "number", "ends_with": "+12"}, "ends_with: must be digits"),
        ({"field": "number", "ends_with": "١٢"}, "ends_with: must be digits"),
        ({"field": "tries", "is": 1.5}, "is: must be a whole number, not a number"),
        ({"field": "tries", "is": True}, "is: must be a whole number, not true or false"),
        ({"field": "tries", "at_least": 2**31}, "must be between"),
        ({"field": "score", "at_least": float("inf")}, "must be a number between"),
        ({"field": "score", "at_least": float("nan")}, "must be a number between"),
        ({"field": "created", "within": "soon"}, "within: 'soon' is no span of time; write today,"),
        ({"field": "created", "within": "last 0 days"}, "is no span of time"),
        ({"field": "created", "within": ["2026-01-01"]}, "within: must be two times"),
        ({"field": "created", "before": "2026-13-01"}, "before: '2026-13-01' is no time; write 2026-11-23"),
        ({"field": "created", "before": "20260101"}, "is no time"),
        ({"field": "field:", "is": "x"}, "say which custom field: field:HEADER"),
        ({"field": ["name"], "is": "x"}, "field: must be the name of a field"),
        ({"every": []}, "there is no 'every'; there are: all, any, not, entry, call, field"),
        ({"all": [], "any": []}, "a condition has one key"),
        ({"entry": {"entry": {}}}, "entry: there is no 'entry'"),
        ({"entry": {"field": "name", "is": "x"}}, "entry.field: there is no field 'name'"),
        ({"call": {"contact": {}}}, "call: there is no 'contact'"),
        ({"not": [{}]}, "not: must be an object, not a list"),
    ],
)
def test_what_is_wrong_is_named_with_its_path_and_what_is_allowed(wrong: Any, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        condition_of(wrong)

    assert told in str(refused.value)


def test_a_path_begins_where_the_condition_stood() -> None:
    with pytest.raises(BadInput, match=r"^views\.condition\.any\.0\.is: must be text"):
        condition_of({"any": [{"field": "name", "is": 1}]}, where="views.condition")


def test_a_condition_has_an_end_in_depth_and_in_length() -> None:
    deep: Any = {}
    for _ in range(50):
        deep = {"not": deep}
    with pytest.raises(BadInput, match="deeper than"):
        condition_of(deep)
    with pytest.raises(BadInput, match=f"may hold {MAX_TESTS} tests"):
        condition_of({"any": [{"field": "name", "is": "a"}] * (MAX_TESTS + 1)})


def test_names_and_words_are_settled_for_who_looks() -> None:
    condition = condition_of(
        {
            "all": [
                {"field": "owner", "one_of": ["me", "bob"]},
                {"field": "campaign", "is": "autumn"},
                {"field": "campaign", "is": 3},
                {"field": "campaign", "is": "4"},
                {"field": "created", "within": "today"},
                {"entry": {"field": "due", "before": "2026-11-24"}},
            ]
        }
    )

    owner, campaign, by_id, called_4, created, entry = settled(condition, VIEWER).parts  # type: ignore[union-attr]

    assert owner.values == (7, 8)
    assert (campaign.values, by_id.values, called_4.values) == ((3,), (3,), (9,))
    assert created.values == (
        datetime(2026, 11, 22, 23, tzinfo=UTC),
        datetime(2026, 11, 23, 23, tzinfo=UTC),
    )
    assert entry.part.values == (datetime(2026, 11, 23, 23, tzinfo=UTC),)


def test_me_is_nobody_to_who_is_no_agent() -> None:
    condition = condition_of({"field": "owner", "is": "me"})
    assert settled(condition, Viewer(now=NOW, zone=ZoneInfo("UTC"))).values == (NOBODY,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given_test", "told"),
    [
        ({"field": "owner", "is": "zoe"}, "all.0.is: there is no agent 'zoe'"),
        ({"field": "campaign", "one_of": ["spring"]}, "all.0.one_of: there is no campaign 'spring'"),
        ({"field": "campaign", "is": 99}, "there is no campaign '99'"),
    ],
)
def test_a_name_that_nobody_has_is_told(given_test: Any, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        settled(condition_of({"all": [given_test]}), VIEWER)
    assert told in str(refused.value)


def test_a_record_of_a_condition_reads_as_the_same() -> None:
    given_condition = {
        "all": [
            {
                "any": [
                    {"field": "field:x:y", "is": "1"},
                    {"not": {"field": "created", "within": ["now", "tomorrow"]}},
                ]
            },
            {"call": {"field": "placed", "within": "last 3 hours"}},
            {"field": "tries", "one_of": [1]},
        ]
    }
    assert condition_record(condition_of(given_condition)) == given_condition


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["field", "all", "any", "not", "entry", "call", "is", "within", "empty", "x"]),
            parts | st.sampled_from(["name", "created", "owner", "today", "field:a"]),
            max_size=3,
        )
    ),
)


@given(JSON, st.sampled_from(list(Scope)))
def test_whatever_is_given_is_read_or_refused_in_words(whatever: Any, scope: Scope) -> None:
    try:
        condition = condition_of(whatever, scope=scope)
    except BadInput:
        return
    assert condition_of(condition_record(condition), scope=scope) == condition


def test_every_field_has_operators_and_a_meaning() -> None:
    for scope, fields in FIELDS.items():
        for name, field in fields.items():
            assert OPERATORS[field.kind], name
            assert field.meaning.endswith("."), name
        assert not set(fields) & {inner.value for inner in BELONGS[scope]}
