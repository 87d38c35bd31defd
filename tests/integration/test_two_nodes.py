"""Two Asterisk nodes under one service: each connection fails alone."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from lab import Lab, LabSettings
from lab.daemon import Daemon, daemon_beside, node_toml
from lab.demo.contacts import as_csv
from tests.waiting import patience

TALKS = "+493020021000"
"""Answers at once and hangs up after two seconds."""


async def become(look: Callable[[], Awaitable[Any]], wanted: object) -> None:
    """Wait until what is looked at is as wanted."""
    async with patience():
        while await look() != wanted:
            await asyncio.sleep(0.1)


async def floor_on(daemon: Daemon, node: str, login: str) -> None:
    """Make a campaign of one contact and an agent on a node, and log him in."""
    body = {"name": f"on {node}", "node": node, "message": "beep", "wrap_up_seconds": 0}
    await daemon.post("campaigns", body)
    await daemon.upload(f"on {node}", f"list {node}", as_csv([("Somebody", TALKS)]))
    agent = {"login": login, "name": login, "endpoint": "a001", "node": node, "campaigns": [f"on {node}"]}
    await daemon.post("agents", agent)
    await daemon.post(f"agents/{login}/login")


async def test_a_dead_node_keeps_no_other_from_dialing(asterisk: None, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        labs = []
        for name in ("east", "west"):
            settings = LabSettings.free(tmp_path / name, phones=1, rtp_ports=1000)
            labs.append(await stack.enter_async_context(Lab.open(settings)))
            await stack.enter_async_context(labs[-1].phones(1))
        pbx, west = labs
        daemon = await stack.enter_async_context(daemon_beside(pbx, tmp_path / "cti", start=False))
        with daemon.config.open("a", encoding="utf-8") as config:
            config.write("\n" + node_toml("west", west))
        await daemon.start()
        await floor_on(daemon, "pbx", "anna")
        await floor_on(daemon, "west", "berta")

        await pbx.pbx.kill()

        async def standing() -> dict[str, bool]:
            floor = await daemon.get("floor")
            return {node["name"]: node["connected"] for node in floor["nodes"]}

        async def ended() -> list[tuple[str, str]]:
            return [(call["node"], call["outcome"]) for call in await daemon.calls() if call["ended_at"]]

        await become(standing, {"pbx": False, "west": True})
        await daemon.post("campaigns/on pbx/start")
        await daemon.post("campaigns/on west/start")
        await become(ended, [("west", "connected")])

        await pbx.pbx.start()
        await pbx.reachable()
        await become(ended, [("pbx", "connected"), ("west", "connected")])
        assert (await daemon.post("reconcile"))["ok"]
