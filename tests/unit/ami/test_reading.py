"""What Asterisk's messages mean. Headers as Asterisk 18 to 22 write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami.message import Message, parse
from cti.ami.reading import endpoint_contact, signal_of
from cti.ami.signals import (
    Answered,
    BridgeEntered,
    ContactSeen,
    Created,
    Detected,
    GraceOver,
    HangUpAsked,
    HungUp,
    MessagePlayed,
    OriginateFailed,
    Ringing,
    VoicemailPlayed,
    Waiting,
)
from tests.builders import NOW

CUSTOMER = "waihu-c-0123"
ABOUT = {"Uniqueid": CUSTOMER}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            {"Event": "Newchannel", "Channel": "PJSIP/carrier-01", **ABOUT},
            Created(channel_id=CUSTOMER, at=NOW, channel="PJSIP/carrier-01"),
            id="a channel was made",
        ),
        pytest.param(
            {"Event": "Newstate", "ChannelState": "5", **ABOUT},
            Ringing(channel_id=CUSTOMER, at=NOW),
            id="rings",
        ),
        pytest.param(
            {"Event": "DialState", "DestUniqueid": CUSTOMER, "DialStatus": "PROGRESS"},
            Ringing(channel_id=CUSTOMER, at=NOW),
            id="early media counts as ringing",
        ),
        pytest.param(
            {"Event": "Newstate", "ChannelState": "6", **ABOUT},
            Answered(channel_id=CUSTOMER, at=NOW),
            id="answered",
        ),
        pytest.param(
            {"Event": "DialEnd", "DestUniqueid": CUSTOMER, "DialStatus": "ANSWER", "DestChannel": "X"},
            Answered(channel_id=CUSTOMER, at=NOW, channel="X"),
            id="answered, by the dial's end",
        ),
        pytest.param(
            {"Event": "OriginateResponse", "Response": "Success", "Channel": "X", **ABOUT},
            Answered(channel_id=CUSTOMER, at=NOW, channel="X"),
            id="answered, by the order's end",
        ),
        pytest.param(
            {"Event": "OriginateResponse", "Response": "Failure", "Reason": "3", **ABOUT},
            OriginateFailed(channel_id=CUSTOMER, at=NOW, reason=3),
            id="rang too long",
        ),
        pytest.param(
            {"Event": "OriginateResponse", "Response": "Failure", "Uniqueid": "<null>", "ActionID": CUSTOMER},
            OriginateFailed(channel_id=CUSTOMER, at=NOW, reason=None),
            id="no channel: known by the order's own id",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiWaiting", **ABOUT},
            Waiting(channel_id=CUSTOMER, at=NOW),
            id="waits",
        ),
        pytest.param(
            {
                "Event": "UserEvent",
                "UserEvent": "CtiDetected",
                "By": "machine",
                "Cause": "MAXWORDS-3-2",
                **ABOUT,
            },
            Detected(channel_id=CUSTOMER, at=NOW, by="machine", detection="MAXWORDS-3-2"),
            id="a machine, it says",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiDetected", "By": "alien", "Cause": "", **ABOUT},
            Detected(channel_id=CUSTOMER, at=NOW, by="unknown"),
            id="a word nobody knows says nothing",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiVoicemail", "Status": "SUCCESS", **ABOUT},
            VoicemailPlayed(channel_id=CUSTOMER, at=NOW),
            id="the voicemail was left",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiVoicemail", "Status": "FAILED", **ABOUT},
            None,
            id="the voicemail could not be played",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiDropped", **ABOUT},
            GraceOver(channel_id=CUSTOMER, at=NOW),
            id="the grace is over",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiMessage", "Status": "SUCCESS", **ABOUT},
            MessagePlayed(channel_id=CUSTOMER, at=NOW),
            id="the message was played",
        ),
        pytest.param(
            {"Event": "UserEvent", "UserEvent": "CtiMessage", "Status": "FAILED", **ABOUT},
            None,
            id="it was not played",
        ),
        pytest.param(
            {"Event": "HangupRequest", **ABOUT},
            HangUpAsked(channel_id=CUSTOMER, at=NOW, far_end=True),
            id="his BYE",
        ),
        pytest.param(
            {"Event": "SoftHangupRequest", **ABOUT},
            HangUpAsked(channel_id=CUSTOMER, at=NOW, far_end=False),
            id="a program's wish",
        ),
        pytest.param(
            {"Event": "Hangup", "Cause": "17", "Cause-txt": "User busy", "TechCause": "486", **ABOUT},
            HungUp(channel_id=CUSTOMER, at=NOW, cause=17, cause_text="User busy", sip_code=486),
            id="ended, with the SIP code of Asterisk 22.7 and newer",
        ),
        pytest.param(
            {"Event": "Hangup", "Cause": "0", "Cause-txt": "Unknown", **ABOUT},
            HungUp(channel_id=CUSTOMER, at=NOW, cause=0, cause_text="Unknown", sip_code=None),
            id="ended, in Asterisk 18",
        ),
        pytest.param(
            {"Event": "Hangup", "Cause": "many", **ABOUT},
            HungUp(channel_id=CUSTOMER, at=NOW),
            id="ended, with a cause nobody can read",
        ),
        pytest.param(
            {"Event": "BridgeEnter", "BridgeUniqueid": "b", "BridgeTechnology": "holding_bridge", **ABOUT},
            None,
            id="a holding bridge joins nobody",
        ),
        pytest.param(
            {"Event": "BridgeEnter", "BridgeUniqueid": "b", "Uniqueid": "17.4", "Channel": "X"},
            BridgeEntered(channel_id="17.4", at=NOW, channel="X", bridge_id="b"),
            id="others in bridges count: a customer may talk with them",
        ),
        pytest.param(
            {"Event": "ContactStatus", "ContactStatus": "NonQualified", "EndpointName": "a1", "URI": "sip:a"},
            ContactSeen(endpoint="a1", uri="sip:a", reachable=True, at=NOW),
            id="a phone registered",
        ),
        pytest.param(
            {"Event": "ContactStatus", "ContactStatus": "Removed", "EndpointName": "a1", "URI": "sip:a"},
            ContactSeen(endpoint="a1", uri="sip:a", reachable=False, at=NOW),
            id="a phone is gone",
        ),
        pytest.param(
            {"Event": "ContactStatus", "ContactStatus": "Updated", "EndpointName": "a1"},
            None,
            id="nothing new",
        ),
        pytest.param({"Event": "Newchannel", "Uniqueid": "1795449632.7"}, None, id="somebody else's channel"),
        pytest.param({"Event": "Hangup", "Uniqueid": "1795449632.7"}, None, id="somebody else's hang-up"),
        pytest.param({"Event": "FullyBooted"}, None, id="of no interest"),
        pytest.param({"Response": "Success"}, None, id="no event"),
    ],
)
def test_a_message_means(headers: dict[str, str], expected: object) -> None:
    assert signal_of(Message.of(headers), NOW) == expected


def test_asterisks_own_time_counts_where_it_is_told() -> None:
    message = Message.of(
        {"Event": "Newstate", "ChannelState": "5", "Timestamp": "1795449632.586588", **ABOUT}
    )
    signal = signal_of(message, NOW)
    assert isinstance(signal, Ringing)
    assert signal.at == datetime.fromtimestamp(1795449632.586588, UTC)


@pytest.mark.parametrize(
    ("status", "reachable"),
    [("Reachable", True), ("NonQualified", True), ("Unknown", True), ("Unreachable", False)],
)
def test_a_registration_that_is_shown_counts_until_it_is_known_not_to_answer(
    status: str, reachable: bool
) -> None:
    row = Message.of({"Event": "ContactList", "Endpoint": "a1", "Uri": "sip:a", "Status": status})
    assert endpoint_contact(row, NOW) == ContactSeen(endpoint="a1", uri="sip:a", reachable=reachable, at=NOW)


@pytest.mark.parametrize("stamp", ["", "soon", "nan", "inf", "1e30", "-1e30"])
def test_a_time_nobody_can_read_is_the_time_of_reading(stamp: str) -> None:
    signal = signal_of(Message.of({"Event": "Hangup", "Timestamp": stamp, **ABOUT}), NOW)
    assert isinstance(signal, HungUp)
    assert signal.at == NOW


NAMES = st.sampled_from(
    [
        "Event",
        "Uniqueid",
        "DestUniqueid",
        "ChannelState",
        "DialStatus",
        "Cause",
        "TechCause",
        "Timestamp",
        "Response",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        ["Newchannel", "Newstate", "Hangup", "UserEvent", "BridgeEnter", "OriginateResponse", CUSTOMER, "6"]
    ),
    st.text(max_size=20),
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_no_message_whatever_is_in_it_raises(headers: list[tuple[str, str]]) -> None:
    message = parse("\r\n".join(f"{name}: {value}" for name, value in headers))
    if message is not None:
        signal_of(message, NOW)


@given(st.text())
def test_no_text_whatever_is_in_it_raises(text: str) -> None:
    message = parse(text)
    if message is not None:
        signal_of(message, NOW)
