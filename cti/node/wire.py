"""Listens to a node's events while it is being checked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cti.ami.message import Message
from cti.ami.ports import AmiClient
from cti.clock import Clock


@dataclass(frozen=True, slots=True)
class Heard:
    """One event, and when it came by our clock."""

    event: Message
    at: datetime


class Wire:
    """Keeps all events of a check, which is short, and lets many wait for what they expect."""

    def __init__(self, ami: AmiClient, clock: Clock) -> None:
        self._ami = ami
        self._clock = clock
        self._news = asyncio.Event()
        self.heard: list[Heard] = []

    async def listen(self) -> None:
        """Take events until cancelled."""
        while True:
            happening = await self._ami.next()
            if isinstance(happening, Message):
                self.heard.append(Heard(happening, self._clock.now()))
                self._news.set()

    def find(self, **headers: str) -> list[Message]:
        """Return the events so far that have these headers."""
        return [heard.event for heard in self.heard if _has(heard.event, headers)]

    async def expect(self, seconds: float, **headers: str) -> Message | None:
        """Return the first event that has these headers, waiting for it; None when it does not come in time."""
        found = await self.until(seconds, lambda: bool(self.find(**headers)))
        return self.find(**headers)[0] if found else None

    async def until(self, seconds: float, true: Callable[[], bool]) -> bool:
        """Wait until what was heard makes it true; False when that takes too long."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


def _has(event: Message, headers: dict[str, str]) -> bool:
    return all(event.text(name) == value for name, value in headers.items())
