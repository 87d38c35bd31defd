"""What the listener makes of calls whose end it may have missed: asked for, looked up in the records, settled."""

from dataclasses import replace

import pytest

from cti.ami.half_heard import LOOKS
from cti.ami.message import Message
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.events import CallMoved, NodeLost, NodeUp
from cti.model.stories import Story
from tests.builders import a_call, later
from tests.unit.ami.listening import Desk, Memory, ends, hangup, kinds


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
