"""What an action on many does to one contact, and why it leaves another as he is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.bulk_desk import NEEDS
from cti.contacts.bulk_plans import judged, placed, taken_back
from cti.contacts.changes import Change, Subject, change_of, change_record
from cti.model.bulk import BulkKind, WhyNot
from cti.model.contacts import EntryState
from tests.builders import NOW, later
from tests.unit.contacts.test_edits import a_subject, an_entry

DONE, DIALING, WAITING = EntryState.DONE, EntryState.DIALING, EntryState.WAITING
HIM: dict[str, Any] = {"stopped_at": None, "owner_agent_id": None}


@pytest.mark.parametrize(
    ("kind", "argument", "subject", "why"),
    [
        (BulkKind.TAG, {"tag": "vip"}, a_subject(), WhyNot.ALREADY),
        (BulkKind.UNTAG, {"tag": "b"}, a_subject(), WhyNot.ALREADY),
        (BulkKind.STAGE, {"stage": "won"}, a_subject(stage="won"), WhyNot.ALREADY),
        (BulkKind.STOP, {}, a_subject(stopped_at=NOW), WhyNot.ALREADY),
        (BulkKind.REOPEN, {}, a_subject(**HIM), WhyNot.ALREADY),
        (BulkKind.REOPEN, {}, a_subject(an_entry(state=DIALING), **HIM), WhyNot.DIALING),
        (BulkKind.REOPEN, {}, a_subject(an_entry(state=DONE, reason="import_undone"), **HIM), WhyNot.ALREADY),
        (BulkKind.PRIORITY, {"priority": 0}, a_subject(), WhyNot.ALREADY),
        (BulkKind.PRIORITY, {"priority": 1}, a_subject(an_entry(state=DIALING)), WhyNot.DIALING),
        (BulkKind.PRIORITY, {"priority": 1, "list": 9}, a_subject(), WhyNot.NO_ENTRY),
        (BulkKind.MOVE, {"list": 1, "campaign": 1}, a_subject(), WhyNot.ALREADY),
        (BulkKind.MOVE, {"list": 2, "campaign": 1}, a_subject(an_entry(state=DONE)), WhyNot.NO_ENTRY),
        (BulkKind.MOVE, {"list": 2, "campaign": 1}, a_subject(an_entry(state=DIALING)), WhyNot.DIALING),
        (
            BulkKind.MOVE,
            {"list": 2, "campaign": 1},
            a_subject(an_entry(), an_entry(id=6, list_id=3)),
            WhyNot.SEVERAL_ENTRIES,
        ),
        (
            BulkKind.MOVE,
            {"list": 2, "campaign": 7, "from": 1, "order": "oldest"},
            a_subject(an_entry(), an_entry(id=6, list_id=3, campaign_id=7)),
            WhyNot.IN_CAMPAIGN,
        ),
    ],
)
def test_a_contact_is_left_as_he_is_for_a_reason(
    kind: BulkKind, argument: dict[str, Any], subject: Subject, why: WhyNot
) -> None:
    assert judged(kind, subject, argument, NOW) == why


def test_a_stop_ends_what_waits_and_leaves_a_call_that_is_up() -> None:
    subject = a_subject(
        an_entry(), an_entry(id=6, state=DIALING), an_entry(id=7, state=DONE), stopped_at=None
    )
    change = judged(BulkKind.STOP, subject, {}, NOW)
    assert isinstance(change, Change)
    assert change.contact == {"stopped_at": (None, NOW)}
    assert list(change.entries) == [5]
    assert change.entries[5]["reason"] == (None, "stopped")


def test_a_move_to_another_campaign_takes_the_rank_of_its_order() -> None:
    argument = {"list": 2, "campaign": 7, "order": "score"}
    change = judged(BulkKind.MOVE, a_subject(score=4.0), argument, NOW)
    assert isinstance(change, Change)
    assert change.entries[5] == {"list_id": (1, 2), "campaign_id": (1, 7), "rank": (5.0, -4.0)}


def test_a_new_entry_has_its_rank_once_it_has_its_id() -> None:
    change = Change(entry_added={"list_id": 1, "order": "newest", "score": None})
    assert placed(change, 12).entry_added == {"id": 12, "list_id": 1, "rank": -12.0}


@given(
    st.sampled_from(sorted(set(NEEDS) - {BulkKind.ASSIGN})),
    st.lists(
        st.tuples(st.sampled_from(list(EntryState)), st.sampled_from([None, "stopped", "given_up"])),
        max_size=4,
    ),
    st.sampled_from([None, NOW]),
)
def test_whatever_is_done_can_be_taken_back_as_it_was_written_down(
    kind: BulkKind, places: list[tuple[EntryState, str | None]], stopped: Any
) -> None:
    entries = [
        an_entry(id=n, list_id=n, state=state, reason=reason, due_at=later(n))
        for n, (state, reason) in enumerate(places, 1)
    ]
    subject = Subject(
        id=1, facts=dict(a_subject(stopped_at=stopped).facts), entries=tuple(entries), tags=frozenset({"vip"})
    )
    argument = {"tag": "b", "stage": "won", "priority": 3, "list": 99, "campaign": 1}
    change = judged(kind, subject, argument, later(9))
    if isinstance(change, Change):
        assert change_of(change_record(change)) == change
        after = _carried_out(subject, change)
        back = taken_back(after, change)
        assert isinstance(back, Change)
        assert _carried_out(after, back) == subject


def _carried_out(subject: Subject, change: Change) -> Subject:
    from dataclasses import replace

    return replace(
        subject,
        facts={**subject.facts, **{name: after for name, (_, after) in change.contact.items()}},
        entries=tuple(
            replace(one, **{name: after for name, (_, after) in change.entries.get(one.id, {}).items()})
            for one in subject.entries
        ),
        tags=(subject.tags | set(change.tags_added)) - set(change.tags_removed),
    )
