"""Listens to one node: what it says moves calls, legs and phones, and the bus is told. A service; gives no orders.

After every connect, and whenever messages were missed, Asterisk is asked what is up. What it says meanwhile waits in
the client's inbox, and is read before the answer is believed. A call that is not there is asked for a second time
before it is settled: its hang-up may still be on its way to us, or its Originate still on its way to Asterisk.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Final

from cti.ami.call_tracker import CallTracker
from cti.ami.half_heard import HalfHeard, amended
from cti.ami.message import Message
from cti.ami.ports import AmiClient, ChannelFacts, Connected, Gap, Lost, NodeMemory, StoryOf
from cti.ami.reading import signal_of
from cti.ami.views import View, channels_up, look, peer_of
from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import CtiError, NodeError
from cti.model.calls import Call, CallState
from cti.model.events import CallMoved, Event, NodeLost, NodeUp
from cti.model.ids import LEG_PREFIX
from cti.model.stories import Story
from cti.service import every

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 0.5
LOOK_RETRY_SECONDS: Final = 1.0
SECOND_LOOK: Final = timedelta(seconds=1)
PLACING_LOOK: Final = timedelta(seconds=5)
"""Since it was placed. Asterisk makes a channel within milliseconds of an Originate, a loaded one within a second."""
STORY_LOOKS: Final = 3
"""A story without an end is read so often again: Asterisk may be about to write it."""
BREATH: Final = 200
"""Messages read in a row before others may run."""


class CallListener:
    """One node's messages, put to use."""

    def __init__(
        self,
        *,
        client: AmiClient,
        tracker: CallTracker,
        bus: EventBus,
        stories: StoryOf,
        clock: Clock,
        memory: NodeMemory | None = None,
        expected_legs: Callable[[str], Iterable[str]] = lambda node: (),
        expected_phones: Callable[[str], Iterable[str]] = lambda node: (),
    ) -> None:
        self._client = client
        self._tracker = tracker
        self._bus = bus
        self._stories = stories
        self._clock = clock
        self._memory = memory
        self._expected_legs = expected_legs
        self._expected_phones = expected_phones
        self._started: str | None = None
        self._connected = False
        self._caught_up = False
        self._lost_at: datetime | None = None
        self._half_heard = HalfHeard()

    @property
    def name(self) -> str:
        return f"listener-{self._client.node}"

    async def run(self) -> None:
        """Listen for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(every(SWEEP_SECONDS, self.sweep, name=f"sweep-{self._client.node}"))
            tasks.create_task(self._follow())

    async def _follow(self) -> None:
        # A run before this one may have failed while it asked.
        if not self._caught_up:
            await self._catch_up()
        while True:
            for _ in range(BREATH):
                await self.step()
            await asyncio.sleep(0)

    async def step(self) -> None:
        """Take what comes next, waiting for it."""
        if not self._take(await self._client.next()):
            await self._catch_up()

    def _take(self, happening: Message | Connected | Lost | Gap) -> bool:
        """Take one happening; False when Asterisk has to be asked what is up."""
        match happening:
            case Message():
                self._hear(happening)
            case Lost(reason=reason):
                self._lost_at = self._clock.now() if self._connected else self._lost_at
                self._connected = self._caught_up = False
                self._publish([NodeLost(node=self._client.node, reason=reason, at=self._clock.now())])
            case Connected() | Gap():
                self._connected, self._caught_up = True, False
                return False
        return True

    def _hear(self, message: Message) -> None:
        signal = signal_of(message, self._clock.now())
        if signal is not None:
            self._publish(self._tracker.apply(signal, self._client.node))

    async def _catch_up(self) -> None:
        """Ask what is up until the answer is complete and still true."""
        while self._connected:
            calls = self._tracker.open_calls(self._client.node)
            self._half_heard.watch(calls)
            # Before the look: a phone that is called during it is not in the answer, and not gone.
            legs = {
                *self._tracker.legs(self._client.node).ids(),
                *self._expected_legs(self._client.node),
            }
            self._tracker.bridges(self._client.node).clear()
            view = await self._look()
            if await self._drain() and view is not None:
                await self._take_over(view, calls, legs)
                return

    async def _look(self) -> View | None:
        try:
            return await look(self._client, self._clock)
        except NodeError as error:
            if self._client.connected:
                log.error("what is up cannot be asked; next try in %g s: %s", LOOK_RETRY_SECONDS, error)
                await asyncio.sleep(LOOK_RETRY_SECONDS)
            return None

    async def _drain(self) -> bool:
        """Read what came meanwhile; False when the connection changed or messages are missing."""
        whole = True
        for _ in range(self._client.pending()):
            happening = await self._client.next()
            whole = self._take(happening) and not isinstance(happening, Lost) and whole
        return whole and self._client.connected

    async def _take_over(self, view: View, calls: Sequence[Call], legs: Set[str]) -> None:
        restarted = await self._was_restarted(view)
        for channel_id, facts in view.channels.items():
            if facts.bridge_id is not None:
                self._tracker.bridges(self._client.node).found(channel_id, facts.channel, facts.bridge_id)
        self._take_over_legs(view, legs, restarted=restarted)
        talks = {channel_id for channel_id, facts in view.channels.items() if facts.bridge_id is not None}
        # Talks first: they began before the phones were looked at, and an agent's history does not go back in time.
        for call in calls:
            if call.channel_id in talks:
                await self._take_over_call(call, view, restarted=restarted)
        # Others after: nobody is joined with an agent whose phone is gone.
        self._take_over_phones(view)
        for call in calls:
            if call.channel_id not in talks:
                await self._take_over_call(call, view, restarted=restarted)
        self._caught_up = True
        self._publish(
            [NodeUp(node=self._client.node, version=view.version, restarted=restarted, at=self._clock.now())]
        )

    async def _was_restarted(self, view: View) -> bool:
        """Compare with the start seen last, by this daemon or the one before it."""
        known = self._started
        try:
            if self._memory is not None and known is None:
                known = await self._memory.node_started(self._client.node)
            if self._memory is not None:
                await self._memory.node_seen(self._client.node, view.started, view.at)
        except CtiError as error:
            log.warning("whether %s was restarted is not known: %s", self._client.node, error)
        self._started = view.started
        return known is not None and known != view.started

    def _take_over_legs(self, view: View, before: Set[str], *, restarted: bool) -> None:
        legs = self._tracker.legs(self._client.node)
        for channel_id, facts in view.channels.items():
            if channel_id.startswith(LEG_PREFIX) and facts.up and not legs.was_gone(channel_id):
                self._publish(legs.up(channel_id, facts.channel, view.at))
        for channel_id in sorted(before - view.channels.keys()):
            self._publish(legs.gone(channel_id, view.at, node_lost=restarted))

    def _take_over_phones(self, view: View) -> None:
        if view.contacts is not None:
            expected = self._expected_phones(self._client.node)
            phones = self._tracker.phones(self._client.node)
            self._publish(phones.reset(view.contacts, expected, view.at))

    async def _take_over_call(self, call: Call, view: View, *, restarted: bool) -> None:
        now = self._clock.now()
        being_made = call.state is CallState.PLACING and now - call.placed_at < PLACING_LOOK
        if self._tracker.get(call.id) is not call:
            self._tracker.look_again(call.id, now + SECOND_LOOK)
        elif call.channel_id in view.channels:
            self._half_heard.trust(call.id)
            await self._adopt(call, view.channels)
        elif restarted and not being_made:
            await self._settle(call, restarted=True)
        else:
            at = call.placed_at + PLACING_LOOK if being_made else now + SECOND_LOOK
            self._tracker.look_again(call.id, at, restarted=restarted)

    async def sweep(self) -> None:
        """End what failed without a word, and ask about calls that have been silent for too long."""
        now, node = self._clock.now(), self._client.node
        self._publish(self._tracker.give_up(now, node))
        await self._amend()
        silent = self._tracker.overdue(now, node)
        if not silent or not self._caught_up:
            return
        try:
            channels = await channels_up(self._client, self._clock)
        except NodeError as error:
            log.warning("%d silent calls cannot be asked about: %s", len(silent), error)
            return
        for call in silent:
            if self._tracker.get(call.id) is not call:
                continue
            if call.channel_id in channels:
                await self._adopt(call, channels)
            elif self._tracker.looks(call.id):
                await self._settle(call, restarted=False)
            else:
                # Its hang-up may wait in the inbox just now.
                self._tracker.look_again(call.id, now + SECOND_LOOK)

    async def _adopt(self, call: Call, channels: Mapping[str, ChannelFacts]) -> None:
        facts, peer = channels[call.channel_id], peer_of(call.channel_id, channels)
        joined = call.joined.channel_id if call.joined else None
        # Of one who waits only the records know whether the grace ended meanwhile; he must not be fetched then.
        waits = facts.up and call.state is not CallState.CONNECTED and call.dropped_at is None
        news = call.dialing_at is None or waits or peer != joined
        # Reading the node's records costs a look into a file; most calls went on as they were.
        story = await self._story(call) if news else None
        self._publish(self._tracker.adopt(call.id, facts, peer, story))

    async def _amend(self) -> None:
        """Correct ended calls of which something may have been missed."""
        for entry in self._half_heard.due():
            story = await self._story(entry.heard)
            if story is None or story.ended_at is None:
                continue
            self._half_heard.done(entry.heard.id)
            call = amended(entry, story, self._tracker.legs(self._client.node).known().get)
            if call != entry.heard:
                log.info("call %s ended half heard: %s, by the records", call.id, call.outcome)
                self._publish(
                    [CallMoved(before=CallState.ENDED, call=call, at=call.ended_at or call.placed_at)]
                )

    async def _settle(self, call: Call, *, restarted: bool) -> None:
        self._half_heard.trust(call.id)
        story = await self._story(call)
        # An Asterisk that died did so about when the connection went.
        now = (self._lost_at if restarted else None) or self._clock.now()
        unfinished = story is not None and story.ended_at is None and not restarted
        if unfinished and self._tracker.look_again(call.id, now + SECOND_LOOK) <= STORY_LOOKS:
            return
        moves = self._tracker.settle(call.id, story, restarted=restarted, now=now)
        for moved in moves:
            log.warning("call %s ended unheard: %s, %s", call.id, moved.call.outcome, moved.call.end_reason)
        self._publish(moves)

    async def _story(self, call: Call) -> Story | None:
        try:
            return await self._stories.of_channel(call.node, call.channel_id)
        except CtiError as error:
            log.warning("the records of %s cannot be read: %s", call.node, error)
            return None

    def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._half_heard.note(event)
            self._bus.publish(event)
