"""Machine detection by the shipped dialplan in a real Asterisk, with no daemon anywhere: who answers, and what follows.

The voices are synthetic: these tests show that the machinery works, and say nothing of how often AMD errs with people.
"""

import array
import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from cti.ami.panoramisk_client import AmiAccount
from cti.model.calls import EndReason, Outcome
from cti.model.campaign_rules import MachineAction, MachineRules
from cti.node.cel import CelFolder
from lab import Lab
from lab.ami import Ami, Message
from lab.softphone import audio
from tests.integration.calls import PlacedCall, keep_leg
from tests.integration.test_lab_safety_net import cel_rows
from tests.replay.exchange import NODE, an_exchange

BEEP_HZ = 1000
"""The beep of the lab's machines; our own message in these tests is 600 Hz."""
DETECT = {"CTI_MACHINES": "hang_up", "CTI_GRACE_START": "greeting", "CTI_FAX": "1"}
BLOCK = 160
"""Samples that are looked at together: 20 ms."""


def a_call(ami: Ami, digits: str, *, detection: Mapping[str, str] | None = None, **given: Any) -> PlacedCall:
    return PlacedCall(number=f"+49123{digits}", ami=ami, detection={**DETECT, **(detection or {})}, **given)


def seconds_between(earlier: Message, later: Message) -> float:
    return float(later["Timestamp"]) - float(earlier["Timestamp"])


@pytest.mark.parametrize(
    ("digits", "by"),
    [
        pytest.param("001000", "person", id="hello"),
        pytest.param("001200", "person", id="hello with a name"),
        pytest.param("001300", "person", id="hello in German"),
        pytest.param("002000", "machine", id="English machine"),
        pytest.param("002200", "machine", id="German machine"),
        pytest.param("002300", "machine", id="Chinese machine"),
        pytest.param("008000", "fax", id="answer tone of a fax"),
        pytest.param("008100", "fax", id="fax that talks T.30"),
    ],
)
async def test_who_answers_is_told_and_written_down(lab: Lab, digits: str, by: str) -> None:
    async with lab.pbx.ami() as ami:
        call = await a_call(ami, digits, grace=0.3).place()
        told = await call.user_event("CtiDetected")
        await call.hangup()
    assert told["By"] == by
    assert told["Cause"].partition("-")[0] in {"HUMAN", "MAXWORDS", "LONGGREETING"}
    [row] = [row for row in cel_rows(lab, call.channel) if row.user_kind == "CTI_DETECTED"]
    assert json.loads(row.extra) == {"extra": f"{by} {told['Cause']}"}
    assert float(row.at) == pytest.approx(float(told["Timestamp"]), abs=0.5)


