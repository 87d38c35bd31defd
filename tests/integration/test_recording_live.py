"""Recordings while the call goes on: held, moved between agents, paused. Real Asterisk, real service, real files."""

import asyncio
import base64
import hashlib
import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile

from cti.model.ids import new_call_id
from cti.recording.ports import Samples
from lab import Lab
from lab.ami import Ami
from lab.daemon import ADMIN_TOKEN
from lab.softphone import Behaviour, audio, share_of_tone, tone
from tests.fakes.s3_server import KEYS, s3_server
from tests.integration.calls import PlacedCall, keep_leg
from tests.integration.customers import AGENT_TONE, CUSTOMER_TONE
from tests.integration.floor_lab import CAMPAIGN, FloorLab, open_floor, until, until_so

CUSTOMER, FIRST, SECOND = 600, 1000, 1500
RATE = 8000
STAYS = "+4930200009901"
"""600 Hz until somebody hangs up."""
TALKS = "+4930201039901"
"""600 Hz for three seconds."""
SLACK = 0.15
"""Seconds around a change in which either is right: an order's way, a jitter buffer, the audiohook's frames."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A recording, and the wall clock of its first sample."""

    samples: Samples
    began: float

    def share(self, channel: int, frequency: int, start: float, end: float) -> float:
        """Return how much of a stretch (wall clock) is this tone, leaving the slack at both ends out."""
        return share_of_tone(audio.encode(self._cut(channel, start, end).tolist()), frequency)

    def loudest(self, channel: int, start: float, end: float) -> int:
        return int(np.abs(self._cut(channel, start, end).astype(int)).max())

    def _cut(self, channel: int, start: float, end: float) -> Any:
        first, last = (round((at - self.began) * RATE) for at in (start + SLACK, end - SLACK))
        assert 0 <= first < last <= len(self.samples), (first, last, len(self.samples))
        return self.samples[first:last, channel]


def stereo(raw: bytes) -> Samples:
    return np.frombuffer(raw, "<i2").reshape(-1, 2)


async def when(ami: Ami, name: str, **fields: str) -> float:
    return float((await ami.expect(name, **fields))["Timestamp"])


async def test_one_file_goes_on_while_the_customer_is_held_and_moved_to_another_agent(lab: Lab) -> None:
    async with lab.pbx.ami() as ami, lab.phones(2, Behaviour(voice=tone(FIRST))) as [one, two]:
        leg, other = await keep_leg(ami, one.user), await keep_leg(ami, two.user)
        assert two.call
        two.call.speak(tone(SECOND))
        call = PlacedCall(
            id=new_call_id(datetime.now(UTC)), number="+49123009900", ami=ami, grace=30, record=True
        )
        await call.place()
        began = float((await call.user_event("CtiWaiting"))["Timestamp"])
        await call.take(leg)
        joined = await when(ami, "BridgeEnter", Uniqueid=call.channel)
        await asyncio.sleep(1.5)
        held = await put_on_hold(ami, call, 1)
        await asyncio.sleep(1.5)
        moved = await join(ami, call, other, 2)
        await asyncio.sleep(1.5)
        # From one agent to the next as fast as it goes, and by way of the dialplan: see decision 0094.
        left = await put_on_hold(ami, call, 2)
        back = await join(ami, call, leg, 3)
        await asyncio.sleep(1.5)
        await ami.action("Hangup", Channel=call.channel, Cause=16)
        ended = float((await call.hangup())["Timestamp"])
        await asyncio.sleep(0.5)
    files = list(lab.pbx.recordings.rglob(f"*{call.id}*"))
    assert [file.suffix for file in files] == [".raw"]
    heard = Heard(samples=stereo(files[0].read_bytes()), began=began)
    assert abs(len(heard.samples) / RATE - (ended - began)) < 0.15
    assert heard.share(0, CUSTOMER, joined, ended) > 0.9
    assert heard.share(1, FIRST, joined, held) > 0.9
    assert heard.loudest(1, held, moved) == 0
    assert heard.share(1, SECOND, moved, left) > 0.9
    assert heard.share(1, FIRST, back, ended) > 0.9


