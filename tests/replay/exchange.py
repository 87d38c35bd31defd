"""The AMI side of the daemon on one real node, without dialer and database: for recordings and tests on the lab."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cti.ami.call_tracker import CallTracker
from cti.ami.lines import AmiLines
from cti.ami.listener import CallListener
from cti.ami.panoramisk_client import AmiAccount, PanoramiskClient, Patience
from cti.ami.ports import StoryOf
from cti.ami.recorder import RecordingClient
from cti.bus import EventBus
from cti.clock import SystemClock
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.campaign_rules import NO_DETECTION, MachineRules
from cti.model.events import CallMoved, Event, LegGone, LegUp, NodeUp
from cti.model.ids import new_call_id, new_leg_channel
from cti.model.stories import Story
from cti.service import running

NODE = "pbx"
SECONDS = 20.0


class NoStories:
    """A node whose records cannot be read."""

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        return None


@dataclass(kw_only=True)
class Exchange:
    """Everything between us and one node, and all that the bus was told."""

    client: PanoramiskClient
    tracker: CallTracker
    lines: AmiLines
    told: list[Event] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, event: Event) -> None:
        self.told.append(event)
        self.news.set()

    def cut(self) -> None:
        """Cut the connection under the client."""
        assert self.client._link is not None
        self.client._link.protocol.transport.abort()

    async def until(self, wanted: Callable[[Event], bool], *, after: int = 0) -> Event:
        """Wait until such an event was told, and return it."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = next((event for event in self.told[after:] if wanted(event)), None)
                if found is not None:
                    return found
                self.news.clear()
                await self.news.wait()

    async def call(self, call: Call, wanted: Callable[[Call], bool]) -> Call:
        """Wait until the call is so."""
        event = await self.until(
            lambda e: isinstance(e, CallMoved) and e.call.id == call.id and wanted(e.call)
        )
        assert isinstance(event, CallMoved)
        return event.call

    async def ended(self, call: Call) -> Call:
        return await self.call(call, lambda c: c.ended)

    async def place(
        self, number: str, *, message: str = "beep", rules: MachineRules = NO_DETECTION, **given: object
    ) -> Call:
        """Order a call."""
        call = a_call_to(number, machines=rules.wanted, **given)
        for event in self.tracker.place(call):
            self.hear(event)
        await self.lines.place(call, caller_id="+49301", message=message, machines=rules)
        return call

    async def log_in(self, endpoint: str, agent_id: int = 1) -> Agent:
        """Call a phone; return its agent when the leg is up."""
        channel_id = new_leg_channel(agent_id)
        agent = Agent(id=agent_id, login=f"agent{agent_id}", name="Agent", endpoint=endpoint, node=NODE)
        await self.lines.call_phone(agent, channel_id)
        up = await self.until(lambda e: isinstance(e, LegUp | LegGone) and e.channel_id == channel_id)
        assert isinstance(up, LegUp), up
        return Agent(
            id=agent_id,
            login=agent.login,
            name=agent.name,
            endpoint=endpoint,
            node=NODE,
            channel_id=channel_id,
            channel=up.channel,
        )


def a_call_to(number: str, **given: object) -> Call:
    """Make a call that is about to be placed."""
    now = SystemClock().now()
    values: dict[str, object] = {"ring_seconds": 8.0, "grace_seconds": 2.0, "trunk": "carrier"}
    values |= given
    return Call(id=new_call_id(now), node=NODE, number=number, placed_at=now, **values)  # type: ignore[arg-type]


@asynccontextmanager
async def an_exchange(
    account: AmiAccount,
    *,
    stories: StoryOf | None = None,
    write: Callable[[str], object] | None = None,
    retry_seconds: float = 0.1,
    calls: tuple[Call, ...] = (),
) -> AsyncIterator[Exchange]:
    """Give it, connected and caught up; `write` gets the stream as JSON lines, `calls` are open from before."""
    clock, bus, tracker = SystemClock(), EventBus(), CallTracker()
    for call in calls:
        tracker.place(call)
    client = PanoramiskClient(
        account, patience=Patience(retry_first=retry_seconds, retry_longest=retry_seconds)
    )
    recording = RecordingClient(client, write=write or (lambda line: None), clock=clock)
    lines = AmiLines(clients={NODE: recording}, tracker=tracker)
    exchange = Exchange(client=client, tracker=tracker, lines=lines)
    bus.tap(exchange.hear)
    listener = CallListener(
        client=recording, tracker=tracker, bus=bus, stories=stories or NoStories(), clock=clock
    )
    async with running(listener, recording, client):
        await exchange.until(lambda event: isinstance(event, NodeUp))
        yield exchange
