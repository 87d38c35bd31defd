"""The AMI adapter on a real Asterisk: every recorded story once more, and what cannot be replayed."""

import asyncio

import pytest

from cti.ami.panoramisk_client import AmiAccount
from cti.errors import NodeRefused
from cti.model.calls import CallState, EndedBy, EndReason, Outcome
from cti.model.events import LegGone, NodeLost, NodeUp, PhoneMoved
from cti.node.cel import CelFolder
from lab import Lab
from lab.softphone import Behaviour, Line, tone
from tests.replay.exchange import NODE, NoStories, an_exchange
from tests.replay.record import outcome
from tests.replay.scenarios import NUMBER, SCENARIOS, Scenario, expected_on

AT_ONCE = 20
"""As many stories as the lab has phones."""


def account(lab: Lab) -> AmiAccount:
    pbx = lab.pbx
    return AmiAccount(node=NODE, host=pbx.host, port=pbx.ami_port, user=pbx.user, secret=pbx.secret)


def records(lab: Lab) -> CelFolder:
    return CelFolder({NODE: lab.pbx.cel / "cti.csv"})


async def play(lab: Lab, scenario: Scenario, line: Line) -> dict[str, object]:
    """Play one story; return what is not as expected: (was, expected) by field."""
    stories = records(lab) if scenario.reads_cel else NoStories()
    async with an_exchange(account(lab), stories=stories, retry_seconds=scenario.retry_seconds) as exchange:
        call = outcome(await scenario.act(exchange, line))
        [version, *_] = [event.version for event in exchange.told if isinstance(event, NodeUp)]
    expect = expected_on(scenario, version)
    return {name: (call[name], wanted) for name, wanted in expect.items() if call[name] != wanted}


async def test_every_recorded_story_comes_out_the_same_on_this_asterisk(fresh_lab: Lab) -> None:
    wrong: dict[str, dict[str, object]] = {}
    async with fresh_lab.phones(AT_ONCE, Behaviour(voice=tone(1000))) as lines:
        for begin in range(0, len(SCENARIOS), AT_ONCE):
            stories = SCENARIOS[begin : begin + AT_ONCE]
            told = await asyncio.gather(
                *(play(fresh_lab, *pair) for pair in zip(stories, lines, strict=False))
            )
            wrong |= {story.name: found for story, found in zip(stories, told, strict=True) if found}
    assert wrong == {}


async def test_calls_of_an_asterisk_that_is_killed_end_with_it_and_dialing_goes_on(fresh_lab: Lab) -> None:
    async with (
        fresh_lab.phones(1, Behaviour(voice=tone(1000))) as [line],
        an_exchange(account(fresh_lab), stories=records(fresh_lab)) as exchange,
    ):
        agent = await exchange.log_in(line.user)
        talking, ringing = await exchange.place(NUMBER + "001000"), await exchange.place(NUMBER + "004000")
        await exchange.call(talking, lambda call: call.waiting_at is not None)
        await exchange.lines.join(talking, agent)
        await exchange.call(talking, lambda call: call.state is CallState.CONNECTED)
        await exchange.call(ringing, lambda call: call.state is CallState.RINGING)
        told = len(exchange.told)
        # Asterisk tells its start to the second: killed within the same one, it could not be told from the new one.
        await asyncio.sleep(1.1)
        await fresh_lab.pbx.kill()
        await exchange.until(lambda event: isinstance(event, NodeLost), after=told)
        assert exchange.tracker.get(talking.id) is not None
        await fresh_lab.pbx.start()
        up = await exchange.until(lambda event: isinstance(event, NodeUp), after=told)
        one, two = await exchange.ended(talking), await exchange.ended(ringing)
        gone = await exchange.until(lambda event: isinstance(event, LegGone), after=told)
        assert isinstance(up, NodeUp)
        assert up.restarted
        assert isinstance(gone, LegGone)
        assert gone.channel_id == agent.channel_id
        assert (one.outcome, one.end_reason) == (Outcome.CONNECTED, EndReason.NODE_LOST)
        assert (two.outcome, two.end_reason) == (Outcome.FAILED, EndReason.NODE_LOST)
        await fresh_lab.reachable()
        busy = await exchange.ended(await exchange.place(NUMBER + "003000"))
        assert busy.outcome is Outcome.BUSY


