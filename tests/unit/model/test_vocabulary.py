"""What is told to the outside."""

import json
from dataclasses import replace
from typing import get_args

import pytest

from cti.model.agents import AgentChange, AgentState
from cti.model.call_record import CALL_FIELDS, call_record
from cti.model.callbacks import Callback
from cti.model.calls import Call, CallState, EndReason, Join, Outcome
from cti.model.events import (
    AgentMoved,
    CallbackMoved,
    CallFlagged,
    CallMoved,
    CampaignMoved,
    ContactAdded,
    ContactMoved,
    DispositionSet,
    Event,
    LegGone,
    LegUp,
    MaterialRequested,
    NodeLost,
    NodeUp,
    PhoneMoved,
    PreviewEnded,
    PreviewOffered,
    RecordingMissing,
    RecordingPaused,
    RecordingReady,
    RecordingResumed,
    RecordingStopped,
    ScoreFatal,
    ScreenPop,
    TranscriptionDead,
    TranscriptReady,
    WebhookMoved,
)
from cti.model.keyword_rules import Hit, RuleKind, RuleVerdict, Severity
from cti.model.pops import ContactCard, PopMoment
from cti.model.queries import CallRow, RecordingFacts
from cti.model.spreadsheet import csv_text
from cti.model.transcripts import Speaker
from cti.model.vocabulary import MEANINGS, RESERVED, EventType, Told, told
from tests.builders import NOW, a_call, a_candidate, an_agent, later


def a_contact_moved(before: int | None, after: int | None, kind: str) -> ContactMoved:
    return ContactMoved(contact_id=7, before=before, after=after, kind=kind, reason="", by="lead", at=NOW)


A_CALLBACK = Callback(
    id=3,
    contact_id=7,
    campaign_id=1,
    entry_id=9,
    due_at=later(60),
    zone="Europe/Berlin",
    created_at=NOW,
    changed_at=NOW,
)

A_VERDICT = RuleVerdict(
    code="promise",
    version=2,
    kind=RuleKind.MUST_NOT_SAY,
    severity=Severity.ALERT,
    broken=True,
    hits=(Hit(phrase="sure", words="Sure", speaker=Speaker.AGENT, start=1.0, end=2.0),),
    count=1,
)

