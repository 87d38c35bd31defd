"""The bare side of `originate` and `event_lag`: panoramisk as it is, a loop that sends Originates and counts hang-ups.

It keeps nothing, knows no state, writes nothing down. With `--web PORT` it hands Newchannel and Hangup of its
channels to a WebSocket client, as JSON.
"""

import argparse
import asyncio
import json
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from aiohttp import web
from panoramisk import Manager

from benchmarks.child import answer, cpu_seconds, questions, rss_mb
from benchmarks.numbers import busy_number
from benchmarks.rows import Spread
from benchmarks.schedule import Schedule
from benchmarks.stairs import Run

LOOK_SECONDS = 0.005


class BareDialer:
    """Sends, and counts ends."""

    def __init__(self, manager: Any, trunk: str) -> None:
        self._manager = manager
        self._trunk = trunk
        self._up: set[str] = set()
        self.sockets: set[web.WebSocketResponse] = set()
        self.other = 0
        manager.register_event("Hangup", self._hung_up)

    def relay(self) -> None:
        """Hand events on to whoever listens."""
        self._manager.register_event("Newchannel", self._relayed)
        self._manager.register_event("Hangup", self._relayed)

    def send(self, n: int) -> None:
        """Send one Originate like the service's."""
        call = f"{int(time.time() * 1000):012x}{secrets.token_hex(10)}"
        self._up.add("waihu-c-" + call)
        action = {
            "Action": "Originate",
            "ActionID": "waihu-c-" + call,
            "ChannelId": "waihu-c-" + call,
            "Channel": f"PJSIP/{busy_number(n)}@{self._trunk}",
            "Context": "cti-customer",
            "Exten": "s",
            "Priority": "1",
            "Timeout": "30000",
            "Async": "true",
            "Variable": [f"CTI_CALL={call}", "CTI_GRACE=2", "CTI_MESSAGE=cti-sorry", f"CTI_RECORDING={call}"],
        }
        self._manager.send_action(action, as_list=False)

    async def run(self, schedule: Schedule, patience: float) -> Run:
        """Send all, wait for the ends."""
        cpu, left = cpu_seconds(), list[float]()
        give_up = schedule.start + schedule.calls / schedule.rate + patience
        while len(left) < schedule.calls and time.monotonic() < give_up:
            for n in range(len(left), schedule.due(time.monotonic())):
                self.send(n)
                left.append(time.monotonic())
            await asyncio.sleep(LOOK_SECONDS)
        unfinished = await self._ended(10.0)
        used = cpu_seconds() - cpu
        lost = await self._ended(60.0) if unfinished else 0
        late = Spread.of(schedule.lateness(left))
        return Run(
            placed=len(left),
            late_ms_max=1000 * late.most,
            late_ms_p99=1000 * late.p99,
            unfinished=unfinished,
            lost=lost,
            other=self.other,
            cpu_seconds=used,
            rss_mb=rss_mb(),
            seconds=left[-1] - left[0],
        )

    async def _ended(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        while self._up and time.monotonic() < end:
            await asyncio.sleep(0.1)
        return len(self._up)

    def _hung_up(self, _: Any, message: Any) -> None:
        if message.uniqueid in self._up:
            self._up.discard(message.uniqueid)
            self.other += message.cause != "17"

    async def _relayed(self, _: Any, message: Any) -> None:
        if message.uniqueid.startswith("waihu-c-"):
            text = json.dumps({"type": message.event, "call": message.uniqueid.removeprefix("waihu-c-")})
            for socket in self.sockets:
                await socket.send_str(text)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--host", "--user", "--secret", "--trunk"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--web", type=int)
    given = parser.parse_args()
    manager = Manager(host=given.host, port=given.port, username=given.user, secret=given.secret)
    await manager.connect()
    dialer = BareDialer(manager, given.trunk)
    async with AsyncExitStack() as stack:
        if given.web:
            dialer.relay()
            await _serve(dialer, given.web, stack)
        answer({"ready": True})
        async for question in questions():
            calls = round(question["rate"] * question["seconds"])
            schedule = Schedule(question["rate"], calls, time.monotonic() + 0.2)
            answer(asdict(await dialer.run(schedule, question["patience"])))
    manager.close()


async def _serve(dialer: BareDialer, port: int, stack: AsyncExitStack) -> None:
    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        dialer.sockets.add(socket)
        async for _ in socket:
            pass
        dialer.sockets.discard(socket)
        return socket

    app = web.Application()
    app.router.add_get("/api/v1/events", events)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()


if __name__ == "__main__":
    asyncio.run(main())
