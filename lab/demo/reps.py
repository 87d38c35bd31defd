"""Simulated reps: a softphone line each; after a call they say how it went and are ready again."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

from lab.daemon import Daemon, Refused

LONGEST_TALK_SECONDS: Final = (8.0, 14.0)
"""A rep ends a call himself after so long; most people hang up before."""
WRITE_UP_SECONDS: Final = 1.2
VERDICTS: Final = ("sale", "not_interested", "callback", "wrong_person")


class Reps:
    """All reps, driven by the service's live events."""

    def __init__(self, daemon: Daemon, *, seed: int = 1) -> None:
        self._daemon = daemon
        self._random = random.Random(seed)
        self.resting: set[str] = set()
        """Logins that do not become ready by themselves."""

    async def work(self, events: AsyncIterator[dict[str, Any]], tasks: asyncio.TaskGroup) -> None:
        """React to each change of an agent's state until the events end."""
        async for event in events:
            if event["type"] != "agent.state_changed":
                continue
            login, call_id = event["agent"]["login"], event["call_id"]
            if event["after"] == "on_call":
                tasks.create_task(self._talk(login, call_id), name=f"{login} talks")
            elif event["after"] == "wrap_up":
                tasks.create_task(self._write_up(login, call_id), name=f"{login} writes up")

    async def _talk(self, login: str, call_id: str) -> None:
        await asyncio.sleep(self._random.uniform(*LONGEST_TALK_SECONDS))
        agent = await self._daemon.get(f"agents/{login}")
        if (agent["state"], agent["call_id"]) == ("on_call", call_id):
            with suppress(Refused):
                await self._daemon.post(f"agents/{login}/hangup")

    async def _write_up(self, login: str, call_id: str) -> None:
        await asyncio.sleep(WRITE_UP_SECONDS)
        verdict = {"disposition": self._random.choice(VERDICTS), "note": "said by a simulated rep"}
        await self._daemon.put(f"calls/{call_id}/disposition", verdict)
        if login not in self.resting:
            with suppress(Refused):
                await self._daemon.post(f"agents/{login}/ready")
