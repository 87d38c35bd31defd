"""Each recorded stream comes out as its first line says, and no part of it can break the listener."""

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cti.ami.call_tracker import CallTracker
from cti.ami.listener import CallListener
from cti.bus import EventBus
from cti.model.calls import Call, CallState
from cti.model.events import CallMoved, Event, LegGone, LegUp
from cti.model.ids import call_of_channel
from cti.model.stories import Stay, Story
from tests.fakes.clock import FakeClock
from tests.replay.replay_client import Line, ReplayClient

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.jsonl"))
NAMES = [stream.stem for stream in STREAMS]
STORIES_ASKED_FOR = {
    "answered_customer_hangs_up_first",
    "answered_agents_phone_hangs_up_first",
    "busy",
    "no_answer",
    "refused_404",
    "refused_480",
    "refused_503",
    "machine",
    "answered_never_fetched",
    "answered_hangs_up_before_the_grace_ends",
    "agents_phone_dies_while_talking",
    "cut_and_still_talking",
    "cut_and_gone_by_the_records",
    "detected_person",
    "detected_machine_hung_up",
    "detected_machine_voicemail",
    "detected_machine_to_agent",
    "detected_fax",
    "cut_in_the_detection",
}
END = 30.0
"""Seconds that pass after the last line of a stream."""


class Records:
    """The node's own records, as they were when the stream was recorded."""

    def __init__(self, story: Story | None) -> None:
        self._story = story

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        return self._story if self._story and self._story.channel_id == channel_id else None


class Replay:
    """One stream, or a part of it, played to a real listener and a real tracker."""

    def __init__(self, first: dict[str, Any], lines: list[Line]) -> None:
        self.told: list[Event] = []
        self.call = _call(first["call"])
        began = datetime.fromisoformat(first["began"])
        self._clock = FakeClock(began)
        self._tracker = CallTracker()
        self._client = ReplayClient([dict(line) for line in lines], self._clock, began)
        bus = EventBus()
        bus.tap(self.told.append)
        self._listener = CallListener(
            client=self._client,
            tracker=self._tracker,
            bus=bus,
            stories=Records(_records(first["records"])),
            clock=self._clock,
        )

    async def play(self) -> None:
        placed = False
        while (line := self._client.peek()) is not None:
            if line.get("ordered", {}).get("Action") == "Originate":
                placed = placed or line["ordered"]["ChannelId"] == self.call.channel_id
                if placed and self._tracker.get(self.call.id) is None:
                    self._tracker.place(self.call)
                self._client.skip()
            elif "ordered" in line:
                self._order(line["ordered"])
                self._client.skip()
            elif "asked" in line:
                await self._sweep()
            else:
                await self._listener.step()
        for _ in range(10):
            self._clock.advance(END / 10)
            await self._listener.sweep()

    def follow_from_the_start(self) -> None:
        """The order is not in the part that is played: the call is known from before."""
        self._tracker.place(self.call)

    def ended(self) -> Call:
        calls = [e.call for e in self.told if isinstance(e, CallMoved) and e.call.ended]
        assert len(calls) == 1, f"{len(calls)} ends of one call"
        return calls[0]

    def moves(self) -> list[CallMoved]:
        return [event for event in self.told if isinstance(event, CallMoved)]

    def open(self) -> Call | None:
        return self._tracker.get(self.call.id)

    def _order(self, action: dict[str, Any]) -> None:
        if action["Action"] == "Hangup" and call_of_channel(action["Channel"]):
            self._tracker.hang_up_asked(action["Channel"])

    async def _sweep(self) -> None:
        """The listener asked here when it was recorded; it asks again, or has no reason to."""
        before = self._client.peek()
        self._clock.advance(max(0.0, before["at"] - self._passed()) if before else 0.0)
        await self._listener.sweep()
        if self._client.peek() is before:
            self._client.skip()

    def _passed(self) -> float:
        return self._clock.monotonic()


def read(name: str) -> tuple[dict[str, Any], list[Line]]:
    path = Path(__file__).parent / "streams" / f"{name}.jsonl"
    first, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return first, lines


def _call(given: dict[str, Any]) -> Call:
    return Call(**given | {"placed_at": datetime.fromisoformat(given["placed_at"])})


def _records(given: dict[str, Any] | None) -> Story | None:
    if given is None:
        return None
    stays = tuple(Stay(**_times(stay)) for stay in given["stays"])
    return Story(**_times(given) | {"stays": stays})


def _times(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value else value
        for name, value in given.items()
    }


@pytest.mark.parametrize("name", NAMES)
async def test_a_stream_comes_out_as_its_first_line_says(name: str) -> None:
    first, lines = read(name)
    replay = Replay(first, lines)
    await replay.play()
    call = replay.ended()
    counted = {"joins": len(call.joins), "voicemail": call.voicemail_at is not None}
    got = {field.name: getattr(call, field.name) for field in fields(call)} | counted
    assert {key: got[key] for key in first["expect"]} == first["expect"]
    assert [type(e).__name__ for e in replay.told if isinstance(e, LegUp | LegGone)] == first["legs"]
    assert_plausible(replay)


@pytest.mark.parametrize("name", NAMES)
async def test_every_rest_of_a_stream_can_be_heard(name: str) -> None:
    """As after a connect in the middle of it: nothing raises, and what ends stays ended."""
    first, lines = read(name)
    for start in range(1, len(lines)):
        replay = Replay(first, [{"at": lines[start]["at"], "connected": True}, *lines[start:]])
        replay.follow_from_the_start()
        await replay.play()
        assert_plausible(replay)
        assert replay.open() is None, f"still open when heard from line {start} on"


@pytest.mark.parametrize("name", NAMES)
async def test_a_stream_that_stops_anywhere_leaves_no_call_open_for_ever(name: str) -> None:
    first, lines = read(name)
    for end in range(1, len(lines)):
        replay = Replay(first, lines[:end])
        await replay.play()
        assert_plausible(replay)


@pytest.mark.parametrize("name", NAMES)
def test_no_stream_tells_of_the_machine_it_was_recorded_on(name: str) -> None:
    text = (Path(__file__).parent / "streams" / f"{name}.jsonl").read_text(encoding="utf-8")
    for folder in (str(Path.cwd()), str(Path.home()), "/tmp/", "/home/", "/var/", "/usr/", "/etc/", "/opt/"):
        assert folder not in text


def test_the_stories_asked_for_are_there() -> None:
    assert set(NAMES) >= STORIES_ASKED_FOR


def assert_plausible(replay: Replay) -> None:
    order = list(CallState)
    reached = -1
    for moved in replay.moves():
        call = moved.call
        assert order.index(call.state) >= reached, f"{call.state} after {order[reached]}"
        reached = order.index(call.state)
        times = [call.placed_at, call.dialing_at, call.ringing_at, call.answered_at, call.ended_at]
        known = [time for time in times if time is not None]
        assert known == sorted(known)
    # Told once; what was half heard may be corrected by the records afterwards, and stays ended.
    ends = [moved for moved in replay.moves() if moved.call.ended]
    assert sum(moved.before is not CallState.ENDED for moved in ends) <= 1
