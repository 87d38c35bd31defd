"""Orders of the dialer, and what becomes of them."""

import pytest

from cti.ami.call_tracker import CallTracker
from cti.ami.lines import AmiLines
from cti.ami.signals import Answered, HangUpAsked, HungUp
from cti.dialer.exchange_ports import Lines, OpenCalls
from cti.errors import NodeDown, NodeRefused, NodeSilent
from cti.model.calls import EndedBy
from cti.model.events import CallMoved
from cti.model.ids import new_leg_channel
from tests.builders import a_call, an_agent, later
from tests.fakes.ami_client import FakeAmiClient, refusal


@pytest.fixture
def client() -> FakeAmiClient:
    return FakeAmiClient("pbx")


@pytest.fixture
def lines(client: FakeAmiClient) -> AmiLines:
    return AmiLines(clients={"pbx": client}, tracker=CallTracker())


def test_the_dialers_ports_are_met() -> None:
    lines: Lines = AmiLines(clients={}, tracker=CallTracker())
    calls: OpenCalls = CallTracker()
    assert not lines.connected("pbx")
    assert calls.open_calls() == []


async def test_a_join_marks_the_customer_and_bridges_him_in_one_go(
    lines: AmiLines, client: FakeAmiClient
) -> None:
    call, agent = a_call(), an_agent()
    await lines.join(call, agent)
    assert client.sent == [
        {"Action": "Setvar", "Channel": call.channel_id, "Variable": "CTI_TAKEN", "Value": "1"},
        {"Action": "Bridge", "Channel1": call.channel_id, "Channel2": agent.channel_id, "Tone": "no"},
    ]


async def test_a_join_that_is_refused_takes_the_mark_back(lines: AmiLines, client: FakeAmiClient) -> None:
    client.answers["Bridge"] = lambda action: refusal("Channel2 does not exist")
    with pytest.raises(NodeRefused, match="Channel2 does not exist"):
        await lines.join(a_call(), an_agent())
    assert [(action["Action"], action.get("Value")) for action in client.sent] == [
        ("Setvar", "1"),
        ("Bridge", None),
        ("Setvar", ""),
    ]


async def test_a_join_without_a_leg_is_refused_before_it_leaves(
    lines: AmiLines, client: FakeAmiClient
) -> None:
    with pytest.raises(NodeRefused):
        await lines.join(a_call(), an_agent(channel_id=None))
    with pytest.raises(NodeRefused):
        await lines.join(a_call(), an_agent(node="another"))
    assert client.sent == []


async def test_hanging_up_what_is_gone_is_no_error(lines: AmiLines, client: FakeAmiClient) -> None:
    await lines.hang_up(node="pbx", channel_id=a_call().channel_id)
    client.answers["Hangup"] = lambda action: refusal("Permission denied")
    with pytest.raises(NodeRefused, match="Permission denied"):
        await lines.hang_up(node="pbx", channel_id=a_call().channel_id)


async def test_a_value_that_does_not_fit_is_a_refusal_and_nothing_leaves(
    lines: AmiLines, client: FakeAmiClient
) -> None:
    with pytest.raises(NodeRefused, match="not sent"):
        await lines.place(a_call(number="+49 30"), caller_id="", message="beep")
    with pytest.raises(NodeRefused, match="not sent"):
        await lines.call_phone(an_agent(endpoint="a,b"), new_leg_channel(1))
    assert client.sent == []


async def test_what_asterisk_refuses_and_what_never_left_is_told_apart(
    lines: AmiLines, client: FakeAmiClient
) -> None:
    client.answers["Originate"] = lambda action: refusal("Extension does not exist.")
    with pytest.raises(NodeRefused, match="Extension does not exist"):
        await lines.place(a_call(), caller_id="", message="beep")
    client.answers["Originate"] = lambda action: NodeSilent("no answer")
    with pytest.raises(NodeSilent):
        await lines.place(a_call(), caller_id="", message="beep")
    client.lose()
    assert not lines.connected("pbx")
    with pytest.raises(NodeDown):
        await lines.place(a_call(), caller_id="", message="beep")
    with pytest.raises(NodeDown):
        await lines.place(a_call(node="unknown"), caller_id="", message="beep")


async def test_a_hang_up_that_never_left_is_not_taken_for_ours(client: FakeAmiClient) -> None:
    call, tracker = a_call(), CallTracker()
    tracker.place(call)
    lines = AmiLines(clients={"pbx": client}, tracker=tracker)
    client.lose()
    with pytest.raises(NodeDown):
        await lines.hang_up(node="pbx", channel_id=call.channel_id)
    tracker.apply(Answered(channel_id=call.channel_id, at=later(3)), "pbx")
    tracker.apply(HangUpAsked(channel_id=call.channel_id, at=later(4), far_end=True), "pbx")
    [moved] = tracker.apply(HungUp(channel_id=call.channel_id, at=later(4), cause=16), "pbx")
    assert isinstance(moved, CallMoved)
    assert moved.call.ended_by is EndedBy.CUSTOMER


async def test_a_recording_is_muted_on_both_channels_and_sounds_again(
    lines: AmiLines, client: FakeAmiClient
) -> None:
    call = a_call()
    for muted in (True, False):
        await lines.mute_recording(call, muted=muted)
    mute = {"Action": "MixMonitorMute", "Channel": call.channel_id, "Direction": "both"}
    assert client.sent == [mute | {"State": "1"}, mute | {"State": "0"}]


async def test_a_recording_that_the_node_does_not_mute_is_a_refusal(
    lines: AmiLines, client: FakeAmiClient
) -> None:
    client.answers["MixMonitorMute"] = lambda action: refusal("Cannot set mute flag")
    with pytest.raises(NodeRefused, match=r"did not pause the recording of .*: Cannot set mute flag"):
        await lines.mute_recording(a_call(), muted=True)