async def test_a_machine_is_hung_up_and_hears_no_message(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await a_call(ami, "002000").place()
        assert (await call.hangup())["Cause"] == "16"
    assert call.user_events() == ["CtiDetected"]
    kinds = [row.kind for row in cel_rows(lab, call.channel)]
    assert kinds == ["CHAN_START", "ANSWER", "CTI_DETECTED", "HANGUP"]


async def test_a_person_nobody_fetches_is_dropped_and_hears_the_message(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await a_call(ami, "001000", grace=1).place()
        waiting = await call.user_event("CtiWaiting")
        dropped = await call.user_event("CtiDropped")
        assert (await call.user_event("CtiMessage"))["Status"] == "SUCCESS"
        await call.hangup()
    assert call.user_events() == ["CtiDetected", "CtiWaiting", "CtiDropped", "CtiMessage"]
    assert seconds_between(waiting, dropped) == pytest.approx(1, abs=0.3)


async def test_a_grace_from_the_answer_leaves_what_the_detection_left(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        start = {"CTI_GRACE_START": "connected"}
        long, short = a_call(ami, "001000", grace=4, detection=start), a_call(ami, "001000", detection=start)
        waits = []
        for call in (long, short):
            await call.place()
            answered = await ami.expect("OriginateResponse", Uniqueid=call.channel)
            waiting = await call.user_event("CtiWaiting")
            waits.append((seconds_between(answered, waiting), waiting, await call.user_event("CtiDropped")))
            await call.hangup()
    (detection, waiting, dropped), (_, late, last) = waits
    assert detection + seconds_between(waiting, dropped) == pytest.approx(4, abs=0.3)
    assert seconds_between(late, last) == pytest.approx(0.25, abs=0.2), "a moment is left for a free agent"


async def test_a_voicemail_is_left_after_the_beep(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        voicemail = {"CTI_MACHINES": "voicemail", "CTI_VOICEMAIL": "lab-beep"}
        call = await a_call(ami, "002100", record=True, detection=voicemail).place()
        played = await call.user_event("CtiVoicemail", within=40)
        assert (await call.hangup())["Cause"] == "16"
    assert played["Status"] == "SUCCESS"
    assert call.user_events() == ["CtiDetected", "CtiVoicemail"]
    [row] = [row for row in cel_rows(lab, call.channel) if row.user_kind == "CTI_VOICEMAIL"]
    assert json.loads(row.extra) == {"extra": "SUCCESS"}
    theirs, ours = await beeps(lab, call)
    assert len(ours) == 1, "the message was played once"
    assert 1.0 < ours[0] - theirs[-1] < 3.5, "in the silence after the beep of the machine"


async def beeps(lab: Lab, call: PlacedCall) -> tuple[list[float], list[float]]:
    """Return when the tone of the beep began in what the machine said, and in what it heard, in seconds."""
    path = lab.pbx.recordings / f"{call.recording}.raw"
    for _ in range(40):
        before = path.stat().st_size if path.exists() else 0
        await asyncio.sleep(0.1)
        if before and path.stat().st_size == before:
            break
    samples = array.array("h", path.read_bytes())
    return beginnings(samples[0::2]), beginnings(samples[1::2])


def beginnings(samples: "array.array[int]") -> list[float]:
    """Return where a tone of the beep's pitch begins that lasts at least 0.2 s."""
    blocks = [
        audio.share_of_tone(audio.encode(list(samples[at : at + BLOCK])), BEEP_HZ) > 0.5
        for at in range(0, len(samples) - BLOCK, BLOCK)
    ]
    seconds = BLOCK / 8000
    return [
        at * seconds
        for at in range(len(blocks) - 10)
        if all(blocks[at : at + 10]) and (at == 0 or not blocks[at - 1])
    ]


async def test_a_machine_that_is_silent_is_let_speak_before_the_voicemail(lab: Lab) -> None:
    """It answers, is silent for longer than AMD waits, and never begins: nothing is played into the silence at once."""
    async with lab.pbx.ami() as ami:
        voicemail = {"CTI_MACHINES": "voicemail", "CTI_VOICEMAIL": "lab-beep"}
        call = await a_call(ami, "009100", detection=voicemail).place()
        told = await call.user_event("CtiDetected")
        played = await call.user_event("CtiVoicemail", within=40)
        await call.hangup()
    assert told["Cause"].startswith("INITIALSILENCE")
    assert seconds_between(told, played) > 10


async def test_a_voicemail_that_is_missing_is_told_as_failed(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        voicemail = {"CTI_MACHINES": "voicemail", "CTI_VOICEMAIL": "no-such-sound"}
        call = await a_call(ami, "002100", detection=voicemail).place()
        assert (await call.user_event("CtiVoicemail", within=40))["Status"] == "FAILED"
        await call.hangup()


async def test_a_machine_that_is_wanted_waits_for_an_agent(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1) as [line]:
        leg = await keep_leg(ami, "a001")
        call = await a_call(ami, "002000", grace=5, detection={"CTI_MACHINES": "to_agent"}).place()
        told = await call.user_event("CtiDetected")
        await call.user_event("CtiWaiting")
        await call.take(leg)
        await ami.expect("BridgeEnter", Uniqueid=call.channel)
        await ami.action("Hangup", Channel=call.channel, Cause="16")
        await call.hangup()
        assert line.call is not None
    assert (told["By"], call.user_events()) == ("machine", ["CtiDetected", "CtiWaiting"])


async def test_a_machine_that_is_wanted_and_not_fetched_is_no_dropped_person(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await a_call(ami, "002000", grace=0.5, detection={"CTI_MACHINES": "to_agent"}).place()
        assert (await call.hangup())["Cause"] == "16"
    assert call.user_events() == ["CtiDetected", "CtiWaiting"]
    assert "CTI_DROPPED" not in [row.kind for row in cel_rows(lab, call.channel)]


async def test_a_fax_is_no_machine_for_an_agent(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await a_call(ami, "008000", detection={"CTI_MACHINES": "to_agent"}).place()
        assert (await call.hangup())["Cause"] == "16"
    assert call.user_events() == ["CtiDetected"]


async def test_without_listening_for_faxes_one_is_a_machine(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await a_call(ami, "008000", detection={"CTI_FAX": ""}).place()
        assert (await call.user_event("CtiDetected"))["By"] == "machine"
        await call.hangup()


async def test_parameters_of_amd_are_followed(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        quick = {"CTI_AMD_INITIAL_SILENCE": "800"}
        call = await a_call(ami, "009100", detection=quick).place()
        told = await call.user_event("CtiDetected")
        await call.hangup()
    assert told["Cause"].endswith("-800")


async def test_an_asterisk_without_amd_takes_everybody_for_a_person(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.pbx.admin() as admin:
        await admin.action("ModuleLoad", LoadType="unload", Module="app_amd.so")
        try:
            call = await a_call(ami, "002000", grace=0.5).place()
            told = await call.user_event("CtiDetected")
            await call.hangup()
        finally:
            await admin.action("ModuleLoad", LoadType="load", Module="app_amd.so")
    assert (told["By"], told["Cause"]) == ("unknown", "")
    assert call.user_events() == ["CtiDetected", "CtiWaiting", "CtiDropped", "CtiMessage"]


async def test_a_service_that_was_dead_during_the_detection_learns_the_verdict(lab: Lab) -> None:
    pbx = lab.pbx
    account = AmiAccount(node=NODE, host=pbx.host, port=pbx.ami_port, user=pbx.user, secret=pbx.secret)
    rules = MachineRules(detect=True, action=MachineAction.VOICEMAIL, voicemail="lab-beep")
    async with lab.pbx.admin() as ami:
        async with an_exchange(account) as before:
            call = await before.place("+49123002100", rules=rules, grace_start="greeting")
            call = await before.call(call, lambda c: c.answered_at is not None)
        assert call.detected_at is None
        await ami.expect("Hangup", Uniqueid=call.channel_id, within=40)
    records = CelFolder({NODE: pbx.cel / "cti.csv"})
    async with an_exchange(account, stories=records, calls=(call,)) as after:
        ended = await after.ended(call)
    assert (ended.outcome, ended.answered_by, ended.end_reason) == (
        Outcome.MACHINE,
        "machine",
        EndReason.HUNG_UP,
    )
    assert ended.detected_at is not None
    assert ended.voicemail_at is not None
    assert call.placed_at < ended.detected_at < ended.voicemail_at
