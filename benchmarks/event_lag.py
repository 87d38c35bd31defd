"""From the bytes of an AMI event to the event at a WebSocket client, at 50 calls a second.

A relay between PBX and the program notes when the bytes of a Newchannel or Hangup pass; a WebSocket client in the same
process notes when the news of that call arrives. Beside it a bare program: panoramisk and aiohttp, event by event.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks import said
from benchmarks.ami_relay import AmiRelay
from benchmarks.child import Child, child
from benchmarks.rows import Row, Spread, ratio
from lab.daemon import ADMIN_TOKEN, settings_toml
from lab.exchange import Lab
from lab.settings import HOST, LabSettings

NAME = "event_lag"
RATE = 50
SECONDS = 15.0
ROUNDS = 2
EVENTS: Final[Mapping[str, str]] = {
    "call.started": "Newchannel",
    "call.ended": "Hangup",
    "Newchannel": "Newchannel",
    "Hangup": "Hangup",
}
"""What a client hears, and the event whose bytes brought it."""


async def run() -> None:
    """Run both sides in turn, some rounds."""
    lags: dict[str, list[float]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        async with (
            Lab.open(LabSettings.free(folder / "lab")) as lab,
            AmiRelay(lab.pbx.host, lab.pbx.ami_port).open() as relay,
        ):
            with said.bar() as progress:
                task = progress.add_task(NAME, total=2 * ROUNDS)
                for number in range(1, ROUNDS + 1):
                    for side, found in lags.items():
                        new = await _round(side, lab, relay, folder)
                        said.step(
                            f"{NAME}: {side}, round {number}: {Spread.of(new).p99:.2f} ms at the 99th percentile"
                        )
                        said.row(NAME, {"round": number, "side": side, **_figures(new)})
                        found += new
                        progress.advance(task)
    said.row(NAME, figures(lags["ours"], lags["bare"]))


def figures(ours: list[float], bare: list[float]) -> Row:
    """Return the last row."""
    mine, baseline = _figures(ours), _figures(bare)
    return {
        "calls_per_second": RATE,
        **mine,
        **{f"baseline_{name}": value for name, value in baseline.items()},
        "ratio": ratio(mine["p99_ms"], baseline["p99_ms"]),
    }


def _figures(lags: list[float]) -> Row:
    spread = Spread.of(lags)
    named = {"p50_ms": spread.p50, "p99_ms": spread.p99, "max_ms": spread.most}
    return {"events": len(lags), **{name: round(value, 2) for name, value in named.items()}}


async def _round(side: str, lab: Lab, relay: AmiRelay, folder: Path) -> list[float]:
    """Return the lags of one round in milliseconds."""
    relay.passed.clear()
    port = lab.settings.spare_port
    (folder / "cti.toml").write_text(
        settings_toml(
            lab, folder, api_port=port, ami_port=relay.port, calls_per_second=100_000, max_lines=10_000
        )
    )
    async with child(*_side(side, lab, relay, folder, port), log=folder / f"{side}.log") as process:
        await process.ask(within=30)
        arrived = await _listen(process, f"http://{HOST}:{port}/api/v1/events")
    missing = relay.passed.keys() - arrived.keys()
    if missing:
        raise TimeoutError(f"{side}: {len(missing)} of {len(relay.passed)} events never came to the client")
    return [1000 * (arrived[key] - passed) for key, passed in relay.passed.items()]


def _side(side: str, lab: Lab, relay: AmiRelay, folder: Path, port: int) -> tuple[str, ...]:
    if side == "ours":
        return ("engine_process", "--config", str(folder / "cti.toml"))
    pbx = lab.pbx
    account = ("--host", HOST, "--port", str(relay.port), "--user", pbx.user, "--secret", pbx.secret)
    return ("bare_dialer", *account, "--trunk", pbx.trunk, "--web", str(port))


async def _listen(process: Child, url: str) -> dict[tuple[str, str], float]:
    """Let it dial, and return when each event arrived."""
    arrived: dict[tuple[str, str], float] = {}
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    query = {"types": "call.started,call.ended"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, params=query, headers=headers) as socket,
    ):
        reading = asyncio.create_task(_read(socket, arrived), name="websocket client")
        await process.ask({"rate": RATE, "seconds": SECONDS, "patience": 10}, within=SECONDS + 90)
        await asyncio.sleep(0.5)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    return arrived


async def _read(socket: aiohttp.ClientWebSocketResponse, arrived: dict[tuple[str, str], float]) -> None:
    async for message in socket:
        now = time.monotonic()
        told: dict[str, Any] = json.loads(message.data)
        event = EVENTS.get(told["type"])
        if event is not None:
            call = told["call"]
            arrived[event, call if isinstance(call, str) else call["id"]] = now
