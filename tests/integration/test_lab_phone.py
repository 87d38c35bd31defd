"""The softphone against a real Asterisk: it registers, answers, refuses, speaks, hears, goes away."""

import asyncio
import wave
from pathlib import Path
from uuid import uuid4

import pytest

from lab import Lab, LabError
from lab.ami import Ami
from lab.softphone import Behaviour, CallState, Ending, Softphone, share_of_tone, tone
from tests.integration.calls import PlacedCall, keep_leg


async def ring(ami: Ami, user: str, *, ring_seconds: float = 3.0) -> str:
    """Call a phone; return the channel's id."""
    channel = f"ring-{user}-{uuid4().hex}"
    await ami.action(
        "Originate",
        Channel=f"PJSIP/{user}",
        Application="Echo",
        Async="true",
        ChannelId=channel,
        Timeout=int(ring_seconds * 1000),
    )
    return channel


async def test_a_phone_with_the_wrong_password_is_refused(lab: Lab) -> None:
    async with lab.softphone() as phone:
        line = phone.add_line("a001", "wrong", (lab.pbx.host, lab.pbx.sip_port))
        with pytest.raises(LabError, match="a001 could not register"):
            await line.register()
        assert not line.registered


async def test_asterisk_tells_when_a_phone_comes_and_goes(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1) as [line]:
        await ami.expect("ContactStatus", EndpointName="a001", ContactStatus="Reachable")
        await line.unregister()
        await ami.expect("ContactStatus", EndpointName="a001", ContactStatus="Removed")


async def test_a_phone_answers_speaks_and_hears_itself_back(lab: Lab, tmp_path: Path) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1, Behaviour(voice=tone(700), record=True)) as [line]:
        channel = await ring(ami, "a001")
        call = await line.next_call()
        heard_at = await call.hears(700)
        assert call.times.answered is not None
        assert 0 < heard_at - call.times.answered < 1
        await call.hang_up()
        hangup = await ami.expect("Hangup", Uniqueid=channel)
        assert hangup["Cause"] == "0", "a BYE without a Reason header has no cause; the carrier sends one"
        assert (call.state, call.ending) == (CallState.ENDED, Ending.LOCAL)
        call.save(tmp_path / "heard.wav")
        with wave.open(str(tmp_path / "heard.wav")) as wav:
            assert wav.getnframes() == len(call.recording) > 0


async def test_the_exchange_hangs_up_a_phone(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1) as [line]:
        channel = await ring(ami, "a001")
        call = await line.next_call()
        await call.answered()
        await ami.expect("OriginateResponse", Uniqueid=channel)
        await ami.action("Hangup", Channel=channel, Cause=16)
        await call.ended()
        assert call.ending is Ending.REMOTE


@pytest.mark.parametrize(("code", "cause"), [(486, "17"), (603, "21"), (480, "19")])
async def test_a_phone_refuses_with_a_code(lab: Lab, code: int, cause: str) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1, Behaviour(refuse=code)) as [line]:
        channel = await ring(ami, "a001")
        hangup = await ami.expect("Hangup", Uniqueid=channel)
        assert hangup["Cause"] == cause
        assert hangup["TechCause"].startswith(str(code))
        assert line.calls[0].ending is Ending.REFUSED


async def test_a_ringing_phone_is_given_up(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1, Behaviour(answer_after=None)) as [line]:
        channel = await ring(ami, "a001", ring_seconds=1)
        call = await line.next_call()
        await ami.expect("DialState", DestUniqueid=channel, DialStatus="RINGING")
        await call.ended()
        assert call.ending is Ending.CANCELLED
        await ami.expect("Hangup", Uniqueid=channel)


async def test_headers_that_ask_for_an_automatic_answer_reach_the_phone(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1) as [line]:
        await ami.action(
            "Originate",
            ("PJSIP_HEADER(add,Call-Info)", r"<sip:x>\;answer-after=0"),
            Channel="PJSIP/a001",
            Application="Echo",
            Async="true",
            ChannelId="auto-answer",
        )
        call = await line.next_call()
        assert call.invite.header("call-info") == "<sip:x>;answer-after=0"
        await call.answered()


async def test_a_dead_phone_is_noticed_by_its_silence_and_can_come_back(fresh_lab: Lab) -> None:
    async with fresh_lab.pbx.ami() as ami, fresh_lab.phones(1) as [line]:
        leg = await keep_leg(ami, "a001")
        line.die()
        hangup = await ami.expect("Hangup", Uniqueid=leg, within=8)
        assert hangup["Cause"] == "44", (
            "no RTP for rtp_timeout seconds: Q.850 requested channel not available"
        )
        await ami.expect("ContactStatus", EndpointName="a001", ContactStatus="Unreachable", within=12)
        mark = len(ami.events)
        await line.register()
        await ami.expect(
            "ContactStatus", EndpointName="a001", ContactStatus="Reachable", within=12, after=mark
        )
        await keep_leg(ami, "a001")


async def test_each_side_records_what_the_other_says(lab: Lab) -> None:
    agent_says, customer_says = 1000, 600
    stranger = Behaviour(answer_after=0.2, voice=tone(customer_says), record=True)
    async with (
        lab.pbx.ami() as ami,
        lab.softphone(stranger, port=lab.settings.lab_sip_port) as network,
        lab.phones(1, Behaviour(voice=tone(agent_says), record=True)) as [line],
    ):
        leg = await keep_leg(ami, "a001")
        call = await PlacedCall(number="+4912345", ami=ami, grace=5, trunk="lab").place()
        await call.user_event("CtiWaiting")
        agent, customer = line.calls[0], network.strangers[0]
        await call.take(leg)
        await asyncio.gather(agent.hears(customer_says), customer.hears(agent_says))
        start = len(agent.recording), len(customer.recording)
        await asyncio.sleep(1)
        assert share_of_tone(agent.recording[start[0] :], customer_says) > 0.9
        assert share_of_tone(customer.recording[start[1] :], agent_says) > 0.9
        assert share_of_tone(agent.recording[start[0] :], agent_says) == 0


async def test_a_hundred_lines_register_and_talk_on_one_socket(fresh_lab: Lab) -> None:
    registrar = (fresh_lab.pbx.host, fresh_lab.pbx.sip_port)
    user, password = fresh_lab.settings.agents()[0]
    async with fresh_lab.pbx.ami() as ami, Softphone.open(stranger=Behaviour(voice=tone(600))) as phone:
        line = phone.add_line(user, password, registrar, Behaviour(voice=tone(600)))
        await line.register()
        for _ in range(100):
            await ring(ami, user)
        calls = [await line.next_call() for _ in range(100)]
        await asyncio.gather(*(call.hears(600, within=10) for call in calls))
        before = [call.packets_out for call in calls]
        await asyncio.sleep(1)
        sent = [call.packets_out - count for call, count in zip(calls, before, strict=True)]
        assert min(sent) > 25, "one clock keeps up with a hundred voices: 50 packets a second each"
