"""What becomes of rows whose contact is known already."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.doubles import Known, combined, counted, filled, keys_of, planned
from cti.model.contacts import NewContact, NewNumber
from cti.model.doubles import DoubleKey, DoubleRule, Doubles
from cti.model.imports import ImportCounts, StagedRow

_TEXT = st.sampled_from(["", "a", "b"])
_NUMBERS = st.lists(st.sampled_from(["+491", "+492", "+493", "+494"]), min_size=1, max_size=3, unique=True)


@st.composite
def contacts(draw: st.DrawFn) -> NewContact:
    numbers = draw(_NUMBERS)
    return NewContact(
        name=draw(_TEXT),
        numbers=tuple(NewNumber(e164=number, raw=number) for number in numbers),
        crm_ref=draw(_TEXT) or None,
        zone=draw(_TEXT) or None,
        score=draw(st.none() | st.just(0.0) | st.just(1.0)),
        consent=draw(st.sampled_from([None, "given", "withdrawn"])),
        consent_source=draw(_TEXT) or None,
        fields=draw(st.dictionaries(st.sampled_from("xyz"), _TEXT)),
    )


def e164s(contact: NewContact) -> list[str]:
    return [number.e164 for number in contact.numbers]


def rows_of(given: Sequence[NewContact]) -> list[StagedRow]:
    return [StagedRow(line=line, contact=contact) for line, contact in enumerate(given, 2)]


@given(contacts(), contacts())
def test_merging_loses_nothing_and_changes_nothing_that_was_there(now: NewContact, row: NewContact) -> None:
    after = combined(now, row, DoubleRule.MERGE)

    assert e164s(after)[: len(now.numbers)] == e164s(now)
    assert set(e164s(after)) == {*e164s(now), *e164s(row)}
    assert after.fields == {**row.fields, **now.fields}
    for name in ("name", "crm_ref", "zone"):
        assert getattr(after, name) == (getattr(now, name) or getattr(row, name))
    assert after.score == (row.score if now.score is None else now.score)


@given(contacts(), contacts())
def test_a_consent_keeps_its_own_source(now: NewContact, row: NewContact) -> None:
    after = filled(now, row)
    whole = {(one.consent, one.consent_source) for one in (now, row)}
    assert (after.consent, after.consent_source) in whole


@given(contacts(), contacts())
def test_replacing_takes_the_row_s_numbers_and_what_the_row_says(now: NewContact, row: NewContact) -> None:
    after = combined(now, row, DoubleRule.REPLACE)

    assert after.numbers == row.numbers
    assert after.fields == {**now.fields, **row.fields}
    assert after.name == (row.name or now.name)


@given(contacts(), contacts(), st.sampled_from(list(DoubleRule)))
def test_the_same_row_again_changes_nothing(now: NewContact, row: NewContact, rule: DoubleRule) -> None:
    once = combined(now, row, rule)
    assert combined(once, row, rule) == once


@given(
    st.lists(contacts(), max_size=6),
    st.lists(contacts(), max_size=3),
    st.sampled_from([DoubleRule.SKIP, DoubleRule.MERGE, DoubleRule.REPLACE]),
)
def test_every_row_is_counted_once_and_no_stored_number_gets_a_second_contact(
    given_rows: list[NewContact], stored: list[NewContact], rule: DoubleRule
) -> None:
    doubles = Doubles(rule=rule)
    known: dict[str, Known] = {}
    for contact_id, contact in enumerate(stored, 1):
        for key in keys_of(contact, DoubleKey.NUMBER):
            known.setdefault(key, Known(id=contact_id, contact=contact))

    plan = planned(rows_of(given_rows), known, doubles)

    counts = counted(ImportCounts(), plan, doubles, ())
    assert counts.taken + sum(counts.refused.values()) == len(given_rows)
    if rule is not DoubleRule.REPLACE:
        assert not {n for contact in plan.added for n in e164s(contact)} & set(known)
    for change in plan.changes.values():
        for number in e164s(change.after):
            assert known.get(number, change.known).id == change.known.id or number in e164s(
                change.known.contact
            )
    if rule is DoubleRule.SKIP:
        assert plan.changes == {}


def test_a_contact_is_known_by_his_reference_or_by_his_numbers() -> None:
    contact = NewContact(name="", numbers=(NewNumber(e164="+491", raw="1"),), crm_ref="L-1")
    assert keys_of(contact, DoubleKey.NUMBER) == ("+491",)
    assert keys_of(contact, DoubleKey.CRM_REF) == ("crm:L-1",)
    nameless = NewContact(name="", numbers=contact.numbers)
    assert keys_of(nameless, DoubleKey.CRM_REF) == ("+491",)
