"""The API, as the command line uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from cti.errors import CtiError
from cti.settings.client import Access

PREFIX = "/api/v1"
ANSWER_SECONDS = 60.0


class Refused(CtiError):
    """The service said no; the message is its own."""


class Unreachable(CtiError):
    """There is no service at the address, or the connection broke."""


class ApiClient:
    """Asks the API. Raises Refused and Unreachable."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def get(self, path: str, **query: Any) -> Any:
        """GET; query values that are None are left out."""
        return await self.ask("GET", path, params=_query(query))

    async def post(self, path: str, body: Any = None) -> Any:
        """POST a JSON body."""
        return await self.ask("POST", path, json=body if body is not None else {})

    async def put(self, path: str, body: Any) -> Any:
        """PUT a JSON body."""
        return await self.ask("PUT", path, json=body)

    async def patch(self, path: str, body: Any) -> Any:
        """PATCH with a JSON body."""
        return await self.ask("PATCH", path, json=body)

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """Ask for JSON."""
        async with self._asking(method, path, **more) as answer:
            return await answer.json()

    async def upload(self, path: str, chunks: AsyncIterator[bytes], **query: Any) -> Any:
        """POST a file."""
        return await self.ask(
            "POST", path, params=_query(query), data=chunks, timeout=aiohttp.ClientTimeout(total=None)
        )

    async def text(self, path: str, **query: Any) -> AsyncIterator[str]:
        """GET text as it comes."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_SECONDS)
        async with self._asking("GET", path, params=_query(query), timeout=timeout) as answer:
            while chunk := await answer.content.readline():
                yield chunk.decode()

    async def events(self, types: str) -> AsyncIterator[dict[str, Any]]:
        """Give live events until the connection ends."""
        try:
            async with self._session.ws_connect(
                f"{self._url}{PREFIX}/events", params={"types": types}, heartbeat=30
            ) as socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        yield message.json()
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(f"{error.status}: {error.message}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self._url} cannot be reached: {error}") from None
        raise Unreachable(f"{self._url} closed the connection")

    @asynccontextmanager
    async def _asking(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.request(method, f"{self._url}{PREFIX}/{path}", **more) as answer:
                if answer.status >= 400:
                    raise Refused(await _reason(answer))
                yield answer
        except TimeoutError:
            raise Unreachable(f"{self._url} gave no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self._url} cannot be reached: {error}") from None


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[ApiClient]:
    """Open a session with the service."""
    headers = {"Authorization": f"Bearer {access.token}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield ApiClient(session, access.url)


async def file_chunks(path: Path, size: int = 65_536) -> AsyncIterator[bytes]:
    """Read a file piece by piece. Local files answer at once, so no thread is needed."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def _query(query: dict[str, Any]) -> dict[str, str]:
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in query.items()
        if value is not None
    }


async def _reason(answer: aiohttp.ClientResponse) -> str:
    try:
        message = (await answer.json())["error"]["message"]
    except (ValueError, KeyError, TypeError, aiohttp.ClientError):
        return f"answered with status {answer.status}; is this the service?"
    return str(message)
