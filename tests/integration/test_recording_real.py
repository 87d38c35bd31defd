"""Recordings and records of a real Asterisk: MixMonitor's file becomes a WAV file, CEL's rows agree with AMI."""

import array
import asyncio
import os
import signal
import sys
import wave
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.bus import EventBus
from cti.clock import SystemClock
from cti.model.calls import Call, CallState, EndReason, Join
from cti.model.events import Event, RecordingReady
from cti.model.ids import call_channel, new_call_id
from cti.model.work import COLLECT_RECORDING, NewWork, Work
from cti.node.cel import CelFolder
from cti.recording.archive import Archive
from cti.recording.collector import RecordingCollector
from cti.recording.naming import recording_name
from cti.recording.plan import ArchivePlan
from cti.reports.reconcile import differences
from cti.service import running
from cti.work.backoff import RetryPlan
from cti.work.runner import WorkRunner
from lab import Lab
from lab.ami import Ami, Message
from lab.softphone import Behaviour, audio, share_of_tone, tone
from tests.fakes.memory_store import MemoryStore
from tests.integration.calls import PlacedCall, keep_leg

CUSTOMER, AGENT = 600, 1000
ENDED = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RecordedCall(PlacedCall):
    """A call with an id and a recording's name of the service's own making."""

    @property
    def recording(self) -> str:
        return recording_name(self.id, datetime.now(UTC))


