"""A whole floor for the crash tests: exchange, customers, agents' phones, the service as a process, one campaign.

The service is known by its command and its API alone. Whoever wants to know what became of the calls asks `proof`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp

from lab import Lab
from lab.daemon import Daemon, Refused, daemon_beside
from lab.demo.contacts import as_csv
from lab.softphone import Behaviour, Line, PhoneCall, tone
from tests.integration.customers import AGENT_TONE, TRUNK, Customers, Person
from tests.waiting import PATIENCE_SECONDS

T = TypeVar("T")

CAMPAIGN: Final = "proof"
LOOK_SECONDS: Final = 0.1
NOT_THERE: Final = (aiohttp.ClientError, Refused)
"""What asking a service that is being started or is in trouble may raise."""


@dataclass(kw_only=True)
class FloorLab:
    """One floor at work."""

    lab: Lab
    daemon: Daemon
    customers: Customers
    lines: list[Line]

    async def agents(self) -> dict[str, dict[str, Any]]:
        return {agent["login"]: agent for agent in (await self.daemon.get("agents"))["agents"]}

    async def calls(self) -> dict[str, dict[str, Any]]:
        """Return the records by number; the newest one, where there are several."""
        return {call["number"]: call for call in reversed(await self.daemon.calls())}

    async def states(self) -> list[str]:
        """Return the states of the calls that are up, as the service sees them."""
        return [call["state"] for call in (await self.daemon.get("floor"))["calls"]]

    def phone(self, login: str) -> PhoneCall:
        """Return the kept leg as the agent's phone has it."""
        call = next(line.call for line in self.lines if line.user == login)
        assert call is not None, f"the phone of {login} is on no call"
        return call

    async def log_in(self) -> None:
        await asyncio.gather(*(self.daemon.post(f"agents/{line.user}/login") for line in self.lines))

    async def import_numbers(self, numbers: Iterable[str], name: str = "numbers") -> None:
        rows = [(f"Person {number}", number) for number in numbers]
        result = await self.daemon.upload(CAMPAIGN, name, as_csv(rows))
        assert result["refused"] == []

    async def dial(self, people: Sequence[Person]) -> list[str]:
        """Give the campaign a list of these people and start it; return their numbers in that order."""
        numbers = [self.customers.add(person) for person in people]
        await self.import_numbers(numbers)
        await self.daemon.post(f"campaigns/{CAMPAIGN}/start")
        return numbers

    async def finished(self, *, within: float = PATIENCE_SECONDS) -> None:
        """Wait until the campaign has come to its end."""

        async def state() -> str:
            return str((await self.daemon.get(f"campaigns/{CAMPAIGN}"))["state"])

        await until(state, lambda now: now == "finished", "the campaign finishes", within=within)

    async def all_agents(self, *states: str, within: float = PATIENCE_SECONDS) -> None:
        """Wait until every agent is in one of these states."""

        async def seen() -> set[str]:
            return {agent["state"] for agent in (await self.agents()).values()}

        await until(seen, lambda now: now <= set(states), f"all agents are {states}", within=within)


async def until(
    ask: Callable[[], Awaitable[T]],
    is_so: Callable[[T], bool],
    what: str,
    *,
    within: float = PATIENCE_SECONDS,
) -> T:
    """Ask again and again until the answer is as wanted; return it. Fails with the last answer."""
    end = time.monotonic() + within
    answer: object = "no answer"
    while time.monotonic() < end:
        try:
            found = await ask()
        except NOT_THERE as trouble:
            answer = trouble
        else:
            if is_so(found):
                return found
            answer = found
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"waited {within:g} s in vain until {what}; last: {answer}")


async def until_so(is_so: Callable[[], bool], what: str, *, within: float = PATIENCE_SECONDS) -> None:
    """Wait for something that is seen without asking anybody."""

    async def look() -> bool:
        return is_so()

    await until(look, bool, what, within=within)


@asynccontextmanager
async def open_floor(
    lab: Lab,
    folder: Path,
    *,
    agents: int,
    trunk: str = TRUNK,
    ring_seconds: float = 8.0,
    grace_seconds: float = 1.0,
    message: str = "lab-beep",
    wrap_up_seconds: float | None = 0.1,
    mode: str = "progressive",
    rules: Mapping[str, Mapping[str, Any]] | None = None,
    **daemon_settings: Any,
) -> AsyncIterator[FloorLab]:
    """Start the service beside the lab, with so many agents logged in and an empty campaign for all of them."""
    async with AsyncExitStack() as stack:
        customers = await stack.enter_async_context(Customers.open(lab))
        behaviour = Behaviour(voice=tone(AGENT_TONE))
        lines = await stack.enter_async_context(lab.phones(agents, behaviour))
        daemon = await stack.enter_async_context(daemon_beside(lab, folder, agents=agents, **daemon_settings))
        floor = FloorLab(lab=lab, daemon=daemon, customers=customers, lines=lines)
        campaign = {
            "name": CAMPAIGN,
            "trunk": trunk,
            "ring_seconds": ring_seconds,
            "grace_seconds": grace_seconds,
            "message": message,
            "wrap_up_seconds": wrap_up_seconds,
            "mode": mode,
            "rules": {subject: dict(keys) for subject, keys in (rules or {}).items()},
        }
        await daemon.post("campaigns", campaign)
        for line in lines:
            body = {"login": line.user, "name": line.user, "endpoint": line.user, "campaigns": [CAMPAIGN]}
            await daemon.post("agents", body)
        await floor.log_in()
        yield floor
