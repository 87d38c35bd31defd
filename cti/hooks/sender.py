"""POSTs to receivers that nobody vouches for. The only module of hooks that knows aiohttp.

The address that is connected to is the one that was judged: the connector's own resolver judges, and what it returns
is what is connected to, so a name that changes between a look and the connection gains nothing. No redirect is
followed, no proxy of the environment asked, no cookie kept, nothing decompressed, and of an answer 64 KiB are read.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from cti.hooks.addresses import Reach
from cti.hooks.verdicts import Answer

log = logging.getLogger(__name__)

LONGEST_ANSWER: Final = 65_536
"""Bytes read of an answer."""
SHOWN: Final = 300
"""Characters of an answer that go to the log."""
CONNECT_SECONDS: Final = 5.0
USER_AGENT: Final = "Waihu-Webhooks/1"


class ForbiddenAddress(OSError):
    """A name leads to an address that may not be reached."""


class JudgingResolver(AbstractResolver):
    """Resolves names, and refuses those of which any address may not be reached."""

    def __init__(self, reach: Reach, *, secure: bool, ask: AbstractResolver) -> None:
        self._reach = reach
        self._secure = secure
        self._ask = ask

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses. Raises ForbiddenAddress, OSError."""
        found = await self._ask.resolve(host, port, family)
        for one in found:
            refusal = self._reach.refusal(one["host"], secure=self._secure)
            if refusal is not None:
                raise ForbiddenAddress(f"{host}: {refusal}")
        return found

    async def close(self) -> None:
        await self._ask.close()


class Sender:
    """Sends, see the port `Post`."""

    def __init__(
        self, *, reach: Reach, secure: aiohttp.ClientSession, plain: aiohttp.ClientSession, seconds: float
    ) -> None:
        self._reach = reach
        self._secure = secure
        self._plain = plain
        self._seconds = seconds

    async def __call__(
        self, url: str, *, headers: dict[str, str], body: bytes, within: float | None = None
    ) -> Answer:
        """See the port."""
        seconds = min(self._seconds, within) if within is not None else self._seconds
        is_secure = url.startswith("https:")
        if (refusal := self._literal_refusal(url, secure=is_secure)) is not None:
            return Answer(status=None, error=refusal, refused_here=True)
        session = self._secure if is_secure else self._plain
        try:
            async with asyncio.timeout(seconds):
                return await self._post(session, url, headers, body)
        except TimeoutError:
            return Answer(status=None, error=f"no answer within {seconds:g} s")
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, ForbiddenAddress)
            return Answer(status=None, error=str(error.os_error) or str(error), refused_here=refused)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(status=None, error=f"{type(error).__name__}: {error}"[:SHOWN])

    def _literal_refusal(self, url: str, *, secure: bool) -> str | None:
        """Judge an address that stands in the URL itself: the connector resolves only names."""
        host = urlsplit(url).hostname or ""
        try:
            ip_address(host.partition("%")[0])
        except ValueError:
            return None
        return self._reach.refusal(host, secure=secure)

    async def _post(
        self, session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        sent = {**headers, "Content-Type": "application/json", "User-Agent": USER_AGENT}
        async with session.post(url, data=body, headers=sent, allow_redirects=False) as answer:
            text, whole = await _beginning(answer)
            if not whole:
                answer.close()  # the rest is not read, so the connection cannot be used again
            shown = "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")[:SHOWN])
            return Answer(
                status=answer.status,
                retry_after=answer.headers.get("Retry-After"),
                text=shown.strip(),
            )


async def _beginning(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """Read at most LONGEST_ANSWER bytes; return them, and whether that was all."""
    read = bytearray()
    async for chunk in answer.content.iter_chunked(8192):
        read += chunk
        if len(read) > LONGEST_ANSWER:
            return bytes(read[:LONGEST_ANSWER]), False
    return bytes(read), True


@asynccontextmanager
async def open_sender(
    *, reach: Reach, seconds: float = 15.0, resolver: AbstractResolver | None = None
) -> AsyncIterator[Sender]:
    """Give a sender for as long as the block lasts. `resolver` asks in place of the system's, in tests."""
    async with _session(reach, True, resolver) as secure, _session(reach, False, resolver) as plain:
        yield Sender(reach=reach, secure=secure, plain=plain, seconds=seconds)


def _session(reach: Reach, secure: bool, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    judging = JudgingResolver(reach, secure=secure, ask=resolver or aiohttp.ThreadedResolver())
    connector = aiohttp.TCPConnector(resolver=judging, use_dns_cache=False, limit=0)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )
