"""What an edit changes, how it is kept and taken back, and where pages begin."""

from typing import Any

import pytest

from cti.contacts.changes import (
    Change,
    EntryFacts,
    Subject,
    change_of,
    change_record,
    opposite,
    still_fits,
)
from cti.contacts.cursors import after_of, cursor_of
from cti.contacts.edits import Edit, edited
from cti.errors import BadInput
from cti.model.campaign_rules import Order
from cti.model.contact_rows import After, Sort
from cti.model.contacts import EntryState
from tests.builders import NOW, later


def an_entry(**given: Any) -> EntryFacts:
    values: dict[str, Any] = {
        "id": 5,
        "list_id": 1,
        "campaign_id": 1,
        "state": EntryState.PENDING,
        "tries": 0,
        "priority": 0,
        "rank": 5.0,
        "zone": "",
        "number_position": 0,
        "owner_key": 0,
    }
    return EntryFacts(**values | given)


def a_subject(*entries: EntryFacts, **facts: Any) -> Subject:
    return Subject(
        id=1,
        facts={"name": "Ada", "stage": None, "zone": None, "score": None, "fields": {"city": "Ulm"}} | facts,
        entries=entries or (an_entry(),),
        tags=frozenset({"vip"}),
        zones=("Europe/Berlin", None),
    )


def test_only_what_differs_is_changed() -> None:
    edit = Edit(columns={"name": "Ada", "stage": "won"}, tags=frozenset({"vip"}))
    assert edited(a_subject(), edit, orders={}) == Change(contact={"stage": (None, "won")})
    assert not edited(a_subject(), Edit(columns={"name": "Ada"}), orders={})


def test_custom_fields_are_set_one_by_one_and_taken_away_by_null() -> None:
    change = edited(a_subject(), Edit(fields={"size": "9", "city": None}), orders={})
    assert change.contact == {"fields": ({"city": "Ulm"}, {"size": "9"})}


def test_tags_given_are_all_tags_from_then_on() -> None:
    change = edited(a_subject(), Edit(tags=frozenset({"a", "b"})), orders={})
    assert (change.tags_added, change.tags_removed) == (("a", "b"), ("vip",))


@pytest.mark.parametrize(
    ("zone", "position", "before", "after"),
    [
        pytest.param("Asia/Shanghai", 0, "Europe/Berlin", "Asia/Shanghai", id="his own zone"),
        pytest.param(None, 0, "Asia/Shanghai", "Europe/Berlin", id="none any more: his number's"),
        pytest.param(None, 1, "Asia/Shanghai", "", id="his number has none either"),
        pytest.param(None, 7, "Asia/Shanghai", "", id="that number is gone"),
    ],
)
def test_entries_follow_into_the_lane_of_the_zone(
    zone: str | None, position: int, before: str, after: str
) -> None:
    subject = a_subject(an_entry(zone=before, number_position=position), zone="x")
    assert edited(subject, Edit(columns={"zone": zone}), orders={}).entries == {5: {"zone": (before, after)}}


@pytest.mark.parametrize("state", [EntryState.DIALING, EntryState.DONE])
def test_entries_that_are_being_dialed_or_done_stay(state: EntryState) -> None:
    edit = Edit(columns={"zone": "Asia/Shanghai", "score": 3.0})
    assert edited(a_subject(an_entry(state=state)), edit, orders={1: Order.SCORE}).entries == {}


def test_a_score_moves_an_entry_only_where_the_order_is_by_score() -> None:
    edit = Edit(columns={"score": 3.0})
    assert edited(a_subject(), edit, orders={1: Order.SCORE}).entries == {5: {"rank": (5.0, -3.0)}}
    assert edited(a_subject(), edit, orders={1: Order.OLDEST}).entries == {}


WHOLE = Change(
    contact={"stage": (None, "won"), "stopped_at": (None, NOW), "next_follow_up_at": (later(5), None)},
    entries={5: {"state": (EntryState.PENDING, EntryState.DONE), "due_at": (NOW, None)}},
    tags_added=("a",),
    tags_removed=("vip",),
)


def test_a_change_is_written_down_and_read_again() -> None:
    assert change_of(change_record(WHOLE)) == WHOLE
    added = Change(entry_added={"id": 3, "state": EntryState.PENDING, "priority": 1})
    assert change_of(change_record(added)) == added


def test_the_opposite_of_the_opposite_is_the_change() -> None:
    assert opposite(opposite(WHOLE)) == WHOLE
    assert opposite(WHOLE).tags_added == ("vip",)


@pytest.mark.parametrize(
    ("subject", "fits"),
    [
        pytest.param(a_subject(next_follow_up_at=later(5)), False, id="another due time"),
        pytest.param(
            a_subject(an_entry(due_at=NOW), next_follow_up_at=later(5), stopped_at=None), True, id="as it was"
        ),
        pytest.param(
            a_subject(an_entry(due_at=NOW), next_follow_up_at=later(5), stage="lost"),
            False,
            id="another stage",
        ),
        pytest.param(
            a_subject(an_entry(id=6, due_at=NOW), next_follow_up_at=later(5)), False, id="the entry is gone"
        ),
    ],
)
def test_a_change_fits_only_while_all_is_as_it_says(subject: Subject, fits: bool) -> None:
    assert still_fits(WHOLE, subject) is fits


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        (an_entry(), True),
        (an_entry(tries=1), False),
        (an_entry(state=EntryState.DIALING), False),
        (an_entry(id=6), False),
    ],
)
def test_an_entry_is_taken_away_only_while_nobody_was_called_by_it(entry: EntryFacts, fits: bool) -> None:
    assert still_fits(Change(entry_removed={"id": 5}), a_subject(entry)) is fits


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        (Sort.NEWEST, None),
        (Sort.NAME, '王 "x"'),
        (Sort.SCORE_DOWN, 0.1),
        (Sort.LAST_TALK, NOW),
        (Sort.CREATED, None),
    ],
)
def test_a_cursor_says_where_the_next_page_begins(sort: Sort, value: Any) -> None:
    after = After(id=12, value=value)
    assert after_of(cursor_of(after, sort), sort) == after


@pytest.mark.parametrize(
    ("cursor", "sort"),
    [
        ("", Sort.NEWEST),
        ("!", Sort.NEWEST),
        ("W10", Sort.NEWEST),
        (cursor_of(After(id=1), Sort.NAME), Sort.NEWEST),
        (cursor_of(After(id=-1), Sort.NEWEST), Sort.NEWEST),
        (cursor_of(After(id=1, value="x"), Sort.NEWEST), Sort.NEWEST),
        (cursor_of(After(id=1, value="x"), Sort.SCORE), Sort.SCORE),
        (cursor_of(After(id=1, value="x"), Sort.CREATED), Sort.CREATED),
        (cursor_of(After(id=1, value=5.0), Sort.NAME), Sort.NAME),
        ("W" * 1999, Sort.NEWEST),
        ("\u00fc", Sort.NEWEST),
    ],
)
def test_a_word_that_is_no_cursor_of_ours_is_refused(cursor: str, sort: Sort) -> None:
    with pytest.raises(BadInput, match="cursor"):
        after_of(cursor, sort)
