"""Each disagreement is found as what it is, and nothing else is; pure, with any set of them planted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.fingerprint import HOME, PLACES, fingerprint, is_same, print_of, prints_of, since_last
from crm_sync.mapping import mapping_of
from crm_sync.port import Written
from crm_sync.reconcile import FEW_GONE, GRACE, Looking, findings_of, foreign, own_side
from cti.model.crm import Link, RecordRef
from cti.model.crm_reconciliation import FindingKind, Mended, OurCall
from tests.builders import NOW, a_call, later
from tests.contract.crm.houses import a_log

MAPPING = mapping_of(
    {
        "fields": {
            "subject": "Call to {number}",
            "started": "{placed_at|iso}",
            "minutes": {"from": "talk_seconds", "as": "minutes"},
            "note": {"from": "note", "empty": "null"},
        },
        "records": {"kind": "lead"},
    },
    target="strict",
    where="strict.toml",
)
LOOK = Looking(now=later(60) + GRACE, mapping=MAPPING)
K = FindingKind
Side = tuple[OurCall, list[Written]]


def in_step(**given: Any) -> Side:
    """Return a call and its record as they are after a write that went well."""
    log = a_log(**{"call_id": a_call().id, "crm_ref": "7", "note": "call him in May"} | given)
    link = Link(target="strict", call_id=log.call_id, version=1, pushed_at=later(60))
    link = replace(link, remote=RecordRef("call", f"r{log.call_id[-6:]}"))
    write = MAPPING.write(log, link)
    link = replace(link, fingerprint=fingerprint(write))
    assert link.remote is not None
    record = Written(
        call_id=log.call_id,
        remote=link.remote,
        home=write.home,
        started_at=log.placed_at,
        seconds=log.talk_seconds,
        fields=dict(write.fields),
    )
    return OurCall(log=log, link=link), [record]


def nothing_known(call: OurCall) -> OurCall:
    return replace(call, link=Link(target="strict", call_id=call.log.call_id))


def unwritten() -> Side:
    call, _ = in_step()
    return nothing_known(call), []


def missing() -> Side:
    call, _ = in_step()
    begun = replace(nothing_known(call).link, sending_at=NOW)
    return replace(call, link=begun), []


def unlinked() -> Side:
    call, records = in_step()
    return nothing_known(call), records


def another_record() -> Side:
    """The one that we know is gone, and another one stands there: two were merged."""
    call, (record,) = in_step()
    return call, [replace(record, remote=RecordRef("call", "survivor"))]


def doubled() -> Side:
    call, (record,) = in_step()
    return call, [replace(record, remote=RecordRef("call", "0")), record]


def lost_update() -> Side:
    call, records = in_step()
    return replace(call, log=replace(call.log, note="he has bought")), records


def by_hand() -> Side:
    call, (record,) = in_step()
    return call, [replace(record, fields={**record.fields, "note": "do not call!"})]


def length_by_hand() -> Side:
    call, (record,) = in_step()
    return call, [replace(record, seconds=600.0)]


def moved() -> Side:
    call, (record,) = in_step()
    return call, [replace(record, home=RecordRef("lead", "8"))]


def home_came_later() -> Side:
    call, (record,) = in_step(crm_ref=None)
    return replace(call, log=replace(call.log, crm_ref="7")), [record]


def deleted() -> Side:
    return in_step()[0], []


def deleted_long_ago() -> Side:
    call, _ = in_step()
    return replace(call, link=replace(call.link, deleted_at=NOW)), []


def restored() -> Side:
    call, records = in_step()
    return replace(call, link=replace(call.link, deleted_at=NOW)), records


def waiting() -> Side:
    return replace(unwritten()[0], busy=True), []


def not_wanted() -> Side:
    return replace(unwritten()[0], wanted=False), []


def just_written() -> Side:
    call, _ = in_step()
    return replace(call, link=replace(call.link, pushed_at=later(61))), []


def just_ended() -> Side:
    call, _ = unwritten()
    return replace(call, log=replace(call.log, ended_at=later(61))), []


def rewritten_by_the_crm() -> Side:
    """What CRMs do by themselves is no difference."""
    call, (record,) = in_step(note="one\ntwo")
    fields = {**record.fields, "note": " one\r\ntwo", "started": "2026-11-23 09:00:00", "minutes": "0.70"}
    times = {"started_at": record.started_at + timedelta(seconds=0.9), "seconds": 42.4}  # type: ignore[operator]
    return call, [replace(record, fields=fields | {"theirs": "x"}, **times)]  # type: ignore[arg-type]


PLANTS: Mapping[Callable[[], Side], set[FindingKind]] = {
    in_step: set(),
    unwritten: {K.UNWRITTEN},
    missing: {K.MISSING},
    unlinked: {K.UNLINKED},
    another_record: {K.UNLINKED},
    doubled: {K.DOUBLE},
    lost_update: {K.DIFFERING},
    by_hand: {K.DIFFERING},
    length_by_hand: {K.DIFFERING},
    moved: {K.MOVED},
    home_came_later: {K.DIFFERING},
    deleted: {K.DELETED},
    deleted_long_ago: set(),
    restored: {K.RESTORED},
    waiting: set(),
    not_wanted: set(),
    just_written: set(),
    just_ended: set(),
    rewritten_by_the_crm: set(),
}


@dataclass(frozen=True)
class Planted:
    sides: Sequence[Side]

    @property
    def ours(self) -> list[OurCall]:
        return [call for call, _ in self.sides]

    @property
    def there(self) -> dict[str, list[Written]]:
        return {call.log.call_id: records for call, records in self.sides if records}


@given(st.lists(st.sampled_from(list(PLANTS)), max_size=12), st.integers(0, 3))
def test_any_set_of_differences_is_found_as_what_it_is(plants: list[Any], strangers: int) -> None:
    planted = Planted([plant() for plant in plants])
    outside = {a_call().id: in_step()[1] for _ in range(strangers)}

    found = findings_of(planted.ours, planted.there, LOOK)
    found += foreign({**planted.there, **outside}, {call.log.call_id for call in planted.ours})

    told = {(one.finding.call_id, one.finding.kind) for one in found}
    expected = {
        (call.log.call_id, kind)
        for plant, (call, _) in zip(plants, planted.sides, strict=True)
        for kind in PLANTS[plant]
    }
    assert told == expected | {(call_id, K.FOREIGN) for call_id in outside}
    assert len(found) == len(told), "each once"


def only(side: Side, look: Looking = LOOK) -> Any:
    planted = Planted([side])
    (found,) = findings_of(planted.ours, planted.there, look)
    return found


@pytest.mark.parametrize(
    ("plant", "mended", "push"),
    [
        (unwritten, Mended.PUSHED, True),
        (missing, Mended.PUSHED, True),
        (unlinked, Mended.REMEMBERED, True),
        (doubled, Mended.NOTHING, False),
        (lost_update, Mended.PUSHED, True),
        (by_hand, Mended.NOTHING, False),
        (length_by_hand, Mended.NOTHING, False),
        (moved, Mended.NOTHING, False),
        (home_came_later, Mended.PUSHED, True),
        (deleted, Mended.FLAGGED, False),
        (restored, Mended.REMEMBERED, True),
    ],
)
def test_what_is_done_about_it(plant: Callable[[], Side], mended: Mended, push: bool) -> None:
    found = only(plant())
    assert (found.finding.mended, found.push) == (mended, push)
    assert (found.after is None) is (mended is Mended.NOTHING)


def test_what_is_written_again_is_looked_for_first_and_not_taken_for_the_same() -> None:
    for plant in (unwritten, missing):
        after = only(plant()).after
        assert after.unsure
        assert after.fingerprint == ""
    call, _ = lost_update()
    after = only(lost_update()).after
    assert not is_same(after.fingerprint, fingerprint(MAPPING.write(call.log, call.link)))
    write = since_last(MAPPING.write(call.log, call.link), after.fingerprint)
    assert set(write.sent()) == {"note"}
    assert write.leave.issuperset(PLACES)


def test_what_is_linked_again_is_brought_up_to_date_where_it_stands() -> None:
    call, _ = unlinked()
    after = only(unlinked()).after
    write = MAPPING.write(call.log, replace(after, call_id=call.log.call_id))
    write = since_last(write, after.fingerprint)
    assert write.sent() == write.fields
    assert write.leave == set(PLACES)


def test_what_a_person_moved_is_put_back_on_order_alone() -> None:
    assert not only(moved()).push
    over = only(moved(), replace(LOOK, overwrite=True))
    assert (over.finding.kind, over.finding.mended) == (K.MOVED, Mended.PUSHED)
    assert over.push
    assert over.after.fingerprint == ""


def test_moved_and_changed_it_is_pushed_once_on_order() -> None:
    call, (record,) = moved()
    both = replace(record, fields={**record.fields, "note": "do not call!"})
    look = replace(LOOK, overwrite=True)
    found = findings_of([call], {call.log.call_id: [both]}, look)
    assert [(one.finding.kind, one.push) for one in found] == [(K.MOVED, False), (K.DIFFERING, True)]
    found = findings_of([call], {call.log.call_id: [both]}, LOOK)
    assert not any(one.push for one in found)


def test_a_lost_update_of_a_call_that_was_moved_leaves_it_where_it_is() -> None:
    call, (record,) = lost_update()
    found = findings_of([call], {call.log.call_id: [replace(record, home=RecordRef("lead", "8"))]}, LOOK)
    (differing,) = (one for one in found if one.finding.kind is K.DIFFERING)
    assert differing.push
    assert differing.after is not None
    write = since_last(MAPPING.write(call.log, call.link), differing.after.fingerprint)
    assert set(write.sent()) == {"note"}
    assert HOME in write.leave


def test_what_a_person_changed_is_written_over_on_order_alone() -> None:
    assert "changed there by somebody: note" in only(by_hand()).finding.detail
    over = only(by_hand(), replace(LOOK, overwrite=True))
    assert over.push
    assert over.after.fingerprint == ""


def test_one_field_changed_there_keeps_the_newer_other_from_being_written() -> None:
    call, (record,) = lost_update()
    found = only((call, [replace(record, fields={**record.fields, "subject": "mine"})]))
    assert found.finding.fields == ("subject", "note")
    assert not found.push


def test_after_a_forced_push_that_was_lost_ours_goes_before_what_stands_there() -> None:
    call, records = by_hand()
    assert only((replace(call, link=replace(call.link, fingerprint="")), records)).push


def test_with_a_fingerprint_that_is_too_old_to_tell_nothing_is_written_over() -> None:
    call, records = lost_update()
    assert not only((replace(call, link=replace(call.link, fingerprint="0" * 32)), records)).push


def test_too_many_deletions_at_once_are_told_and_not_remembered() -> None:
    planted = Planted([deleted() for _ in range(FEW_GONE + 1)])
    found = findings_of(planted.ours, {}, LOOK)
    assert {one.finding.mended for one in found} == {Mended.NOTHING}
    assert not any(one.after for one in found)
    sure = findings_of(planted.ours, {}, replace(LOOK, flag_many=True))
    assert {one.finding.mended for one in sure} == {Mended.FLAGGED}


def test_of_a_double_the_one_we_know_stays() -> None:
    call, records = doubled()
    found = only((call, records))
    assert found.finding.remotes[0] == call.link.remote


def test_where_only_minutes_are_kept_less_than_one_is_no_difference() -> None:
    call, (record,) = in_step()
    coarse = replace(record, seconds=0.0, started_at=NOW - timedelta(seconds=59))
    assert findings_of([call], {call.log.call_id: [coarse]}, replace(LOOK, exact_seconds=60.0)) == []
    assert only((call, [coarse])).finding.fields == ("started_at", "seconds")


def test_without_the_crm_only_what_was_never_written_is_told() -> None:
    sides = [plant() for plant in (in_step, unwritten, missing, deleted, waiting, not_wanted, just_ended)]
    found = own_side([call for call, _ in sides], LOOK)
    assert [one.finding.kind for one in found] == [K.UNWRITTEN, K.MISSING]


@given(
    st.dictionaries(
        st.text(max_size=5).filter(lambda name: name not in PLACES),
        st.one_of(st.none(), st.text(), st.floats(allow_nan=False)),
    )
)
def test_a_fingerprint_holds_a_print_of_each_field(fields: dict[str, Any]) -> None:
    call, _ = in_step()
    write = replace(MAPPING.write(call.log, call.link), fields=fields)
    prints = prints_of(fingerprint(write))
    assert prints is not None
    assert {name: prints[name] for name in fields} == {name: print_of(one) for name, one in fields.items()}
