"""What the listener makes of connects, gaps and silence."""

import asyncio

import pytest

from cti.ami.message import Message
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.events import CallMoved, LegGone, LegUp, NodeLost, NodeUp, PhoneMoved
from tests.builders import a_call, later
from tests.fakes.ami_client import refusal
from tests.unit.ami.listening import LEG, Desk, Memory, ends, hangup, kinds


async def test_a_node_is_up_when_it_was_asked_what_is_up() -> None:
    desk = Desk()
    [up] = await desk.connect()
    assert isinstance(up, NodeUp)
    assert (up.node, up.version, up.restarted) == ("pbx", "22.0.0-fake", False)
    assert desk.client.names() == ["CoreSettings", "CoreStatus", "PJSIPShowContacts", "CoreShowChannels"]


async def test_a_lost_connection_is_told_with_its_reason() -> None:
    desk = Desk()
    await desk.connect()
    desk.client.lose("the wire was cut")
    [lost] = await desk.listen()
    assert isinstance(lost, NodeLost)
    assert lost.reason == "the wire was cut"


async def test_a_call_that_is_still_up_goes_on_and_ends_as_usual() -> None:
    call = a_call()
    desk = Desk(call)
    desk.show(call.channel_id, "6", "b1")
    desk.show(LEG, "6", "b1")
    told = await desk.connect()
    assert kinds(told) == [LegUp, CallMoved, NodeUp]
    now = desk.tracker.get(call.id)
    assert now is not None
    assert (now.state, now.agent_id) == (CallState.CONNECTED, 7)
    desk.client.say({"Event": "BridgeLeave", "BridgeUniqueid": "b1", "Uniqueid": LEG})
    desk.client.say(hangup(call, "16"))
    [end] = ends(await desk.listen())
    assert (end.outcome, end.cause) == (Outcome.CONNECTED, 16)
    assert end.joins[0].left_at is not None


async def test_what_is_said_while_asking_counts_before_the_answer() -> None:
    """The hang-up was on its way when the channels were shown: it knows the cause, the list does not."""
    call = a_call(state=CallState.RINGING, dialing_at=later(0))
    desk = Desk(call)

    def shown(action: object) -> list[Message]:
        desk.client.say(hangup(call))
        return []

    desk.client.answers["CoreShowChannels"] = shown
    [end] = ends(await desk.connect())
    assert (end.outcome, end.end_reason) == (Outcome.BUSY, EndReason.HUNG_UP)
    assert desk.records.asked == []


async def test_a_database_that_is_away_stops_no_listener() -> None:
    memory = Memory("2026-11-22 00:00:00")
    memory.broken = True
    told = await Desk(memory=memory).connect()
    assert kinds(told) == [NodeUp]


async def test_legs_that_are_up_are_told_and_those_expected_and_gone_too() -> None:
    desk = Desk(expected_legs=lambda node: [LEG, "waihu-a-8-0b"])
    desk.show(LEG, "6", "holding")
    told = await desk.connect()
    assert [(type(e), e.channel_id) for e in told if isinstance(e, LegUp | LegGone)] == [
        (LegUp, LEG),
        (LegGone, "waihu-a-8-0b"),
    ]


async def test_a_leg_that_ended_in_a_gap_is_gone() -> None:
    desk = Desk()
    desk.show(LEG, "6")
    await desk.connect()
    desk.channels.clear()
    desk.client.lose()
    assert kinds(await desk.connect()) == [NodeLost, LegGone, NodeUp]


async def test_phones_are_told_as_asterisk_shows_them() -> None:
    desk = Desk(expected_phones=lambda node: ["a1", "a2"])
    desk.client.answers["PJSIPShowContacts"] = lambda action: [
        Message.of({"Event": "ContactList", "Endpoint": "a1", "Uri": "sip:1", "Status": "Reachable"})
    ]
    told = await desk.connect()
    assert [(e.endpoint, e.reachable) for e in told if isinstance(e, PhoneMoved)] == [
        ("a1", True),
        ("a2", False),
    ]


