"""Orders as Asterisk gets them, and values that may not become part of one."""

from dataclasses import replace
from typing import Any

import pytest

from cti.ami import orders
from cti.ami.actions import checked
from cti.errors import BadInput
from cti.model.campaign_rules import AmdParameter, MachineAction, MachineRules
from cti.model.ids import new_leg_channel
from tests.builders import a_call, an_agent

CALL = a_call(id="0f" * 16, ring_seconds=25.5, grace_seconds=1.8, recording="2026/11/0f")


def test_an_originate_says_all_that_the_dialplan_needs() -> None:
    assert orders.originate(CALL, caller_id="+49301", message="cti-sorry") == {
        "Action": "Originate",
        "ActionID": CALL.channel_id,
        "ChannelId": CALL.channel_id,
        "Channel": "PJSIP/+4930901820@carrier",
        "Context": "cti-customer",
        "Exten": "s",
        "Priority": "1",
        "Timeout": "25500",
        "Async": "true",
        "CallerID": "+49301",
        "Variable": [
            f"CTI_CALL={CALL.id}",
            "CTI_GRACE=1.8",
            "CTI_MESSAGE=cti-sorry",
            "CTI_RECORDING=2026/11/0f",
        ],
    }


def test_without_recording_and_caller_id_their_places_are_empty() -> None:
    action = orders.originate(a_call(recording=None), caller_id="", message="beep")
    assert "CTI_RECORDING=" in action["Variable"]
    assert "CallerID" not in action


EVIL = [
    "a,b",
    "a;b",
    "a|b",
    "${SHELL(x)}",
    "a\r\nb",
    "a b",
    "../../etc/passwd",
    "a@b",
    "a&b",
    "a/b,c",
    "王",
    "a" * 300,
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("where", ["number", "trunk", "recording", "id"])
def test_a_value_that_would_change_the_order_is_refused(where: str, evil: str) -> None:
    with pytest.raises(BadInput):
        orders.originate(a_call(**{where: evil}), caller_id="", message="beep")


@pytest.mark.parametrize("evil", [each for each in EVIL if each != "a/b,c"])
def test_a_caller_id_and_a_message_that_would_change_the_order_are_refused(evil: str) -> None:
    with pytest.raises(BadInput):
        orders.originate(CALL, caller_id=evil, message="beep")
    with pytest.raises(BadInput):
        orders.originate(CALL, caller_id="", message=evil)


@pytest.mark.parametrize("number", ["", "+", "30901820", "+49 30", "+1" * 9, "+٤٩٣٠١", "*21#"])
def test_only_digits_behind_a_plus_are_dialed(number: str) -> None:
    with pytest.raises(BadInput):
        orders.originate(a_call(number=number), caller_id="", message="beep")


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["ring_seconds", "grace_seconds"])
def test_times_without_sense_are_refused(where: str, seconds: float) -> None:
    given: dict[str, Any] = {where: seconds}
    with pytest.raises(BadInput):
        orders.originate(a_call(**given), caller_id="", message="beep")


def test_an_agents_phone_is_told_to_answer_by_itself() -> None:
    channel_id = new_leg_channel(1)
    action = orders.agent_leg(an_agent(id=1), channel_id, ring_seconds=15)
    assert (action["Channel"], action["Context"], action["ChannelId"]) == (
        "PJSIP/a001",
        "cti-agent",
        channel_id,
    )
    assert action["Variable"] == [
        "CTI_AGENT=1",
        r"PJSIP_HEADER(add,Call-Info)=<sip:waihu>\;answer-after=0",
        r"PJSIP_HEADER(add,Alert-Info)=<http://waihu>\;info=alert-autoanswer\;delay=0",
    ]


def test_a_leg_of_another_agent_is_refused() -> None:
    with pytest.raises(BadInput):
        orders.agent_leg(an_agent(id=1), new_leg_channel(2), ring_seconds=15)


@pytest.mark.parametrize(
    "channel_id", ["PJSIP/carrier-0001", "1795449632.4", "waihu-a-1-0a,x", "waihu-c-", "waihu-c-x y"]
)
def test_only_channels_of_ours_are_touched(channel_id: str) -> None:
    for order in (orders.hang_up, orders.take):
        with pytest.raises(BadInput):
            order(channel_id)
    with pytest.raises(BadInput):
        orders.bridge(CALL.channel_id, channel_id)


def test_every_order_may_leave() -> None:
    leg = new_leg_channel(1)
    for action in (
        orders.originate(CALL, caller_id="+49301", message="cti-sorry"),
        orders.agent_leg(an_agent(), leg, ring_seconds=15),
        orders.take(CALL.channel_id),
        orders.take(CALL.channel_id, taken=False),
        orders.bridge(CALL.channel_id, leg),
        orders.hang_up(leg),
    ):
        assert checked(action) is action


DETECTING = a_call(id="0f" * 16, machines="voicemail", grace_start="greeting")


def test_detection_is_ordered_by_variables() -> None:
    rules = MachineRules(
        detect=True,
        action=MachineAction.VOICEMAIL,
        voicemail="cti-voicemail",
        parameters={AmdParameter.TOTAL_ANALYSIS_TIME: 4000, AmdParameter.GREETING: 1500},
    )
    action = orders.originate(DETECTING, caller_id="", message="beep", machines=rules)
    assert action["Variable"][4:] == [
        "CTI_MACHINES=voicemail",
        "CTI_GRACE_START=greeting",
        "CTI_VOICEMAIL=cti-voicemail",
        "CTI_FAX=1",
        "CTI_AMD_GREETING=1500",
        "CTI_AMD_TOTAL_ANALYSIS_TIME=4000",
    ]


def test_a_call_that_is_not_to_be_looked_at_is_ordered_without_detection() -> None:
    action = orders.originate(CALL, caller_id="", message="beep", machines=MachineRules(detect=True))
    assert len(action["Variable"]) == 4


def test_only_a_voicemail_needs_its_sound() -> None:
    rules = MachineRules(detect=True, fax=False)
    action = orders.originate(a_call(machines="hang_up"), caller_id="", message="beep", machines=rules)
    assert action["Variable"][4:] == [
        "CTI_MACHINES=hang_up",
        "CTI_GRACE_START=connected",
        "CTI_VOICEMAIL=",
        "CTI_FAX=",
    ]


@pytest.mark.parametrize("evil", [*EVIL, ""])
def test_a_voicemail_sound_that_does_not_fit_is_refused(evil: str) -> None:
    with pytest.raises(BadInput):
        orders.originate(DETECTING, caller_id="", message="beep", machines=MachineRules(voicemail=evil))


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({"machines": "shout"}, MachineRules()),
        ({"grace_start": "never"}, MachineRules(voicemail="beep")),
        ({}, MachineRules(voicemail="beep", parameters={AmdParameter.GREETING: 0})),
        ({}, MachineRules(voicemail="beep", parameters={AmdParameter.GREETING: 60_001})),
    ],
)
def test_detection_that_asterisk_would_not_understand_is_refused(
    given: dict[str, Any], rules: MachineRules
) -> None:
    with pytest.raises(BadInput):
        orders.originate(replace(DETECTING, **given), caller_id="", message="beep", machines=rules)
