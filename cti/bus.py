"""In-process fan-out of events.

Two ways to listen. A *tap* is called at once, in order, and must neither wait nor raise: the dialer and the journal,
which may miss nothing. A *subscription* is a bounded queue for those who may fall behind (a browser on a slow line):
when it is full the newest event is not put in, and the count of those is told by `missed`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cti.model.events import Event

log = logging.getLogger(__name__)

Tap = Callable[[Event], None]


class Subscription:
    """A bounded queue of events; iterate over it."""

    def __init__(self, size: int) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue(size)
        self.missed = 0
        """Events that did not fit since the last look; whoever shows them should say so and reload."""

    def offer(self, event: Event) -> None:
        """Put the event in, or count it as missed."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.missed += 1

    async def get(self) -> Event:
        """Return the next event, waiting for it."""
        return await self._queue.get()


class EventBus:
    """Hands each event to all taps, then to all subscriptions."""

    def __init__(self) -> None:
        self._taps: list[Tap] = []
        self._subscriptions: set[Subscription] = set()
        self._queue: deque[Event] = deque()

    def tap(self, tap: Tap) -> None:
        """Call `tap` with each event from now on, before any subscription sees it."""
        self._taps.append(tap)

    def publish(self, event: Event) -> None:
        """Hand the event on. One broken tap neither stops the others nor the publisher.

        What a tap publishes itself is handed on after the event it answers, so that all see the same order.
        """
        self._queue.append(event)
        if len(self._queue) > 1:
            return
        while self._queue:
            self._hand_on(self._queue[0])
            self._queue.popleft()

    def _hand_on(self, event: Event) -> None:
        for tap in self._taps:
            try:
                tap(event)
            except Exception:
                log.exception("a listener failed on %s", type(event).__name__)
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, size: int = 1000) -> Iterator[Subscription]:
        """Give a queue of at most `size` events for as long as the block lasts."""
        subscription = Subscription(size)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