async def test_talks_are_told_before_the_phones_and_who_waits_after_them() -> None:
    """A phone moves its agent at the moment of the look; a talk that was told after it would begin only then."""
    talks, waits = a_call(state=CallState.RINGING), a_call(state=CallState.RINGING)
    desk = Desk(waits, talks, expected_phones=lambda node: ["a1"])
    desk.show(LEG, "6", bridge="b")
    desk.show(talks.channel_id, "6", bridge="b")
    desk.show(waits.channel_id, "6")
    told = [event.call.id if isinstance(event, CallMoved) else type(event) for event in await desk.connect()]
    assert told == [LegUp, talks.id, PhoneMoved, waits.id, NodeUp]


async def test_a_node_without_one_registered_phone_has_none() -> None:
    desk = Desk(expected_phones=lambda node: ["a1"])
    desk.client.answers["PJSIPShowContacts"] = lambda action: refusal("No Contacts found")
    told = await desk.connect()
    assert [(e.endpoint, e.reachable) for e in told if isinstance(e, PhoneMoved)] == [("a1", False)]


async def test_a_node_that_does_not_tell_of_its_phones_is_up_all_the_same() -> None:
    desk = Desk(expected_phones=lambda node: ["a1"])
    desk.client.answers["PJSIPShowContacts"] = lambda action: refusal("Permission denied")
    assert kinds(await desk.connect()) == [NodeUp]


async def test_messages_that_were_thrown_away_make_it_ask_again() -> None:
    call = a_call(state=CallState.RINGING, dialing_at=later(0))
    desk = Desk(call)
    desk.show(call.channel_id, "5")
    await desk.connect()
    desk.client._inbox._size = 1
    desk.channels.clear()
    for _ in range(3):
        desk.client.say({"Event": "Newstate"})
    assert kinds(await desk.listen()) == [NodeUp]
    assert [end.end_reason for end in ends(await desk.pass_time(1))] == [EndReason.NO_TRACE]


async def test_a_connection_that_breaks_while_asking_is_asked_again_when_it_is_back() -> None:
    call = a_call(
        state=CallState.CONNECTED,
        channel="C",
        dialing_at=later(0),
        answered_at=later(0),
        connected_at=later(0),
    )
    desk = Desk(call)
    answers: list[list[Message]] = [[], []]

    def shown(action: object) -> list[Message]:
        if len(answers) == 2:
            desk.client.lose()
            desk.client.connect()
        return answers.pop() or list(desk.channels)

    desk.show(call.channel_id, "6")
    desk.client.answers["CoreShowChannels"] = shown
    assert kinds(await desk.connect()) == [NodeLost, NodeUp]
    assert answers == []
    assert desk.tracker.get(call.id) is not None


async def test_it_runs_by_itself() -> None:
    desk = Desk()
    heard = asyncio.Event()
    desk.listener._bus.tap(lambda event: heard.set())
    task = asyncio.create_task(desk.listener.run())
    desk.client.connect()
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kinds(desk.told) == [NodeUp]


@pytest.mark.parametrize("restarted", [True, False])
async def test_a_missing_leg_is_lost_with_its_node_only_when_that_was_started_anew(restarted: bool) -> None:
    desk = Desk(expected_legs=lambda node: [LEG])
    desk.show(LEG, "6")
    await desk.connect()
    desk.channels.clear()
    desk.client.lose()
    if restarted:
        desk.start_anew()
    [gone] = [event for event in await desk.connect() if isinstance(event, LegGone)]
    assert gone.node_lost is restarted


async def test_a_phone_that_is_called_while_asking_is_not_missed() -> None:
    """It was not to be seen in the answer: the order left after the question."""
    legs: list[str] = []
    desk = Desk(expected_legs=lambda node: legs)

    def shown(action: object) -> list[Message]:
        legs.append(LEG)
        return []

    desk.client.answers["CoreShowChannels"] = shown
    assert kinds(await desk.connect()) == [NodeUp]


async def test_a_listener_that_stumbled_while_asking_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    shown = desk.client.answers["CoreShowChannels"]

    def stumbles(action: object) -> list[Message]:
        desk.client.answers["CoreShowChannels"] = shown
        raise RuntimeError("a bug")

    desk.client.answers["CoreShowChannels"] = stumbles
    with pytest.raises(RuntimeError):
        await desk.connect()
    run = asyncio.create_task(desk.listener.run())
    for _ in range(50):
        await asyncio.sleep(0)
    run.cancel()
    await asyncio.wait({run})
    assert kinds(desk.told) == [NodeUp]
