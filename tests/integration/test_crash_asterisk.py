"""Asterisk is killed with calls up: they end with the reason, agents are told, and work goes on when it is back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from lab import Lab
from tests.integration.customers import Person
from tests.integration.floor_lab import FloorLab, open_floor, until
from tests.integration.proof import proved, tell

FIRST = (Person(), Person(), Person(answer_after=None), Person(answer_after=30.0), Person(answer_after=None))
"""One for each agent: two talk and three phones ring when Asterisk dies."""
AFTERWARDS = (*[Person(talks=1.0)] * 8, Person(refuse=486), Person(refuse=503))


async def test_asterisk_dies_with_calls_up(fresh_lab: Lab, tmp_path: Path) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=len(FIRST), ring_seconds=20) as floor:
        numbers = await floor.dial([*FIRST, *AFTERWARDS])
        await until(
            floor.states,
            lambda states: Counter(states) == {"connected": 2, "ringing": 3},
            "two talk and three phones ring",
        )
        async with floor.daemon.events("agent.state_changed") as events, asyncio.TaskGroup() as tasks:
            assert (await anext(events))["type"] == "hello"
            told = tasks.create_task(_all_logged_out(events, len(FIRST)))
            await fresh_lab.pbx.kill()
            await until(floor.daemon.health, lambda health: health["status"] == "degraded", "it is noticed")
            await fresh_lab.pbx.start()
            assert await asyncio.wait_for(told, 30) == {"node_lost"}
        await floor.finished()
        await floor.all_agents("ready")

        found = await proved(floor, node_died=True)
        _each_as_it_was(await floor.calls(), numbers)
        _phones_were_called_again(floor)
        tell("Asterisk killed", before={"connected": 2, "ringing": 3}, end=found)


async def _all_logged_out(events: AsyncIterator[dict[str, Any]], agents: int) -> set[str]:
    """Return the reasons with which each agent was told that he is logged out."""
    out: dict[str, str] = {}
    async for event in events:
        if event["after"] == "logged_out":
            out[event["agent"]["login"]] = event["reason"]
        if len(out) == agents:
            break
    return set(out.values())


def _each_as_it_was(calls: dict[str, dict[str, Any]], numbers: list[str]) -> None:
    ends = [(calls[number]["outcome"], calls[number]["end_reason"]) for number in numbers[: len(FIRST)]]
    assert ends == [("connected", "node_lost")] * 2 + [("failed", "node_lost")] * 3
    outcomes = [calls[number]["outcome"] for number in numbers[len(FIRST) :]]
    assert outcomes == [*["connected"] * 8, "busy", "failed"]


def _phones_were_called_again(floor: FloorLab) -> None:
    assert [len(line.calls) for line in floor.lines] == [2] * len(floor.lines)
