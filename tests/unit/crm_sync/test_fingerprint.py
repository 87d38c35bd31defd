"""What tells two writes apart says what an update sends, and what it leaves as people have it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.fingerprint import (
    DEAL,
    HOME,
    PLACES,
    USER,
    changed_there,
    doubted,
    fingerprint,
    is_same,
    of_places,
    prints_of,
    reopened,
    since_last,
)
from crm_sync.port import CallWrite
from cti.model.crm import RecordRef
from tests.contract.crm.houses import a_log

LOG = a_log()
FIELDS: Mapping[str, Any] = {"subject": "Call to Li Wei", "note": "call him in May", "seconds": 42.0}


def a_write(**given: Any) -> CallWrite:
    values = {"log": LOG, "fields": FIELDS, "home": RecordRef("lead", "7"), "user": "anna"}
    return CallWrite(**values | {"remote": RecordRef("call", "r1")} | given)


def noted(note: str | None, **given: Any) -> CallWrite:
    return a_write(fields={**FIELDS, "note": note}, **given)


def after(last: CallWrite, now: CallWrite) -> CallWrite:
    return since_last(now, fingerprint(last))


def test_an_update_sends_what_changed_and_leaves_the_rest_where_it_is() -> None:
    write = after(a_write(), noted("he has bought"))
    assert write.sent() == {"note": "he has bought"}
    assert write.leave == {"subject", "seconds", *PLACES}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"home": RecordRef("lead", "8")}, HOME),
        ({"deal": RecordRef("deal", "1")}, DEAL),
        ({"user": "ben"}, USER),
    ],
)
def test_a_place_that_we_change_is_sent(given: dict[str, Any], place: str) -> None:
    write = after(a_write(), a_write(**given))
    assert set(PLACES) - write.leave == {place}
    assert write.sent() == {}


@pytest.mark.parametrize("name", ["crm_contact", "crm_customer"])
def test_another_contact_or_customer_is_another_write(name: str) -> None:
    """HubSpot and 纷享销客 put calls onto these too."""
    other = a_write(log=replace(LOG, **{name: "9"}))
    assert not is_same(fingerprint(a_write()), fingerprint(other))
    assert len(set(PLACES) - after(a_write(), other).leave) == 1


@pytest.mark.parametrize(
    ("write", "mark"),
    [
        pytest.param(a_write(remote=None), fingerprint(a_write()), id="it is created"),
        pytest.param(a_write(), "", id="ordered"),
        pytest.param(a_write(), "0" * 32, id="a fingerprint without prints"),
    ],
)
def test_all_is_sent(write: CallWrite, mark: str) -> None:
    assert since_last(write, mark) == write
    assert write.sent() == FIELDS


def test_after_an_unknown_end_all_fields_are_sent_and_it_stays_where_it_is() -> None:
    write = after(a_write(), a_write(unsure=True))
    assert write.sent() == FIELDS
    assert write.leave == set(PLACES)
    assert set(after(a_write(), noted("new", unsure=True)).sent()) == set(FIELDS), "another may be under way"


def test_what_was_under_way_is_sent_though_it_is_as_before_by_then() -> None:
    mark = doubted(fingerprint(a_write()), after(a_write(), noted("wrong call")), lost=True)
    back = since_last(a_write(unsure=True), mark)
    assert back.sent() == {"note": "call him in May"}
    assert back.leave >= set(PLACES)
    assert not is_same(fingerprint(back), mark)
    assert set(since_last(a_write(fields={**FIELDS, "subject": "x"}), mark).sent()) == {"note", "subject"}
    assert doubted("", back, lost=True) == doubted("0" * 32, back, lost=False) == ""


@pytest.mark.parametrize(
    ("there", "left"),
    [("call him in May", set()), ("wrong call", set()), ("sold", set()), ("ask his wife", {"note"})],
)
def test_what_may_have_come_to_stand_there_is_no_persons(there: str, left: set[str]) -> None:
    mark = doubted(fingerprint(a_write()), after(a_write(), noted("wrong call")), lost=False)
    for tries in range(3):
        write = since_last(noted("sold"), mark)
        assert changed_there(write, {"note": there}) == left, tries
        mark = doubted(mark, write, lost=False)


@pytest.mark.parametrize("lost", [True, False])
def test_while_it_is_not_known_how_a_write_ended_ours_is_written(lost: bool) -> None:
    """Also when the next try is refused: what was under way at a kill may stand there still."""
    write = after(a_write(), noted("sold", unsure=True))
    assert changed_there(write, {"note": "what a process that was killed had sent"}) == set()
    again = since_last(noted("gone"), doubted(fingerprint(a_write()), write, lost=lost))
    assert again.sent().keys() == set(FIELDS)
    assert changed_there(again, {"note": "what a process that was killed had sent"}) == set()
    assert again.leave == set(PLACES)


def test_what_was_opened_again_is_sent_though_it_is_as_before() -> None:
    mark = reopened(fingerprint(a_write()), {"note", HOME})
    write = since_last(a_write(), mark)
    assert write.sent() == {"note": "call him in May"}
    assert HOME not in write.leave
    assert not is_same(fingerprint(write), mark)
    assert reopened("", {"note"}) == reopened("0" * 32, {"note"}) == ""


def test_nothing_opened_is_the_same_write() -> None:
    assert is_same(fingerprint(a_write()), reopened(fingerprint(a_write()), ()))
    assert not is_same(fingerprint(noted("new")), reopened(fingerprint(a_write()), ()))
    assert not is_same(fingerprint(a_write()), "")
    assert not is_same(fingerprint(a_write()), "0" * 32)


def test_what_was_left_to_a_person_keeps_the_print_of_what_was_written() -> None:
    write = after(a_write(), noted("he has bought"))
    mark = fingerprint(write, left={"note"})
    old, new = prints_of(fingerprint(a_write())), prints_of(mark)
    assert old is not None
    assert new is not None
    assert new["note"] == old["note"]
    assert is_same(fingerprint(write), mark), "it is not sent again and again"
    assert set(after(write, noted("more")).sent()) == {"note"}


def test_of_a_record_that_was_not_known_all_is_sent_but_where_it_stands() -> None:
    write = since_last(a_write(), of_places(a_write()))
    assert write.sent() == FIELDS
    assert write.leave == set(PLACES)


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ({"note": "do not call!"}, {"note"}),
        ({"note": ""}, {"note"}),
        ({"note": "call him in May"}, set()),
        ({"note": " call him in May\r\n"}, set()),
        ({"note": "he has bought"}, set()),
        ({"subject": "Wrong person"}, set()),
        ({"note": None}, set()),
        ({"seconds": 7.0}, set()),
        ({}, set()),
    ],
)
def test_a_text_that_is_neither_ours_nor_what_was_written_is_a_persons(
    there: dict[str, Any], left: set[str]
) -> None:
    assert changed_there(after(a_write(), noted("he has bought")), there) == left


def test_a_text_that_a_person_typed_stays_when_ours_is_taken_away() -> None:
    write = after(a_write(), noted(None))
    assert changed_there(write, {"note": "do not call!"}) == {"note"}
    assert changed_there(write, {"note": "call him in May"}) == changed_there(write, {"note": ""}) == set()


def test_on_order_and_of_a_field_that_is_new_no_text_is_a_persons() -> None:
    assert changed_there(noted("he has bought"), {"note": "do not call!"}) == set()
    new = after(a_write(), a_write(fields={**FIELDS, "more": "x"}))
    assert changed_there(new, {"more": "y"}) == set()


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=2)), min_size=1, max_size=6), st.text()
)
def test_however_it_changes_ours_comes_and_what_we_never_change_stays(
    changes: list[dict[str, str]], typed: str
) -> None:
    """With a note that a person typed into a field that we wrote once."""
    first = a_write(fields={"a": "", "b": "", "c": "", "mine": "ours"})
    there, last = {**first.fields, "mine": typed}, first
    for change in changes:
        now = replace(last, fields={**last.fields, **change}, leave=frozenset(), last={})
        there |= after(last, now).sent()
        last = now
    assert {name: there[name].strip() for name in "abc"} == {
        name: last.fields[name].strip() for name in "abc"
    }
    assert there["mine"] == typed
