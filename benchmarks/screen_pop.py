"""From the bytes of the AMI event that a customer's phone rings to the pop at the rep's page and at a webhook.

A relay between PBX and service notes when the bytes pass; the reps' pages (a WebSocket each, with the rep's own token)
and the webhook's receiver are in the same process, so all moments are of one clock. 20 calls a second, each reserved
for a rep, each ringing for a second. A campaign begins with as many calls at once as it may; those that ring in its
first two seconds are told by themselves.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from benchmarks import said
from benchmarks.ami_relay import CALL_ID, AmiRelay
from benchmarks.child import child
from benchmarks.numbers import busy_number
from benchmarks.rows import Row, Spread
from lab.daemon import Daemon, agent_token, daemon_beside
from lab.exchange import Lab
from lab.settings import HOST, LabSettings

NAME: Final = "screen_pop"
RATE: Final = 20
SECONDS: Final = 30
REPS: Final = 34
"""More than RATE times the second and a bit that a call keeps its rep."""
CAMPAIGN: Final = "bench"
WAIT_SECONDS: Final = 60.0
BEGINNING_SECONDS: Final = 2.0
_RINGING: Final = b"\r\nChannelState: 5\r\n"

Arrived = dict[str, float]
"""By call: when it came, in monotonic seconds."""


class RingRelay(AmiRelay):
    """Notes when a call of ours begins to ring."""

    def note(self, block: bytes, now: float) -> None:
        """See AmiRelay; only the first ringing of a call counts."""
        if block.startswith(b"Event: Newstate\r\n") and _RINGING in block:
            _, found, rest = block.partition(CALL_ID)
            if found:
                self.passed.setdefault(("Newstate", rest[:32].decode()), now)


async def run() -> None:
    """Dial, and compare moments."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        async with (
            Lab.open(LabSettings.free(folder / "lab", phones=REPS)) as lab,
            RingRelay(lab.pbx.host, lab.pbx.ami_port).open() as relay,
            _receiver() as (url, hooked),
            _service(lab, folder, relay.port) as daemon,
            child(
                *("phones_process", "--host", lab.pbx.host, "--port", lab.pbx.sip_port, "--phones", REPS),
                log=folder / "phones.log",
            ) as phones,
        ):
            await phones.ask(within=WAIT_SECONDS)
            await _set_up(daemon, url)
            async with _pages(daemon) as (shown, ringing):
                await daemon.post(f"campaigns/{CAMPAIGN}/start")
                await _finished(daemon)
                await asyncio.sleep(1.0)
            rung = {call_id: at for (_, call_id), at in relay.passed.items()}
    for to, arrived in (("websocket", shown), ("webhook", hooked)):
        said.row(NAME, {"to": to, **figures(rung, arrived, ringing)})


def figures(rung: Arrived, arrived: Arrived, ringing: Arrived) -> Row:
    """Return one row. `event_`: the plain `call.ringing` at the same pages. Raises TimeoutError when a pop is lost."""
    missing = rung.keys() - arrived.keys()
    if missing or not rung:
        raise TimeoutError(f"{len(missing)} of {len(rung)} pops never came")
    settled = min(rung.values()) + BEGINNING_SECONDS
    first = {call_id: at for call_id, at in rung.items() if at < settled}
    rung = {call_id: at for call_id, at in rung.items() if at >= settled}
    spread, burst, event = _lags(rung, arrived), _lags(first, arrived), _lags(rung, ringing)
    lasted = max(rung.values()) - min(rung.values())
    return {
        "calls": len(rung),
        "calls_per_second": round((len(rung) - 1) / lasted, 1),
        "p50_ms": round(spread.p50, 2),
        "p99_ms": round(spread.p99, 2),
        "max_ms": round(spread.most, 2),
        "event_p50_ms": round(event.p50, 2),
        "event_p99_ms": round(event.p99, 2),
        "first_calls": len(first),
        "first_p99_ms": round(burst.p99, 2),
    }


