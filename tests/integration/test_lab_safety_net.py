"""The shipped files of config/asterisk in a real Asterisk, with no daemon anywhere: nobody is left in silence."""

import array
import asyncio
import csv
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import Lab
from lab.softphone import Behaviour, audio, share_of_tone, tone
from tests.integration.calls import PlacedCall, keep_leg, waiting_leg
from tests.waiting import until


@dataclass(frozen=True)
class CelRow:
    """A row of cti.csv, in the order of cel_custom.conf."""

    kind: str
    at: str
    channel_id: str
    linked_id: str
    channel: str
    peer: str
    extra: str
    user_kind: str


def cel_rows(lab: Lab, channel_id: str) -> list[CelRow]:
    with (lab.pbx.cel / "cti.csv").open(newline="") as file:
        return [CelRow(*row) for row in csv.reader(file) if row[2] == channel_id]


def recorded(path: Path) -> "array.array[int]":
    return array.array("h", path.read_bytes() if path.exists() else b"")


async def sides(path: Path, seconds: float) -> tuple[bytes, bytes]:
    """Return what the customer said and what he heard, mu-law, once the recording is that long."""
    await until(lambda: len(recorded(path)) / 2 / 8000 >= seconds - 0.1)
    samples = recorded(path)
    assert len(samples) / 2 / 8000 == pytest.approx(seconds, abs=0.15)
    return audio.encode(samples[0::2]), audio.encode(samples[1::2])