class Desk:
    """A runner of work with a collector that reads the lab's folder."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.store, self.bus = MemoryStore(), EventBus()
        self.events: list[Event] = []
        self.bus.tap(self.events.append)
        collector = RecordingCollector(
            store=self.store.recordings,
            bus=self.bus,
            clock=SystemClock(),
            raw_folders={"pbx": lab.pbx.recordings},
            archive=Archive.open(ArchivePlan(folder=folder)),
        )
        self.runner = WorkRunner(
            store=self.store.work,
            handlers={COLLECT_RECORDING: collector.collect},
            clock=SystemClock(),
            poll_seconds=0.1,
            plan=RetryPlan(first_seconds=0.2, ceiling_seconds=0.2),
        )

    async def order(self, call: Call, ended_at: datetime) -> None:
        assert call.answered_at
        assert call.recording
        self.store.tables.calls[call.id] = call
        payload = {"call_id": call.id, "node": "pbx", "name": call.recording}
        times = {"answered_at": call.answered_at.isoformat(), "ended_at": ended_at.isoformat()}
        await self.store.work.add(
            [NewWork(kind=COLLECT_RECORDING, key=call.id, payload=payload | times)], now=datetime.now(UTC)
        )
        self.runner.wake()

    async def done(self) -> None:
        while any(row.standing != "done" for row in self.store.tables.works.values()):
            await asyncio.sleep(0.05)


def moment(event: Message) -> datetime:
    return datetime.fromtimestamp(float(event["Timestamp"]), UTC)


async def talk(ami: Ami, leg: str, seconds: float) -> Call:
    """Place a call, join it with the leg for so long, hang up; return it as AMI told it."""
    placed_at = datetime.now(UTC)
    placed = RecordedCall(id=new_call_id(placed_at), number="+49123009900", ami=ami, grace=5, record=True)
    name = placed.recording
    await placed.place()
    await placed.user_event("CtiWaiting")
    await placed.take(leg)
    entered = await ami.expect("BridgeEnter", Uniqueid=placed.channel)
    joined = await ami.expect("BridgeEnter", Uniqueid=leg, BridgeUniqueid=entered["BridgeUniqueid"])
    await asyncio.sleep(seconds)
    await ami.action("Hangup", Channel=placed.channel, Cause=16)
    left = await ami.expect("BridgeLeave", Uniqueid=placed.channel)
    ended = await placed.hangup()
    [answered] = [
        event for event in ami.seen("Newstate", Uniqueid=placed.channel) if event["ChannelState"] == "6"
    ]
    return Call(
        id=placed.id,
        node="pbx",
        number=placed.number,
        placed_at=placed_at,
        state=CallState.ENDED,
        channel=ended["Channel"],
        answered_at=moment(answered),
        joins=(Join(agent_id=1, channel_id=leg, joined_at=moment(joined), left_at=moment(left)),),
        ended_at=moment(ended),
        end_reason=EndReason.HUNG_UP,
        cause=int(ended["Cause"]),
        recording=name,
    )


async def test_a_real_recording_becomes_a_wav_file_with_a_voice_on_each_side(
    lab: Lab, tmp_path: Path
) -> None:
    desk = Desk(lab, tmp_path)
    async with (
        lab.pbx.ami() as ami,
        lab.phones(1, Behaviour(voice=tone(AGENT))) as [line],
        running(desk.runner),
    ):
        call = await talk(ami, await keep_leg(ami, line.user), 2.0)
        assert call.ended_at
        await desk.order(call, call.ended_at)
        await desk.done()
    [ready] = desk.events
    assert isinstance(ready, RecordingReady)
    facts = desk.store.tables.recordings[call.id]
    assert (facts.path, facts.problem) == (f"{call.recording}.wav", None)
    with wave.open(str(tmp_path / ready.path)) as kept:
        assert (kept.getnchannels(), kept.getframerate(), kept.getsampwidth()) == (2, 8000, 2)
        samples = array.array("h", kept.readframes(kept.getnframes()))
    assert facts.seconds == len(samples) / 2 / 8000
    end = samples[-2 * 8000 :]
    assert share_of_tone(audio.encode(end[0::2]), CUSTOMER) > 0.9
    assert share_of_tone(audio.encode(end[1::2]), AGENT) > 0.9
    assert not (lab.pbx.recordings / f"{call.recording}.raw").exists()


async def test_a_recording_that_still_goes_on_is_waited_for(lab: Lab, tmp_path: Path) -> None:
    desk = Desk(lab, tmp_path)
    async with lab.pbx.ami() as ami, running(desk.runner):
        placed_at = datetime.now(UTC)
        placed = RecordedCall(id=new_call_id(placed_at), number="+49123009900", ami=ami, grace=2, record=True)
        name = placed.recording
        await placed.place()
        answered_at = moment(await placed.user_event("CtiWaiting"))
        # The call is said to have ended before it really has.
        call = Call(
            id=placed.id,
            node="pbx",
            number="+1",
            placed_at=placed_at,
            answered_at=answered_at,
            recording=name,
        )
        await desk.order(call, answered_at + timedelta(seconds=2))
        assert desk.events == []
        ended_at = moment(await placed.hangup())
        await desk.done()
    seconds = desk.store.tables.recordings[call.id].seconds
    assert seconds is not None
    assert abs(seconds - (ended_at - answered_at).total_seconds()) < 0.2


async def test_what_ami_told_agrees_with_what_the_node_wrote_down(lab: Lab) -> None:
    cel = CelFolder({"pbx": lab.pbx.cel / "cti.csv"})
    async with lab.pbx.ami() as ami, lab.phones(1) as [line]:
        leg = await keep_leg(ami, line.user)
        calls = [await talk(ami, leg, 0.5) for _ in range(3)]
    stories = {story.channel_id: story for story in await cel.all_since("pbx", calls[0].placed_at)}
    assert {call_channel(call.id) for call in calls} <= set(stories)
    assert differences(calls, stories) == []
    for call in calls:
        told = stories[call_channel(call.id)]
        assert await cel.of_channel("pbx", call_channel(call.id)) == told
        [stay] = told.stays
        assert stay.peer
        assert stay.peer.startswith(f"PJSIP/{line.user}-")


KILLED_IN = ["files.os.fsync", "files._sync_folder", "collector.RecordingCollector._kept", "collector.remove"]
"""Steps of a collection, in their order: the process dies as it begins one of them."""


@pytest.mark.parametrize("step", KILLED_IN)
async def test_a_collection_that_was_killed_is_done_again_and_comes_out_whole(
    tmp_path: Path, step: str
) -> None:
    call = Call(
        id="0" * 32,
        node="pbx",
        number="+1",
        placed_at=ENDED,
        answered_at=ENDED - timedelta(seconds=2),
        ended_at=ENDED,
    )
    raw = tmp_path / "raw" / f"{recording_name(call.id, ENDED)}.raw"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(bytes(64_000))
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    dying = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(tmp_path), f"cti.recording.{step}", env=here
    )
    assert await dying.wait() == -signal.SIGKILL
    assert raw.exists()
    await collect(tmp_path)
    kept = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in kept] == [64_044]
    assert not raw.exists()


async def collect(folder: Path) -> None:
    """Collect one recording below the folder, once."""
    store = MemoryStore()
    call_id = "0" * 32
    store.tables.calls[call_id] = Call(id=call_id, node="pbx", number="+1", placed_at=ENDED)
    collector = RecordingCollector(
        store=store.recordings,
        bus=EventBus(),
        clock=SystemClock(),
        raw_folders={"pbx": folder / "raw"},
        archive=Archive.open(ArchivePlan(folder=folder / "kept")),
        settle_seconds=0,
    )
    payload = {"call_id": call_id, "node": "pbx", "name": recording_name(call_id, ENDED)}
    times = {"answered_at": (ENDED - timedelta(seconds=2)).isoformat(), "ended_at": ENDED.isoformat()}
    await collector.collect(
        Work(
            id=1,
            kind=COLLECT_RECORDING,
            key=call_id,
            version=1,
            payload=payload | times,
            attempts=1,
            lease="",
            leased_until=ENDED,
        )
    )


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    pytest.MonkeyPatch().setattr(sys.argv[2], _die)
    asyncio.run(collect(Path(sys.argv[1])))