EVENTS: list[tuple[Event, EventType | None]] = [
    (
        DispositionSet(call_id="1", agent_id=1, disposition="sold", note="n", at=NOW),
        EventType.CALL_DISPOSITION_SET,
    ),
    (
        RecordingReady(call_id="1", path="a/b.wav", seconds=1.5, size_bytes=9, at=NOW),
        EventType.RECORDING_READY,
    ),
    (RecordingMissing(call_id="1", reason="empty", at=NOW), EventType.RECORDING_MISSING),
    (
        TranscriptReady(call_id="1", version=2, model="small-en-us", language="en", at=NOW),
        EventType.TRANSCRIPT_READY,
    ),
    (TranscriptionDead(call_id="1", reason="mono", at=NOW), EventType.TRANSCRIPTION_DEAD),
    (RecordingPaused(call_id="1", paused=True, by="anna", at=NOW), EventType.RECORDING_PAUSED),
    (RecordingStopped(node="", reason="full", at=NOW), EventType.RECORDING_STOPPED),
    (RecordingResumed(node="", at=NOW), EventType.RECORDING_RESUMED),
    (CampaignMoved(campaign_id=1, name="a", state="running", at=NOW), EventType.CAMPAIGN_STATE_CHANGED),
    (a_contact_moved(None, 1, "claimed"), EventType.CONTACT_CLAIMED),
    (a_contact_moved(None, 1, "won"), EventType.CONTACT_ASSIGNED),
    (a_contact_moved(1, 2, "transferred"), EventType.CONTACT_ASSIGNED),
    (a_contact_moved(1, None, "expired"), EventType.CONTACT_RETURNED),
    *(
        (CallbackMoved(what=kind.removeprefix("callback."), callback=A_CALLBACK, at=NOW), kind)
        for kind in (
            EventType.CALLBACK_REMINDER,
            EventType.CALLBACK_DUE,
            EventType.CALLBACK_RELEASED,
            EventType.CALLBACK_MISSED,
        )
    ),
    (NodeUp(node="pbx", version="22", restarted=False, at=NOW), EventType.NODE_CONNECTED),
    (NodeLost(node="pbx", reason="gone", at=NOW), EventType.NODE_LOST),
    (
        AgentMoved(
            change=AgentChange(agent_id=1, at=NOW, before=AgentState.READY, after=AgentState.PAUSED),
            agent=an_agent(),
        ),
        EventType.AGENT_STATE_CHANGED,
    ),
    (
        PreviewOffered(agent_id=1, campaign_id=1, candidate=a_candidate(), until=None, at=NOW),
        EventType.PREVIEW_OFFERED,
    ),
    (
        PreviewEnded(agent_id=1, campaign_id=1, contact_id=1, reason="dialed", at=NOW),
        EventType.PREVIEW_ENDED,
    ),
    (
        CallFlagged(
            call_id="1", agent_id=1, campaign_id=1, rule="promise", title="t", verdict=A_VERDICT, at=NOW
        ),
        EventType.QUALITY_FLAGGED,
    ),
    (
        ScoreFatal(review_id=1, call_id="1", agent_id=1, campaign_id=1, card="sales", fatal=("law",), at=NOW),
        EventType.QUALITY_FATAL,
    ),
    (
        ScreenPop(
            call_id="1",
            agent_id=1,
            campaign_id=1,
            moment=PopMoment.RING,
            number="+4930901820",
            crm_ref="lead/1",
            contact=ContactCard(contact_id=1, name="A", crm_deal="deal/7", fields={"city": "Berlin"}),
            matches=(),
            more_matches=False,
            url=None,
            until=later(10),
            at=NOW,
        ),
        EventType.CALL_SCREEN_POP,
    ),
    (
        MaterialRequested(
            call_id="1",
            contact_id=1,
            campaign_id=1,
            agent_id=1,
            disposition="sold",
            template="welcome",
            channel="email",
            number="+4930901820",
            crm_ref="lead/1",
            at=NOW,
        ),
        EventType.MATERIAL_REQUESTED,
    ),
    (
        WebhookMoved(webhook_id=1, name="crm", state="off", reason="410", at=NOW),
        EventType.WEBHOOK_STATE_CHANGED,
    ),
    (LegUp(channel_id="c", channel="n", node="pbx", at=NOW), None),
    (LegGone(channel_id="c", node="pbx", cause=16, cause_text=None, at=NOW), None),
    (PhoneMoved(node="pbx", endpoint="a", reachable=False, at=NOW), None),
    (ContactAdded(campaign_id=1, entry_id=1, at=NOW), None),
    *(
        (CallMoved(before=CallState.PLACING, call=a_call(state=state), at=NOW), kind)
        for state, kind in (
            (CallState.PLACING, None),
            (CallState.DIALING, EventType.CALL_STARTED),
            (CallState.RINGING, EventType.CALL_RINGING),
            (CallState.ANSWERED, EventType.CALL_ANSWERED),
            (CallState.CONNECTED, EventType.CALL_CONNECTED),
            (CallState.ENDED, EventType.CALL_ENDED),
        )
    ),
]


def envelope(event: Event) -> Told:
    known = told(event)
    assert known is not None
    return known


@pytest.mark.parametrize(("event", "kind"), EVENTS)
def test_every_event_has_its_word_or_none(event: Event, kind: EventType | None) -> None:
    known = told(event)
    assert (known.type if known else None) == kind


def test_every_event_and_every_word_stands_in_the_list_above() -> None:
    assert {type(event) for event, _ in EVENTS} == set(get_args(Event))
    assert {kind for _, kind in EVENTS if kind} == set(EventType)