async def put_on_hold(ami: Ami, call: PlacedCall, times: int) -> float:
    """Send the customer back into the dialplan, where he is alone; return when he left the agent."""
    name = str((await ami.expect("Newchannel", Uniqueid=call.channel))["Channel"])  # Redirect takes no id
    await ami.action("Redirect", Channel=name, Context="cti-customer", Exten="s", Priority="waiting")
    return await bridged(ami, "BridgeLeave", call, times)


async def join(ami: Ami, call: PlacedCall, leg: str, times: int) -> float:
    """Join the customer with an agent's leg; return when."""
    await ami.action("Bridge", Channel1=call.channel, Channel2=leg, Tone="no")
    return await bridged(ami, "BridgeEnter", call, times)


async def bridged(ami: Ami, event: str, call: PlacedCall, times: int) -> float:
    """Wait until the customer has entered, or left, so many bridges; return when he did the last time."""
    while len(found := ami.seen(event, Uniqueid=call.channel)) < times:
        await asyncio.sleep(0.02)
    return float(found[times - 1]["Timestamp"])


async def test_a_pause_leaves_no_sound_no_gap_and_survives_the_service(
    fresh_lab: Lab, tmp_path: Path
) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=1, trunk="carrier") as floor:
        await floor.import_numbers([STAYS])
        await floor.daemon.post(f"campaigns/{CAMPAIGN}/start")
        calls = await until(
            floor.calls, lambda calls: STAYS in calls and calls[STAYS]["state"] == "connected", "they talk"
        )
        call_id = calls[STAYS]["id"]
        await asyncio.sleep(1.0)
        told = await floor.daemon.post(f"calls/{call_id}/recording/pause")
        assert told == {"call_id": call_id, "paused": True, "changed": True}
        # A service that dies knows of the pause when it is back, and can end it.
        await floor.daemon.kill()
        await floor.daemon.start()
        await until(
            lambda: floor.daemon.get("floor"),
            lambda now: [call["id"] for call in now["calls"]] == [call_id],
            "the call is known again",
        )
        assert (await floor.daemon.post(f"calls/{call_id}/recording/pause"))["changed"] is False
        assert (await floor.daemon.post(f"calls/{call_id}/recording/resume"))["changed"] is True
        await asyncio.sleep(1.0)
        await floor.daemon.post(f"calls/{call_id}/recording/pause")
        await asyncio.sleep(0.7)
        await floor.daemon.post("agents/a001/hangup")
        call = await until(
            lambda: floor.daemon.get(f"calls/{call_id}"),
            lambda call: bool(call["recording_path"]),
            "it is kept",
        )
        facts = await floor.daemon.get(f"calls/{call_id}/recording/facts")
        sound = await _recording(floor, call_id)
    lasted = _seconds(call["ended_at"]) - _seconds(call["answered_at"])
    heard = Heard(samples=stereo(sound[44:]), began=_seconds(call["answered_at"]))
    assert abs(len(heard.samples) / RATE - lasted) < 0.15
    first, second = facts["pauses"]
    assert second["ended_at"] == call["ended_at"]
    for pause in facts["pauses"]:
        span = (_seconds(pause["began_at"]), _seconds(pause["ended_at"]))
        assert [heard.loudest(channel, *span) for channel in (0, 1)] == [0, 0]
        assert pause["start"] == round(span[0] - heard.began, 3)
    for start, end in (
        (_seconds(call["connected_at"]), _seconds(first["began_at"])),
        (_seconds(first["ended_at"]), _seconds(second["began_at"])),
    ):
        assert heard.share(0, CUSTOMER_TONE, start, end) > 0.9
        assert heard.share(1, AGENT_TONE, start, end) > 0.9