async def test_a_daemon_that_died_takes_its_calls_over_when_it_is_back(fresh_lab: Lab) -> None:
    lab = fresh_lab
    async with lab.phones(1, Behaviour(voice=tone(1000))) as [line]:
        async with an_exchange(account(lab)) as exchange:
            agent = await exchange.log_in(line.user)
            talking = await exchange.place(NUMBER + "031000")
            ended = await exchange.place(NUMBER + "011000")
            ordered = await exchange.place(NUMBER + "004001")
            await exchange.call(talking, lambda call: call.waiting_at is not None)
            await exchange.lines.join(talking, agent)
            known = await exchange.call(talking, lambda call: call.answered_at is not None)
            assert known.state is not CallState.CONNECTED
        await asyncio.sleep(1.2)
        # What the database knew: the last commit was before the join.
        async with an_exchange(account(lab), stories=records(lab), calls=(known, ended, ordered)) as exchange:
            adopted = exchange.tracker.get(talking.id)
            assert adopted is not None
            assert adopted.state is CallState.CONNECTED
            assert adopted.joined is not None
            assert (adopted.agent_id, adopted.joined.channel_id) == (1, agent.channel_id)
            one, two, three = [await exchange.ended(call) for call in (talking, ended, ordered)]
    story = await records(lab).of_channel(NODE, talking.channel_id)
    assert story is not None
    assert (one.outcome, one.ended_by) == (Outcome.CONNECTED, EndedBy.CUSTOMER)
    assert one.connected_at == story.stays[0].entered_at
    assert (two.outcome, two.end_reason, two.cause) == (Outcome.GONE_EARLY, EndReason.HUNG_UP, 16)
    assert (three.outcome, three.end_reason) == (Outcome.NO_ANSWER, EndReason.RING_TIMEOUT)


async def test_phones_are_known_from_the_start_and_when_they_go(lab: Lab) -> None:
    async with lab.phones(2) as [stays, goes], an_exchange(account(lab)) as exchange:
        shown = {e.endpoint: e.reachable for e in exchange.told if isinstance(e, PhoneMoved)}
        assert shown[stays.user]
        assert shown[goes.user]
        await goes.unregister()
        gone = await exchange.until(lambda e: isinstance(e, PhoneMoved) and not e.reachable)
        assert isinstance(gone, PhoneMoved)
        assert gone.endpoint == goes.user
        await goes.register()
        await exchange.until(
            lambda e: isinstance(e, PhoneMoved) and e.reachable, after=exchange.told.index(gone)
        )


async def test_an_agents_phone_is_told_to_answer_by_itself(lab: Lab) -> None:
    async with lab.phones(1) as [line], an_exchange(account(lab)) as exchange:
        agent = await exchange.log_in(line.user)
        call = await line.next_call()
        assert agent.channel_id is not None
        await exchange.lines.hang_up(node=NODE, channel_id=agent.channel_id)
        await exchange.until(lambda event: isinstance(event, LegGone))
    headers = str(call.invite)
    assert "<sip:waihu>;answer-after=0" in headers
    assert "<http://waihu>;info=alert-autoanswer;delay=0" in headers


async def test_a_join_with_a_leg_that_is_gone_is_refused_and_the_customer_hears_the_message(lab: Lab) -> None:
    async with lab.phones(1) as [line], an_exchange(account(lab)) as exchange:
        agent = await exchange.log_in(line.user)
        assert agent.channel_id is not None
        await exchange.lines.hang_up(node=NODE, channel_id=agent.channel_id)
        await exchange.until(lambda event: isinstance(event, LegGone))
        call = await exchange.place(NUMBER + "001000", grace_seconds=1.0)
        await exchange.call(call, lambda c: c.waiting_at is not None)
        with pytest.raises(NodeRefused):
            await exchange.lines.join(call, agent)
        ended = await exchange.ended(call)
    assert ended.outcome is Outcome.DROPPED
    assert ended.message_played_at is not None


async def test_the_talk_goes_on_when_the_connection_is_cut_with_many_calls_up(lab: Lab) -> None:
    """Twenty calls over a cut: none lost, none told twice, each as its number says."""
    numbers = [f"{NUMBER}{digits}" for digits in ("003001", "011001", "005001", "021000") for _ in range(5)]
    wanted = [o for o in ("busy", "gone_early", "failed", "dropped") for _ in range(5)]
    async with an_exchange(account(lab), stories=records(lab), retry_seconds=1.5) as exchange:
        calls = [await exchange.place(number, grace_seconds=1.5) for number in numbers]
        exchange.cut()
        ended = [await exchange.ended(call) for call in calls]
        assert exchange.tracker.open_calls() == []
    assert [str(call.outcome) for call in ended] == wanted
