"""Stands between us and a CRM and behaves as networks do at their worst: the CRM does its work, and the answer is lost.

It hands requests on and waits for the CRM's whole answer before it loses it, so that what was asked has been done.
Where nobody listens behind it, it says 503, for surely nothing was sent; where an answer breaks off, so does ours.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

HOST: Final = "127.0.0.1"
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
OWN_HEADERS: Final = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
"""Of one connection, not of the message."""
MOST_BYTES: Final = 64 * 1024 * 1024

IsWrite = Callable[[str, str, bytes], bool]
"""Given method, path and body: whether a request changes something there."""
Spoil = Callable[[dict[str, str], bytes], bytes]
"""Puts another key into the headers, or returns a body with another."""


def by_method(method: str, _path: str, _body: bytes) -> bool:
    """Judge by the method alone."""
    return method in WRITES


def another_bearer(headers: dict[str, str], body: bytes) -> bytes:
    """Show another key where it is a bearer's."""
    headers["Authorization"] = "Bearer another"
    return body


@dataclass(slots=True)
class Losses:
    """Which answers are lost; several proxies may share one."""

    every: int = 0
    """Of so many writes that the CRM answered the answer of one is lost; 0: of none."""
    next: int = 0
    """The answers of so many writes are lost."""
    answered: int = 0
    lost: int = 0

    def hit(self) -> bool:
        """Count a write that was answered; return whether its answer is lost."""
        self.answered += 1
        if self.next:
            self.next -= 1
        elif not self.every or self.answered % self.every:
            return False
        self.lost += 1
        return True


class Proxy:
    """The proxy. Attributes may be changed while it runs."""

    def __init__(
        self,
        behind: str,
        *,
        is_write: IsWrite,
        losses: Losses | None = None,
        spoil: Spoil = another_bearer,
    ) -> None:
        self._behind = URL(behind)
        self._is_write = is_write
        self._spoil = spoil
        self.losses = losses or Losses()
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0
        self.throttle_next = 0
        """So many requests are refused before they reach the CRM, with 429."""
        self.throttle_seconds = 17
        self.spoil_key = False
        """The CRM is shown another key."""
        self.requests = 0
        self.writes = 0
        self.under_way = 0
        """Writes that are at the CRM just now."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def open(self) -> None:
        """Listen: on a port that nobody has, later on the same."""
        if self._runner is None:
            app = web.Application(client_max_size=MOST_BYTES)
            app.router.add_route("*", "/{path:.*}", self._serve)
            self._runner = web.AppRunner(app)
            await self._runner.setup()
            timeout = aiohttp.ClientTimeout(total=300)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        self._site = web.TCPSite(self._runner, HOST, self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Listen no more: whoever connects is refused, and connections that were kept are closed."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        if self._runner is not None and self._runner.server is not None:
            for connection in self._runner.server.connections:
                connection.force_close()

    async def close(self) -> None:
        """End it."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        if self.throttle_next:
            self.throttle_next -= 1
            return web.json_response(
                {"detail": "too many requests"},
                status=429,
                headers={"Retry-After": str(self.throttle_seconds)},
            )
        body = await request.read()
        write = self._is_write(request.method, request.path, body)
        self.writes += write
        self.under_way += write
        try:
            answer = await self._handed_on(request, body)
        except aiohttp.ClientConnectorError:
            return web.json_response({"detail": "nobody listens there"}, status=503)
        except (aiohttp.ClientError, TimeoutError):
            return _broken_off(request)
        finally:
            self.under_way -= write
        if write and self.losses.hit():
            return _broken_off(request)
        return answer

    async def _handed_on(self, request: web.Request, body: bytes) -> web.Response:
        assert self._session is not None  # noqa: S101 (it is open)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OWN_HEADERS}
        if self.spoil_key:
            body = self._spoil(headers, body)
        async with self._session.request(
            request.method,
            self._behind.join(URL(request.raw_path, encoded=True)),
            headers=headers,
            data=body,
            allow_redirects=False,
        ) as answer:
            kept = [
                (name, value) for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS
            ]
            return web.Response(status=answer.status, headers=kept, body=await answer.read())


@asynccontextmanager
async def lossy_proxy(
    behind: str,
    *,
    is_write: IsWrite = by_method,
    losses: Losses | None = None,
    spoil: Spoil = another_bearer,
) -> AsyncIterator[Proxy]:
    """Run one before a CRM."""
    proxy = Proxy(behind, is_write=is_write, losses=losses, spoil=spoil)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()


def _broken_off(request: web.Request) -> web.Response:
    """Close the connection without a byte."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
