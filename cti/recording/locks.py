"""One hand at a time on each recording: compressing, moving and encrypting all replace its file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CallLocks:
    """A lock for each call, there only while it is used. Of one process: only one service runs on a database."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def held(self, call_id: str) -> AsyncIterator[None]:
        """Hold the call's recording for as long as the block lasts."""
        lock, users = self._locks.get(call_id, (asyncio.Lock(), 0))
        self._locks[call_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[call_id]
            if users == 1:
                del self._locks[call_id]
            else:
                self._locks[call_id] = (lock, users - 1)
