"""Calls in which the dialplan looks for machines: who answered, what that makes of the end, what records add."""

from dataclasses import replace
from typing import Any

import pytest

from cti.ami.call_state import advanced
from cti.ami.half_heard import Ended, amended
from cti.ami.outcomes import Circumstances, hung_up
from cti.ami.settling import settled, told
from cti.ami.signals import Answered, Bridged, Detected, GraceOver, HungUp, Signal, VoicemailPlayed, Waiting
from cti.model.calls import Call, CallState, EndedBy, Outcome
from cti.model.stories import Story
from tests.builders import a_call, later

CALL = a_call(machines="hang_up", grace_start="greeting", grace_seconds=2.0)
ID = CALL.channel_id
ANSWERED = Answered(channel_id=ID, at=later(5), channel="PJSIP/carrier-01")
MACHINE = Detected(channel_id=ID, at=later(7.5), by="machine", detection="MAXWORDS-3-2")
PERSON = Detected(channel_id=ID, at=later(7.5), by="person", detection="HUMAN-810-800")
WAITING = Waiting(channel_id=ID, at=later(7.5))
DROPPED = GraceOver(channel_id=ID, at=later(9.5))
JOINED = Bridged(channel_id=ID, at=later(8), peer_id="waihu-a-7-0a", peer="PJSIP/a007-01")


def after(*signals: Any, **given: Any) -> Call:
    call = replace(CALL, **given)
    for signal in signals:
        call = advanced(call, signal)
    return call


def ended(at: float, *signals: Signal, **given: Any) -> Call:
    end = HungUp(channel_id=ID, at=later(at), cause=16)
    return hung_up(after(*signals, **given), end, Circumstances())


def test_the_verdict_is_kept_with_its_time_and_words() -> None:
    call = after(ANSWERED, MACHINE)
    assert (call.state, call.answered_by, call.detected_at, call.detection) == (
        CallState.ANSWERED,
        "machine",
        later(7.5),
        "MAXWORDS-3-2",
    )
    assert call.waiting_at is None


def test_the_first_verdict_counts() -> None:
    assert after(ANSWERED, MACHINE, PERSON).answered_by == "machine"


def test_a_verdict_that_comes_before_the_answer_was_heard_tells_of_it() -> None:
    call = after(MACHINE)
    assert (call.state, call.answered_at) == (CallState.ANSWERED, later(7.5))


@pytest.mark.parametrize("by", ["machine", "fax"])
def test_a_machine_that_was_hung_up_is_a_machine(by: str) -> None:
    call = ended(7.6, ANSWERED, replace(MACHINE, by=by))
    assert (call.outcome, call.ended_by) == (Outcome.MACHINE, EndedBy.SERVICE)


def test_a_voicemail_is_told_with_its_time() -> None:
    call = ended(31, ANSWERED, MACHINE, VoicemailPlayed(channel_id=ID, at=later(30)), machines="voicemail")
    assert (call.outcome, call.voicemail_at) == (Outcome.MACHINE, later(30))


def test_a_machine_that_an_agent_took_is_connected() -> None:
    call = ended(20, ANSWERED, MACHINE, WAITING, JOINED, machines="to_agent")
    assert (call.outcome, call.answered_by) == (Outcome.CONNECTED, "machine")


def test_a_machine_that_no_agent_took_is_no_dropped_person() -> None:
    assert ended(20, ANSWERED, MACHINE, WAITING, machines="to_agent").outcome is Outcome.MACHINE


@pytest.mark.parametrize("by", ["person", "unknown"])
def test_whoever_may_be_a_person_is_dropped_when_nobody_fetches_him(by: str) -> None:
    call = ended(9.9, ANSWERED, replace(PERSON, by=by), WAITING, DROPPED)
    assert call.outcome is Outcome.DROPPED


@pytest.mark.parametrize(
    ("grace_start", "signals", "at", "outcome"),
    [
        pytest.param("greeting", (), 8.0, Outcome.GONE_EARLY, id="in the detection, which is no grace"),
        pytest.param("connected", (), 6.9, Outcome.GONE_EARLY, id="in the detection, within the grace"),
        pytest.param("connected", (), 7.2, Outcome.DROPPED, id="in the detection, after the grace"),
        pytest.param("greeting", (WAITING,), 9.0, Outcome.GONE_EARLY, id="after it, within the grace"),
        pytest.param("greeting", (WAITING,), 9.7, Outcome.DROPPED, id="after it, after the grace"),
        pytest.param("connected", (WAITING,), 7.7, Outcome.GONE_EARLY, id="in the last moment"),
        pytest.param("connected", (WAITING,), 7.9, Outcome.DROPPED, id="after the last moment"),
    ],
)
def test_who_leaves_without_a_word_of_the_dialplan_is_judged_by_when_the_grace_began(
    grace_start: str, signals: tuple[Signal, ...], at: float, outcome: Outcome
) -> None:
    assert ended(at, ANSWERED, *signals, grace_start=grace_start).outcome is outcome


def a_story(**given: Any) -> Story:
    values: dict[str, Any] = {
        "node": "pbx",
        "channel_id": ID,
        "started_at": later(0.1),
        "answered_at": later(5),
        "answered_by": "machine",
        "detected_at": later(7.5),
        "detection": "MAXWORDS-3-2",
        "voicemail_at": later(30),
        "ended_at": later(30.1),
        "cause": 16,
    }
    return Story(**values | given)


def test_a_service_that_was_dead_learns_the_verdict_from_the_records() -> None:
    call = settled(
        CALL, a_story(), restarted=False, now=later(60), leg_of=lambda _: None, seen=Circumstances()
    )
    assert (call.outcome, call.answered_by, call.detected_at, call.voicemail_at, call.ended_at) == (
        Outcome.MACHINE,
        "machine",
        later(7.5),
        later(30),
        later(30.1),
    )


def test_records_never_take_back_what_was_heard() -> None:
    heard = after(ANSWERED, PERSON)
    call = told(heard, a_story(voicemail_at=None), lambda _: None)
    assert (call.answered_by, call.detection, call.voicemail_at) == ("person", "HUMAN-810-800", None)


def test_an_end_that_was_half_heard_is_corrected_by_the_verdict_in_the_records() -> None:
    heard = ended(30.1, ANSWERED)
    assert heard.outcome is Outcome.GONE_EARLY
    call = amended(Ended(before=CALL, heard=heard), a_story(), lambda _: None)
    assert (call.outcome, call.answered_by, call.voicemail_at) == (Outcome.MACHINE, "machine", later(30))


def test_a_verdict_only_heard_stays_when_the_records_have_none() -> None:
    bare = a_story(answered_by=None, detected_at=None, detection=None, voicemail_at=None)
    heard = ended(7.6, ANSWERED, MACHINE)
    call = amended(Ended(before=CALL, heard=heard), bare, lambda _: None)
    assert (call.outcome, call.answered_by) == (Outcome.MACHINE, "machine")
