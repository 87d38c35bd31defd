"""The feed over the service's API: for a process that has no database of its own (SQLite is the service's alone)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from cti.crm.wire import (
    orders_of,
    rate_record,
    settlements_record,
    standing_of,
    works_record,
)
from cti.errors import Conflict, CtiError
from cti.model.crm import Answer, PushOrders, Rate, Settlement, TargetStanding
from cti.model.work import Work

PREFIX: Final = "/api/v1/crm/work/"
ANSWER_SECONDS: Final = 60.0
CONFLICT: Final = 409


class Unreachable(CtiError):
    """The service cannot be reached, or says that it cannot answer now."""


class ApiFeed:
    """Asks the service. See `crm_sync.push.Feed`; raises Unreachable, CtiError when it refuses."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """`session` carries the token."""
        self._session = session
        self._url = url.rstrip("/")

    async def take(self, name: str, *, limit: int, rate: Rate, batch: int = 1) -> PushOrders:
        body = {"target": name, "limit": limit, "batch": batch, "rate": rate_record(rate)}
        return orders_of(await self.post("take", body))

    async def keep(self, works: Sequence[Work]) -> set[int]:
        if not works:
            return set()
        return set((await self.post("keep", {"works": works_record(works)}))["lost"])

    async def begin(self, name: str, works: Sequence[Work]) -> set[int]:
        said = await self.post("begin", {"target": name, "works": works_record(works)})
        return set(said["lost"])

    async def settle(
        self, name: str, settlements: Sequence[Settlement], *, rate: Rate, more_requests: int = 0
    ) -> None:
        body = {
            "target": name,
            "settlements": settlements_record(settlements),
            "rate": rate_record(rate),
            "more_requests": more_requests,
        }
        await self.post("settle", body)

    async def unchanged(self, works: Sequence[Work]) -> None:
        if works:
            await self.post("unchanged", {"works": works_record(works)})

    async def give_back(self, works: Sequence[Work]) -> None:
        if works:
            await self.post("give-back", {"works": works_record(works)})

    async def checked(self, name: str, answer: Answer, message: str) -> TargetStanding:
        body = {"target": name, "answer": answer.value, "message": message[:2000]}
        return standing_of(await self.post("checked", body))

    async def post(self, name: str, body: Mapping[str, Any]) -> Any:
        """Ask the service's `/crm/work/NAME`. Raises Unreachable; Conflict, CtiError when it refuses."""
        try:
            async with self._session.post(f"{self._url}{PREFIX}{name}", json=body) as answer:
                if answer.status >= 400:
                    raise await _refusal(answer)
                return await answer.json()
        except TimeoutError:
            raise Unreachable(f"{self._url} gave no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self._url} cannot be reached: {error}") from None


@asynccontextmanager
async def api_feed(url: str, token: str) -> AsyncIterator[ApiFeed]:
    """Open a session with the service."""
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield ApiFeed(session, url)


async def _refusal(answer: aiohttp.ClientResponse) -> CtiError:
    try:
        message = str((await answer.json())["error"]["message"])
    except (ValueError, KeyError, TypeError, aiohttp.ClientError):
        message = f"answered with status {answer.status}; is this the service?"
    if answer.status == CONFLICT:
        return Conflict(message)
    return Unreachable(message) if answer.status >= 500 else CtiError(message)