@pytest.mark.parametrize("event", [event for event, kind in EVENTS if kind])
def test_an_envelope_is_json_and_begins_alike(event: Event) -> None:
    sent = json.loads(json.dumps(envelope(event).envelope()))
    assert list(sent)[:4] == ["v", "id", "type", "at"]
    assert (sent["v"], len(sent["id"]), sent["at"]) == (1, 32, "2026-11-23T09:00:00.000000Z")


def test_one_event_has_one_id_whatever_the_way_it_is_told() -> None:
    for event, kind in EVENTS:
        if kind:
            assert envelope(event).id == envelope(replace(event)).id


def test_other_events_have_other_ids() -> None:
    call = a_call(state=CallState.RINGING)
    events: list[Event] = [
        CallMoved(before=CallState.DIALING, call=call, at=NOW),
        CallMoved(before=CallState.DIALING, call=call, at=later(1)),
        CallMoved(before=CallState.RINGING, call=replace(call, state=CallState.ANSWERED), at=NOW),
        CallMoved(before=CallState.DIALING, call=replace(call, id="f" * 32), at=NOW),
        NodeLost(node="pbx", reason="gone", at=NOW),
        NodeLost(node="other", reason="gone", at=NOW),
    ]
    assert len({envelope(event).id for event in events}) == len(events)


def test_a_new_fact_at_the_same_state_is_not_told() -> None:
    call = a_call(state=CallState.ANSWERED, waiting_at=NOW)
    assert told(CallMoved(before=CallState.ANSWERED, call=call, at=NOW)) is None


def test_every_word_has_a_meaning_and_none_is_reserved() -> None:
    assert set(MEANINGS) == set(EventType)
    assert not RESERVED & {kind.value for kind in EventType}


def a_row() -> CallRow:
    call = a_call(
        state=CallState.ENDED,
        answered_at=later(1),
        connected_at=later(1.25),
        ended_at=later(10),
        joins=(
            Join(agent_id=1, channel_id="a", joined_at=later(1.25), left_at=later(4)),
            Join(agent_id=2, channel_id="b", joined_at=later(5)),
        ),
        outcome=Outcome.CONNECTED,
        end_reason=EndReason.HUNG_UP,
    )
    return CallRow(
        call=call, contact_name="王|芳", recording=RecordingFacts(path="a.wav", seconds=9.0, size_bytes=1)
    )


def test_a_record_says_all_that_is_known_of_a_call() -> None:
    record = call_record(a_row())
    assert (record["contact"], record["outcome"], record["end_reason"]) == ("王|芳", "connected", "hung_up")
    assert (record["wait_seconds"], record["talk_seconds"], record["total_seconds"]) == (0.25, 7.75, 10.0)
    assert record["recording_path"] == "a.wav"
    assert record["joins"][1] == {
        "agent_id": 2,
        "channel_id": "b",
        "joined_at": "2026-11-23T09:00:05.000000Z",
        "left_at": None,
    }


def test_a_record_leaves_no_fact_of_a_call_out() -> None:
    told_elsewhere = {"recording"}  # the name at the node; what became of it has its own fields
    assert set(Call.__dataclass_fields__) - told_elsewhere <= {field.name for field in CALL_FIELDS}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("+cmd", "'+cmd"),
        ("-cmd", "'-cmd"),
        ("\tx", "'\tx"),
        ("+493023125001", "+493023125001"),
        ("-5", "-5"),
        (-5, "-5"),
        (None, ""),
        (True, "true"),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ("x=1", "x=1"),
        ([{"a": 1}], '"[{""a"": 1}]"'),
    ],
)
def test_csv_is_safe_to_open_in_a_spreadsheet(value: object, written: str) -> None:
    assert csv_text(["a", "b"], [[value, 1]]) == f"a,b\r\n{written},1\r\n"


def test_two_rules_that_one_call_broke_are_two_events() -> None:
    one = CallFlagged(call_id="1", agent_id=1, campaign_id=1, rule="a", title="", verdict=A_VERDICT, at=NOW)
    assert envelope(one).id != envelope(replace(one, rule="b")).id
    assert envelope(one).about["verdict"]["hits"][0]["start"] == 1.0