async def test_a_person_nobody_fetches_hears_the_message_and_is_hung_up(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123009900", ami=ami, grace=1, record=True).place()
        waiting = await call.user_event("CtiWaiting")
        dropped = await call.user_event("CtiDropped")
        message = await call.user_event("CtiMessage")
        hangup = await call.hangup()
    assert call.user_events() == ["CtiWaiting", "CtiDropped", "CtiMessage"]
    assert {event["Uniqueid"] for event in (waiting, dropped, message)} == {call.channel}
    assert float(dropped["Timestamp"]) - float(waiting["Timestamp"]) == pytest.approx(1, abs=0.3)
    assert message["Status"] == "SUCCESS"
    assert hangup["Cause"] == "16"

    rows = cel_rows(lab, call.channel)
    assert [row.kind for row in rows] == ["CHAN_START", "ANSWER", "CTI_DROPPED", "HANGUP"]
    assert json.loads(rows[2].extra) == {"extra": call.id}
    assert json.loads(rows[3].extra)["hangupcause"] == 16
    talk = float(rows[3].at) - float(rows[1].at)

    said, heard = await sides(lab.pbx.recordings / f"{call.recording}.raw", talk)
    assert share_of_tone(said, 600) > 0.9, "the left channel is his voice"
    assert share_of_tone(heard, 1000) == pytest.approx(0.4 / talk, abs=0.1), (
        "the right one is the message he hears"
    )


async def test_the_legal_message_is_there_to_be_played(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123009100", ami=ami, grace=0.2, message="cti-sorry").place()
        dropped = await call.user_event("CtiDropped")
        played = await call.user_event("CtiMessage")
        await call.hangup()
    assert played["Status"] == "SUCCESS"
    assert 5 < float(played["Timestamp"]) - float(dropped["Timestamp"]) < 9


async def test_a_message_that_is_missing_is_told_as_failed(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123009100", ami=ami, grace=0.2, message="no-such-sound").place()
        assert (await call.user_event("CtiMessage"))["Status"] == "FAILED"
        assert (await call.hangup())["Cause"] == "16"


async def test_a_person_who_leaves_within_the_grace_is_not_dropped(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123009000", ami=ami, grace=5).place()
        assert (await call.hangup())["Cause"] == "16"
    assert call.user_events() == ["CtiWaiting"]


async def test_one_leg_serves_one_customer_after_the_other_and_both_voices_are_recorded(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1, Behaviour(voice=tone(1000))) as [line]:
        leg = await keep_leg(ami, "a001")
        for _ in range(2):
            mark = len(ami.events)
            call = await PlacedCall(number="+49123029900", ami=ami, grace=3, record=True).place()
            await call.user_event("CtiWaiting")
            await call.take(leg)
            await line.calls[0].hears(600)
            assert (await call.hangup())["Cause"] == "16"
            await waiting_leg(ami, leg, after=mark)
            assert call.user_events() == ["CtiWaiting"]

            rows = cel_rows(lab, call.channel)
            assert [row.kind for row in rows] == [
                "CHAN_START",
                "ANSWER",
                "BRIDGE_ENTER",
                "BRIDGE_EXIT",
                "HANGUP",
            ]
            assert rows[2].peer in ("", rows[3].peer), "empty for whoever enters the bridge first"
            assert rows[3].peer.startswith("PJSIP/a001-")
            said, heard = await sides(
                lab.pbx.recordings / f"{call.recording}.raw", float(rows[4].at) - float(rows[1].at)
            )
            assert share_of_tone(said, 600) > 0.9
            assert share_of_tone(heard, 1000) > 0.8
        assert len(line.calls) == 1, "the phone was called once"


async def test_a_customer_whose_agent_leaves_is_hung_up_and_not_dropped(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(1) as [line]:
        leg = await keep_leg(ami, "a001")
        call = await PlacedCall(number="+49123009900", ami=ami, grace=1).place()
        await call.user_event("CtiWaiting")
        await call.take(leg)
        await line.calls[0].hears(600)
        await line.calls[0].hang_up()
        assert (await call.hangup())["Cause"] == "16"
        await ami.expect("Hangup", Uniqueid=leg)
    assert call.user_events() == ["CtiWaiting"]


async def test_a_customer_whose_bridge_never_came_is_dropped(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123009100", ami=ami, grace=0.5).place()
        await call.user_event("CtiWaiting")
        await ami.action("Setvar", Channel=call.channel, Variable="CTI_TAKEN", Value="1")
        await asyncio.sleep(0.7)
        await ami.action("Setvar", Channel=call.channel, Variable="CTI_TAKEN", Value="")
        await call.hangup()
    assert call.user_events() == ["CtiWaiting", "CtiDropped", "CtiMessage"]


async def test_a_phone_that_dies_in_a_talk_does_not_make_its_customer_a_dropped_one(fresh_lab: Lab) -> None:
    async with fresh_lab.pbx.ami() as ami, fresh_lab.phones(1) as [line]:
        leg = await keep_leg(ami, "a001")
        call = await PlacedCall(number="+49123009900", ami=ami, grace=1).place()
        await call.user_event("CtiWaiting")
        await call.take(leg)
        await line.calls[0].hears(600)
        line.die()
        assert (await ami.expect("Hangup", Uniqueid=leg))["Cause"] == "44"
        assert (await call.hangup())["Cause"] == "16"
    assert call.user_events() == ["CtiWaiting"]


async def test_the_shipped_files_load_without_a_complaint(lab: Lab) -> None:
    complaints = [
        line
        for line in lab.pbx.log.read_text().splitlines()
        if any(word in line for word in ("_cti", "cti-", "cel.conf", "cel_custom", "manager.c"))
        and any(level in line for level in ("WARNING", "ERROR"))
        and "no-such-sound" not in line
    ]
    assert complaints == []
    contexts = await lab.pbx.cli("dialplan show")
    assert all(
        f"'{context}'" in contexts for context in ("cti-customer", "cti-detect", "cti-agent", "cti-probe")
    )


async def test_the_shipped_account_sees_no_events_it_has_no_use_for(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123009001", ami=ami, grace=5).place()
        await call.hangup()
        kinds = {event["Event"] for event in ami.events}
    assert {"Newchannel", "DialState", "UserEvent", "Hangup"} <= kinds
    assert kinds.isdisjoint({"Newexten", "VarSet", "RTCPSent", "RTCPReceived", "TestEvent"})
