"""Our calls beside Asterisk's own records."""

from dataclasses import replace
from typing import Any

import pytest

from cti.model.calls import Call, CallState, EndReason, Join, Outcome
from cti.model.stories import Stay, Story
from cti.reports.reconcile import differences, unknown_channels
from tests.builders import a_call, later

CALL = a_call(
    state=CallState.ENDED,
    channel="PJSIP/carrier-00000001",
    answered_at=later(5),
    connected_at=later(5.1),
    ended_at=later(20),
    joins=(Join(agent_id=1, channel_id="waihu-a-1-0a", joined_at=later(5.1), left_at=later(20)),),
    outcome=Outcome.CONNECTED,
    end_reason=EndReason.HUNG_UP,
    cause=16,
)
STORY = Story(
    node="pbx",
    channel_id=CALL.channel_id,
    channel="PJSIP/carrier-00000001",
    started_at=later(0.1),
    answered_at=later(5),
    stays=(Stay(peer="PJSIP/a001-00000000", entered_at=later(5.1), left_at=later(19.99)),),
    ended_at=later(20.001),
    cause=16,
)


def subjects(call: Call, story: Story | None) -> list[str]:
    stories = {story.channel_id: story} if story else {}
    return [found.subject for found in differences([call], stories)]


def test_a_call_that_both_saw_alike_has_no_difference() -> None:
    assert differences([CALL], {STORY.channel_id: STORY}) == []


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"answered_at": later(6.01)}, "answered_at"),
        ({"answered_at": None}, "answered_at"),
        ({"ended_at": later(18.9)}, "ended_at"),
        ({"ended_at": None}, "ended_at"),
        ({"dropped_at": later(7)}, "dropped_at"),
        ({"cause": 17}, "cause"),
        ({"cause": None}, "cause"),
        ({"stays": ()}, "joins"),
        ({"stays": (replace(STORY.stays[0], entered_at=later(7)),)}, "join_1_joined_at"),
        ({"stays": (replace(STORY.stays[0], left_at=later(7)),)}, "join_1_left_at"),
        ({"stays": (replace(STORY.stays[0], left_at=None),)}, "join_1_left_at"),
    ],
)
def test_a_fact_that_differs_is_named(change: dict[str, Any], subject: str) -> None:
    assert subjects(CALL, replace(STORY, **change)) == [subject]


def test_the_sentence_names_the_call_and_both_values() -> None:
    [found] = differences([CALL], {STORY.channel_id: replace(STORY, cause=17)})
    assert found.message == f"the call {CALL.id}: cause is 16 here and 17 on pbx"
    assert (found.call_id, found.ours, found.theirs) == (CALL.id, "16", "17")


def test_up_to_a_second_is_no_difference() -> None:
    assert subjects(CALL, replace(STORY, answered_at=later(6), ended_at=later(19))) == []


def test_a_call_that_has_not_ended_is_left_out() -> None:
    assert subjects(a_call(state=CallState.ANSWERED, answered_at=later(5)), None) == []


def test_a_call_without_a_record_is_named() -> None:
    assert subjects(CALL, None) == ["no_record"]


@pytest.mark.parametrize("reason", [EndReason.NOT_SENT, EndReason.NO_TRACE, EndReason.REFUSED])
def test_a_call_that_never_had_a_channel_needs_no_record(reason: EndReason) -> None:
    call = a_call(state=CallState.ENDED, end_reason=reason, outcome=Outcome.FAILED, ended_at=later(1))
    assert subjects(call, None) == []


def test_a_call_said_never_to_have_left_that_has_a_record_is_named() -> None:
    call = a_call(
        id=CALL.id,
        state=CallState.ENDED,
        end_reason=EndReason.NOT_SENT,
        outcome=Outcome.FAILED,
        ended_at=later(1),
    )
    assert "answered_at" in subjects(call, STORY)


def test_an_asterisk_that_died_could_write_no_end() -> None:
    call = replace(CALL, end_reason=EndReason.NODE_LOST, cause=None, outcome=Outcome.CONNECTED)
    broken_off = replace(STORY, ended_at=None, cause=None, stays=(replace(STORY.stays[0], left_at=None),))
    assert subjects(call, broken_off) == []
    assert subjects(call, STORY) == ["cause"]


def test_a_customer_s_channel_that_nobody_here_knows_is_named() -> None:
    [found] = unknown_channels([STORY], frozenset())
    assert (found.subject, found.channel_id, found.call_id) == ("unknown_channel", STORY.channel_id, None)


def test_known_calls_and_agents_legs_are_no_unknown_channels() -> None:
    leg = replace(STORY, channel_id="waihu-a-1-0a")
    assert unknown_channels([STORY, leg], frozenset({CALL.id})) == []
