"""A receiver of webhooks on a real server, which behaves as badly as it is told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from tests.waiting import patience

MEGABYTE: Final = b"x" * 2**20


@dataclass
class Receiver:
    """What came, and how it is answered."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Headers and bodies, as they came."""
    behaviours: list[str] = field(default_factory=list)
    """For the next requests in turn; after them all is accepted."""
    followed: int = 0
    """Requests at the address that a redirect names."""
    sent_bytes: int = 0
    """Of the answer that has no end."""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int) -> None:
        """Wait until so many deliveries came."""
        async with patience():
            while len(self.got) < count:
                self.came.clear()
                await self.came.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take a delivery and behave."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        self.came.set()
        behaviour = self.behaviours.pop(0) if self.behaviours else "204"
        kind, _, more = behaviour.partition(" ")
        return await self._manners.get(kind, self._status)(request, behaviour if kind.isdigit() else more)

    @property
    def _manners(self) -> dict[str, Callable[[web.Request, str], Awaitable[web.StreamResponse]]]:
        return {
            "silent": self._silent,
            "trickle": self._trickle,
            "endless": self._endless,
            "redirect": self._redirect,
            "cut": self._cut,
        }

    async def _status(self, request: web.Request, behaviour: str) -> web.StreamResponse:
        status, _, retry_after = behaviour.partition(" ")
        headers = {"Retry-After": retry_after} if retry_after else {}
        return web.Response(status=int(status), headers=headers, text="" if status == "204" else "said\nso")

    async def _silent(self, request: web.Request, more: str) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    async def _trickle(self, request: web.Request, more: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    async def _endless(self, request: web.Request, more: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1024):  # a gigabyte
            await response.write(MEGABYTE)
            self.sent_bytes += len(MEGABYTE)
        return response

    async def _redirect(self, request: web.Request, more: str) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{self.url}/elsewhere"})

    async def _cut(self, request: web.Request, more: str) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Where a redirect leads."""
        self.followed += 1
        return web.Response()


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Receive on a free port of the loopback for as long as the block lasts."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/elsewhere", receiver.elsewhere)
    app.router.add_post("/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
