"""What the listener makes of connects, gaps and silence."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cti.ami.call_tracker import CallTracker
from cti.ami.half_heard import LOOKS
from cti.ami.listener import CallListener
from cti.ami.message import Message
from cti.bus import EventBus
from cti.errors import StorageError
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.events import CallMoved, Event, LegGone, LegUp, NodeLost, NodeUp, PhoneMoved
from cti.model.stories import Story
from tests.builders import a_call, later
from tests.fakes.ami_client import FakeAmiClient, refusal
from tests.fakes.clock import FakeClock

LEG = "waihu-a-7-0a"


class Memory:
    def __init__(self, started: str | None = None) -> None:
        self.started = started
        self.broken = False

    async def node_seen(self, node: str, started: str, at: object) -> None:
        self.started = started

    async def node_started(self, node: str) -> str | None:
        if self.broken:
            raise StorageError("the disk is full", temporary=True)
        return self.started


class Records:
    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self.asked: list[str] = []

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        self.asked.append(channel_id)
        return self.stories.get(channel_id)


class Desk:
    """A listener with everything around it."""

    def __init__(self, *calls: Call, **given: Any) -> None:
        self.client = FakeAmiClient(connected=False)
        self.tracker, self.clock, self.records = CallTracker(), FakeClock(), Records()
        self.memory = given.pop("memory", Memory())
        self.told: list[Event] = []
        self.channels: list[Message] = []
        self.client.answers["CoreShowChannels"] = lambda action: list(self.channels)
        for call in calls:
            self.tracker.place(call)
        bus = EventBus()
        bus.tap(self.told.append)
        self.listener = CallListener(
            client=self.client,
            tracker=self.tracker,
            bus=bus,
            stories=self.records,
            clock=self.clock,
            memory=self.memory,
            **given,
        )

    def show(self, channel_id: str, state: str, bridge: str = "") -> None:
        self.channels.append(
            Message.of(
                {
                    "Event": "CoreShowChannel",
                    "Uniqueid": channel_id,
                    "Channel": f"PJSIP/{channel_id[-4:]}",
                    "ChannelState": state,
                    "BridgeId": bridge,
                }
            )
        )

    def start_anew(self) -> None:
        self.client.answers["CoreStatus"] = lambda action: Message.of(
            {"Response": "Success", "CoreStartupDate": "2026-11-23", "CoreStartupTime": "09:30:00"}
        )

    async def listen(self) -> list[Event]:
        """Take all that waits; return what was told."""
        before = len(self.told)
        while self.client.pending():
            await self.listener.step()
        return self.told[before:]

    async def connect(self) -> list[Event]:
        self.client.connect()
        return await self.listen()

    async def pass_time(self, seconds: float) -> list[Event]:
        before = len(self.told)
        self.clock.advance(seconds)
        await self.listener.sweep()
        return self.told[before:]


def ends(events: list[Event]) -> list[Call]:
    return [event.call for event in events if isinstance(event, CallMoved) and event.call.ended]


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def hangup(call: Call, cause: str = "17") -> dict[str, str]:
    return {"Event": "Hangup", "Uniqueid": call.channel_id, "Cause": cause}


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


async def test_who_waited_before_the_gap_is_known_to_be_dropped_when_the_records_say_so() -> None:
    seen = {"dialing_at": later(0), "answered_at": later(5), "waiting_at": later(5), "channel": "C"}
    call = a_call(state=CallState.ANSWERED, **seen)
    desk = Desk(call)
    desk.records.stories[call.channel_id] = Story(
        node="pbx", channel_id=call.channel_id, answered_at=later(5), dropped_at=later(7)
    )
    desk.show(call.channel_id, "6")
    [moved] = [event for event in await desk.connect() if isinstance(event, CallMoved)]
    assert (moved.call.state, moved.call.dropped_at) == (CallState.ANSWERED, later(7))


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


async def test_a_call_that_is_not_there_is_asked_for_twice_so_that_a_late_hang_up_counts() -> None:
    call = a_call(state=CallState.RINGING, dialing_at=later(0))
    desk = Desk(call)
    assert ends(await desk.connect()) == []
    assert ends(await desk.pass_time(0.5)) == []
    desk.client.say(hangup(call))
    assert ends(await desk.listen())[0].outcome is Outcome.BUSY


async def test_a_call_that_is_not_there_twice_is_settled_by_the_records() -> None:
    call = a_call(state=CallState.RINGING, dialing_at=later(0))
    desk = Desk(call)
    desk.records.stories[call.channel_id] = Story(
        node="pbx",
        channel_id=call.channel_id,
        started_at=later(0),
        ended_at=later(9),
        cause=17,
        last_at=later(9),
    )
    await desk.connect()
    [end] = ends(await desk.pass_time(1))
    assert (end.outcome, end.ended_at, end.cause) == (Outcome.BUSY, later(9), 17)


async def test_records_without_an_end_are_read_again_before_they_are_believed() -> None:
    call = a_call(state=CallState.RINGING, dialing_at=later(0))
    desk = Desk(call)
    desk.records.stories[call.channel_id] = Story(
        node="pbx", channel_id=call.channel_id, started_at=later(0), last_at=later(0)
    )
    await desk.connect()
    waited = 0
    while not ends(desk.told):
        await desk.pass_time(1)
        waited += 1
    assert waited == 3
    assert ends(desk.told)[0].end_reason is EndReason.NO_TRACE


async def test_a_call_that_was_just_ordered_when_the_connection_broke_is_given_time() -> None:
    call = a_call()
    desk = Desk(call)
    await desk.connect()
    assert ends(await desk.pass_time(4.9)) == []
    desk.client.say({"Event": "Newchannel", "Uniqueid": call.channel_id, "Channel": "PJSIP/x"})
    await desk.listen()
    assert ends(await desk.pass_time(5)) == []
    desk.client.say(hangup(call))
    assert ends(await desk.listen())[0].outcome is Outcome.BUSY


async def test_an_order_that_asterisk_never_got_ends_without_a_trace() -> None:
    desk = Desk(a_call())
    await desk.connect()
    [end] = ends(await desk.pass_time(5))
    assert (end.outcome, end.end_reason) == (Outcome.FAILED, EndReason.NO_TRACE)


async def test_an_asterisk_that_was_started_anew_has_none_of_the_calls() -> None:
    call = a_call(
        state=CallState.CONNECTED, answered_at=later(-60), placed_at=later(-70), connected_at=later(-59)
    )
    desk = Desk(call)
    await desk.connect()
    desk.client.lose()
    desk.start_anew()
    told = await desk.connect()
    assert kinds(told) == [NodeLost, CallMoved, NodeUp]
    [end] = ends(told)
    assert (end.outcome, end.end_reason) == (Outcome.CONNECTED, EndReason.NODE_LOST)
    assert isinstance(told[-1], NodeUp)
    assert told[-1].restarted


async def test_who_waited_when_asterisk_died_is_judged_by_how_long_he_had_waited_then() -> None:
    call = a_call(state=CallState.ANSWERED, dialing_at=later(0), answered_at=later(1), waiting_at=later(1))
    desk = Desk(call)
    desk.show(call.channel_id, "6")
    await desk.connect()
    desk.clock.advance(2)
    desk.client.lose()
    await desk.listen()
    desk.client.lose("nobody listens there")
    await desk.listen()
    desk.clock.advance(30)
    desk.channels.clear()
    desk.start_anew()
    [end] = ends(await desk.connect())
    assert (end.outcome, end.end_reason, end.ended_at) == (Outcome.GONE_EARLY, EndReason.NODE_LOST, later(2))


async def test_a_new_start_is_noticed_by_the_daemon_after_the_one_that_saw_the_old() -> None:
    call = a_call(state=CallState.RINGING, placed_at=later(-70), dialing_at=later(-70))
    told = await Desk(call, memory=Memory("2026-11-22 00:00:00")).connect()
    assert [(end.outcome, end.end_reason) for end in ends(told)] == [(Outcome.FAILED, EndReason.NODE_LOST)]


async def test_an_order_given_about_when_asterisk_died_is_waited_for_and_then_lost_with_it() -> None:
    desk = Desk(a_call(), memory=Memory("2026-11-22 00:00:00"))
    assert ends(await desk.connect()) == []
    assert [end.end_reason for end in ends(await desk.pass_time(5))] == [EndReason.NODE_LOST]


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


async def test_a_call_nobody_hears_of_is_asked_about_and_goes_on_when_it_is_there() -> None:
    call = a_call(state=CallState.CONNECTED, answered_at=later(0), connected_at=later(0))
    desk = Desk(call)
    desk.show(call.channel_id, "6")
    await desk.connect()
    assert await desk.pass_time(3600) == []
    asked = len(desk.client.sent)
    assert await desk.pass_time(1) == []
    assert len(desk.client.sent) == asked
    desk.channels.clear()
    assert ends(await desk.pass_time(3600)) == []
    assert ends(await desk.pass_time(1))[0].outcome is Outcome.CONNECTED


async def test_nothing_is_settled_while_there_is_no_connection() -> None:
    desk = Desk(a_call())
    await desk.connect()
    desk.client.lose()
    await desk.listen()
    assert ends(await desk.pass_time(3600)) == []


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


@pytest.mark.parametrize(("application", "waits"), [("Wait", True), ("Playback", False)])
async def test_who_answered_in_a_gap_may_still_be_fetched_while_the_dialplan_waits(
    application: str, waits: bool
) -> None:
    """The word that he waits was missed; what his channel does just now says it, too."""
    call = a_call(state=CallState.RINGING, dialing_at=later(0), ringing_at=later(0))
    desk = Desk(call)
    desk.channels.append(
        Message.of(
            {
                "Event": "CoreShowChannel",
                "Uniqueid": call.channel_id,
                "Channel": "PJSIP/carrier-1",
                "ChannelState": "6",
                "Application": application,
            }
        )
    )
    [moved] = [event for event in await desk.connect() if isinstance(event, CallMoved)]
    assert moved.call.state is CallState.ANSWERED
    assert (moved.call.waiting_at is not None) is waits


async def test_a_silent_call_whose_hang_up_is_just_being_told_ends_by_it() -> None:
    call = a_call(state=CallState.RINGING, dialing_at=later(0))
    desk = Desk(call)
    desk.show(call.channel_id, "5")
    await desk.connect()

    def shown(action: object) -> list[Message]:
        desk.client.say(hangup(call))
        return []

    desk.client.answers["CoreShowChannels"] = shown
    assert ends(await desk.pass_time(60)) == []
    [end] = ends(await desk.listen())
    assert (end.outcome, end.end_reason) == (Outcome.BUSY, EndReason.HUNG_UP)


def dropped_in_the_gap(call: Call) -> Story:
    """He answered at 3 s, nobody fetched him, and he was hung up after the message at 7 s."""
    return Story(
        node="pbx",
        channel_id=call.channel_id,
        started_at=later(0),
        answered_at=later(3),
        dropped_at=later(5),
        ended_at=later(7),
        cause=16,
        last_at=later(7),
    )


async def heard_while_asking(*messages: dict[str, str]) -> tuple[Desk, Call]:
    """A call that rang when the connection went; these messages come before all that is up was shown."""
    call = a_call(state=CallState.RINGING, dialing_at=later(0), ringing_at=later(1))
    desk = Desk(call)
    desk.clock.advance(7)

    def shown(action: object) -> list[Message]:
        for message in messages:
            desk.client.say({"Uniqueid": call.channel_id, **message})
        desk.client.answers["CoreShowChannels"] = lambda action: []
        return []

    desk.client.answers["CoreShowChannels"] = shown
    await desk.connect()
    return desk, call


GRACE_OVER = {"Event": "UserEvent", "UserEvent": "CtiDropped"}
HANGUP = {"Event": "Hangup", "Cause": "16"}


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param((HANGUP,), id="only the hang-up is heard"),
        pytest.param((GRACE_OVER, HANGUP), id="the end of the grace is heard before the answer"),
    ],
)
async def test_who_answered_unheard_and_ended_while_asking_is_told_as_the_records_have_it(
    messages: tuple[dict[str, str], ...],
) -> None:
    desk, call = await heard_while_asking(*messages)
    desk.records.stories[call.channel_id] = dropped_in_the_gap(call)
    [amended] = ends(await desk.pass_time(0.5))
    assert (amended.outcome, amended.answered_at, amended.dropped_at) == (Outcome.DROPPED, later(3), later(5))
    assert ends(await desk.pass_time(0.5)) == [], "it is told once"


async def test_a_half_heard_end_is_kept_as_heard_until_the_records_have_theirs() -> None:
    desk, call = await heard_while_asking(HANGUP)
    desk.records.stories[call.channel_id] = replace(dropped_in_the_gap(call), ended_at=None)
    assert ends(await desk.pass_time(0.5)) == []
    desk.records.stories[call.channel_id] = dropped_in_the_gap(call)
    assert [end.outcome for end in ends(await desk.pass_time(0.5))] == [Outcome.DROPPED]


async def test_records_that_never_have_the_end_are_not_asked_for_ever() -> None:
    desk, _ = await heard_while_asking(HANGUP)
    for _ in range(LOOKS + 5):
        await desk.pass_time(0.5)
    assert len(desk.records.asked) == LOOKS


async def test_a_call_that_was_taken_over_whole_is_not_asked_about_when_it_ends() -> None:
    call = a_call(state=CallState.RINGING, dialing_at=later(0), ringing_at=later(1))
    desk = Desk(call)
    desk.show(call.channel_id, "5")
    await desk.connect()
    desk.client.say(hangup(call))
    await desk.listen()
    await desk.pass_time(0.5)
    assert desk.records.asked == []
