"""A bounded queue for what comes from Asterisk. It loses nothing in silence: what does not fit leaves a gap."""

import asyncio
import logging
from collections import deque

from cti.ami.ports import Connected, Gap, Happening, Lost

log = logging.getLogger(__name__)


class Inbox:
    """First in, first out, for one reader. When it is full, messages are counted in a `Gap` at their place."""

    def __init__(self, node: str, size: int) -> None:
        self._node = node
        self._size = size
        self._queue: deque[Happening] = deque()
        self._filled = asyncio.Event()
        self.missed = 0
        """Messages thrown away since the start."""

    def put(self, happening: Happening) -> None:
        """Put it in. Connects and disconnects always fit: there are few, and nobody can do without them."""
        if len(self._queue) >= self._size and not isinstance(happening, Connected | Lost):
            self._miss()
        else:
            self._queue.append(happening)
        self._filled.set()

    async def next(self) -> Happening:
        """Return the oldest, waiting for it."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        return self._queue.popleft()

    def __len__(self) -> int:
        return len(self._queue)

    def _miss(self) -> None:
        self.missed += 1
        last = self._queue[-1]
        if isinstance(last, Gap):
            self._queue[-1] = Gap(missed=last.missed + 1)
            return
        log.error(
            "node %s: %d messages wait to be read; the newest are thrown away, and Asterisk will be asked what is up",
            self._node,
            len(self._queue),
        )
        self._queue.append(Gap(missed=1))
