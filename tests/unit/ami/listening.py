"""A listener with everything around it, on a connection that the test makes and breaks."""

from typing import Any

from cti.ami.call_tracker import CallTracker
from cti.ami.listener import CallListener
from cti.ami.message import Message
from cti.bus import EventBus
from cti.errors import StorageError
from cti.model.calls import Call
from cti.model.events import CallMoved, Event
from cti.model.stories import Story
from tests.fakes.ami_client import FakeAmiClient
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