def _lags(rung: Arrived, arrived: Arrived) -> Spread:
    return Spread.of([1000 * (arrived[call_id] - at) for call_id, at in rung.items() if call_id in arrived])


@asynccontextmanager
async def _service(lab: Lab, folder: Path, ami_port: int) -> AsyncIterator[Daemon]:
    allowed = f'[webhooks]\nallow = ["{HOST}"]\n'
    async with daemon_beside(
        lab, folder, agents=REPS, ami_port=ami_port, calls_per_second=float(RATE), more=allowed
    ) as daemon:
        yield daemon


@asynccontextmanager
async def _receiver() -> AsyncIterator[tuple[str, Arrived]]:
    """Receive webhooks; gives the address, and when the pop at the ring of each call came."""
    arrived: Arrived = {}

    async def receive(request: web.Request) -> web.Response:
        now = time.monotonic()
        _note(json.loads(await request.read())["data"], now, arrived)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}/", arrived
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _pages(daemon: Daemon) -> AsyncIterator[tuple[Arrived, Arrived]]:
    """Open each rep's page; gives when the pop at the ring of each call came to it, and when `call.ringing` did."""
    arrived: Arrived = {}
    ringing: Arrived = {}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        reading = []
        for n in range(1, REPS + 1):
            socket = await stack.enter_async_context(
                session.ws_connect(
                    f"{daemon.url}/api/v1/events",
                    params={"types": "call.screen_pop,call.ringing,call.ended,agent.state_changed"},
                    headers={"Authorization": f"Bearer {agent_token(n)}"},
                )
            )
            reading.append(tasks.create_task(_read(socket, arrived, ringing), name=f"page of rep {n}"))
        try:
            yield arrived, ringing
        finally:
            for task in reading:
                task.cancel()


async def _read(socket: aiohttp.ClientWebSocketResponse, arrived: Arrived, ringing: Arrived) -> None:
    async for message in socket:
        now = time.monotonic()
        told = json.loads(message.data)
        _note(told, now, arrived)
        if told["type"] == "call.ringing":
            ringing.setdefault(told["call"]["id"], now)


def _note(told: dict[str, Any], now: float, arrived: Arrived) -> None:
    if told["type"] == "call.screen_pop" and told["moment"] == "ring":
        arrived.setdefault(told["call_id"], now)


async def _set_up(daemon: Daemon, url: str) -> None:
    """Make the campaign with its page, its list, the reps and the webhook."""
    page = "https://crm.example/lead/{crm_ref}?deal={crm_deal}&tel={number}"
    await daemon.post("campaigns", {"name": CAMPAIGN, "trunk": "carrier", "rules": {"pop": {"url": page}}})
    rows = "".join(f"Contact {n},{busy_number(n)},lead/{n},deal/{n}\n" for n in range(RATE * SECONDS))
    await daemon.upload(CAMPAIGN, "list", f"name,number,crm_ref,crm_deal\n{rows}".encode())
    await daemon.post("webhooks", {"name": "bench", "url": url, "events": ["call.screen_pop"]})
    names = [f"a{n:03d}" for n in range(1, REPS + 1)]
    for name in names:
        agent = {"login": name, "name": name, "endpoint": name, "node": "pbx", "campaigns": [CAMPAIGN]}
        await daemon.post("agents", agent)
    await _all_in(daemon, names)


async def _all_in(daemon: Daemon, names: Sequence[str]) -> None:
    await asyncio.gather(*(daemon.post(f"agents/{name}/login") for name in names))
    async with asyncio.timeout(WAIT_SECONDS):
        while {one["state"] for one in (await daemon.get("agents"))["agents"]} != {"ready"}:
            await asyncio.sleep(0.1)


async def _finished(daemon: Daemon) -> None:
    async with asyncio.timeout(SECONDS * 4 + WAIT_SECONDS):
        while (await daemon.get(f"campaigns/{CAMPAIGN}"))["state"] != "finished":
            await asyncio.sleep(0.5)