async def test_a_call_ends_up_small_sealed_and_far_away_and_is_heard_all_the_same(
    fresh_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = ("a:" + base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2))
    new = new.replace("a:", "b:")
    with s3_server(tmp_path / "s3.log") as place:
        for name, value in {
            **KEYS,
            "WAIHU_RECORDING_KEY": old,
            "WAIHU_RECORDING__COMPRESS": "opus",
            "WAIHU_RECORDING__TEMPLATE": "{date}/{campaign}/{agent}-{call_id}",
            "WAIHU_RECORDING__S3__BUCKET": place.bucket,
            "WAIHU_RECORDING__S3__ENDPOINT": place.endpoint,
            "WAIHU_RECORDING__S3__REGION": place.region,
            "WAIHU_RECORDING__S3__PREFIX": "site-1",
        }.items():
            monkeypatch.setenv(name, value)
        folder = tmp_path / "cti"
        async with open_floor(fresh_lab, folder, agents=1, trunk="carrier") as floor:
            await floor.import_numbers([TALKS])
            await floor.daemon.post(f"campaigns/{CAMPAIGN}/start")
            await floor.finished()
            call = (await floor.calls())[TALKS]
            path = f"calls/{call['id']}/recording"
            facts = await until(
                lambda: floor.daemon.get(f"{path}/facts"), lambda facts: facts["place"] == "s3", "it is moved"
            )
            assert (facts["format"], facts["encrypted"], facts["problem"]) == ("opus", True, None)
            at = call["placed_at"][:10]
            assert facts["path"] == f"{at}/{CAMPAIGN}/a001-{call['id']}.opus.sealed"
            await until_so(lambda: not _sound_files(folder / "recordings"), "nothing is left here")
            await _heard(floor, call, facts)
            assert (await floor.daemon.post("recordings/verify"))["checked"] == 1
            await floor.daemon.stop()
            monkeypatch.setenv("WAIHU_RECORDING_KEY", f"{new},{old}")
            await floor.daemon.start()
            assert (await floor.daemon.post("recordings/rotate"))["ordered"] == 1
            await until(
                lambda: floor.daemon.get("recordings/rotation"),
                lambda told: told["left"] == 0,
                "it is sealed anew",
            )
            await floor.daemon.stop()
            monkeypatch.setenv("WAIHU_RECORDING_KEY", new)
            await floor.daemon.start()
            told = await floor.daemon.post("recordings/verify")
            assert (told["checked"], told["bad"]) == (1, [])
            await _heard(floor, call, facts)


async def test_a_full_disk_stops_recording_and_no_call(
    fresh_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=1, trunk="carrier") as floor:
        await floor.daemon.stop()
        monkeypatch.setenv("WAIHU_RECORDING__LEAST_FREE_BYTES", str(10**18))
        await floor.daemon.start(well=False)
        told = await until(floor.daemon.health, lambda told: told["recording"] == "stopped", "it is told")
        assert told["status"] == "degraded"
        assert {one["node"] for one in told["recording_stopped"]} == {None, "pbx"}
        await floor.all_agents("ready")
        await floor.import_numbers([TALKS])
        await floor.daemon.post(f"campaigns/{CAMPAIGN}/start")
        await floor.finished()
        call = (await floor.calls())[TALKS]
        assert (call["outcome"], call["recording_path"], call["recording_problem"]) == (
            "connected",
            None,
            None,
        )
        assert _sound_files(fresh_lab.pbx.recordings) == []
        assert "calls are placed without recording" in floor.daemon.log.read_text()
        assert floor.daemon.log.read_text().count("calls are placed without recording on pbx") == 1


async def _heard(floor: FloorLab, call: dict[str, Any], facts: dict[str, Any]) -> None:
    """Both voices are in what is played, and a player may jump in it."""
    sound = await _recording(floor, call["id"])
    assert len(sound) == facts["size_bytes"]
    assert hashlib.sha256(sound).hexdigest() == facts["sha256"]
    samples, rate = soundfile.read(io.BytesIO(sound), dtype="int16")
    assert (rate, samples.shape[1]) == (RATE, 2)
    middle = samples[len(samples) // 2 : len(samples) // 2 + RATE]
    assert share_of_tone(audio.encode(middle[:, 0].tolist()), CUSTOMER_TONE) > 0.9
    assert share_of_tone(audio.encode(middle[:, 1].tolist()), AGENT_TONE) > 0.9
    assert await _recording(floor, call["id"], Range="bytes=100-199") == sound[100:200]
    peaks = await floor.daemon.get(f"calls/{call['id']}/recording/peaks")
    assert len(peaks["customer"]["high"]) == math.ceil(round(len(samples) / RATE * 10, 6))


def _sound_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def _recording(floor: FloorLab, call_id: str, **headers: str) -> bytes:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", **headers}
    async with (
        aiohttp.ClientSession(headers=headers, raise_for_status=True) as session,
        session.get(f"{floor.daemon.url}/api/v1/calls/{call_id}/recording") as answer,
    ):
        return await answer.read()
