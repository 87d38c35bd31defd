"""The crash tests at full length: ten kills, three long cuts, three dead Asterisks, long outages of the database."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from lab import Lab
from tests.integration import database_outage
from tests.integration.ami_proxy import AmiProxy
from tests.integration.customers import Person
from tests.integration.database_outage import locked, outlived, stopped
from tests.integration.floor_lab import FloorLab, open_floor, until, until_so
from tests.integration.postgres import running_postgres
from tests.integration.proof import proved, tell

pytestmark = [pytest.mark.soak, pytest.mark.lab, pytest.mark.timeout(900)]

AGENTS: Final = 20
KILLS: Final = 10
CUTS: Final = 3
CUT_SECONDS: Final = 20.0
DEATHS: Final = 3


def people(count: int, seed: int) -> list[Person]:
    """Return a mixture as a list of numbers brings it: half answer, and talk for some seconds."""
    chance = random.Random(seed)
    return [_person(chance) for _ in range(count)]


def _person(chance: random.Random) -> Person:
    rings = chance.uniform(0.2, 4.0)
    kind = chance.random()
    if kind < 0.6:
        return Person(answer_after=rings, talks=chance.uniform(0.2, 12.0))
    if kind < 0.75:
        return Person(answer_after=rings, refuse=486)
    if kind < 0.9:
        return Person(answer_after=rings, refuse=chance.choice([404, 480, 503]))
    return Person(answer_after=None)


async def test_ten_kills_of_the_service(fresh_lab: Lab, tmp_path: Path) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=AGENTS, ring_seconds=6) as floor:
        kept = [line.call for line in floor.lines]
        numbers = await floor.dial(people(500, seed=1))
        outages = []
        for kill in range(KILLS):
            await _called(floor, (kill + 1) * len(numbers) // (KILLS + 2))
            before = len(floor.customers.up())
            await floor.daemon.kill()
            await asyncio.sleep(kill % 5)  # the length of the outage itself
            during = len(floor.customers.up())
            await floor.daemon.start()
            after = await until(floor.states, bool, "calls are up")
            outages.append({"before": before, "during": during, "after": len(after)})
        await floor.finished(within=300)
        found = await proved(floor)
        assert [line.call for line in floor.lines] == kept
        assert found["placed"] == len(numbers)
        tell("soak: ten kills", outages=outages, end=found)


async def test_three_cuts_of_twenty_seconds(fresh_lab: Lab, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(AmiProxy.open(fresh_lab.pbx.ami_port))
        floor = await stack.enter_async_context(
            open_floor(fresh_lab, tmp_path / "cti", agents=AGENTS, ring_seconds=6, ami_port=wire.port)
        )
        kept = [line.call for line in floor.lines]
        numbers = await floor.dial(people(300, seed=2))
        outages = []
        for cut in range(CUTS):
            await _called(floor, (cut + 1) * len(numbers) // (CUTS + 2))
            before = len(floor.customers.up())
            if cut % 2:
                wire.freeze()
            else:
                await wire.cut()
            await asyncio.sleep(CUT_SECONDS / 5)
            during = len(floor.customers.up())
            await asyncio.sleep(CUT_SECONDS * 4 / 5)  # both together the length of the outage itself
            await wire.mend()
            after = await until(floor.states, bool, "calls are up")
            outages.append({"before": before, "during": during, "after": len(after)})
        await floor.finished(within=300)
        found = await proved(floor)
        assert [line.call for line in floor.lines] == kept
        tell("soak: three cuts of 20 s", outages=outages, end=found)


async def test_three_dead_asterisks(fresh_lab: Lab, tmp_path: Path) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=AGENTS, ring_seconds=6) as floor:
        numbers = await floor.dial(people(300, seed=3))
        outages = []
        for death in range(DEATHS):
            await _called(floor, (death + 1) * len(numbers) // (DEATHS + 2))
            before = len(await floor.states())
            await fresh_lab.pbx.kill()
            await until(floor.daemon.health, _is_degraded, "it is noticed")
            during = len(await floor.states())
            await asyncio.sleep(3.0 * death)  # the length of the outage itself
            await fresh_lab.pbx.start()
            after = await until(floor.states, bool, "calls are up", within=60)
            outages.append({"before": before, "during": during, "after": len(after)})
        await floor.finished(within=300)
        tell("soak: Asterisk killed three times", outages=outages, end=await proved(floor, node_died=True))


async def test_twenty_seconds_without_sqlite(fresh_lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "cti"
    async with open_floor(fresh_lab, folder, agents=database_outage.AGENTS, ring_seconds=5) as floor:
        lock = locked(folder / "waihu.db")
        await outlived(floor, lock, seconds=20.0, name="soak: SQLite locked")


@pytest.mark.postgres
async def test_a_minute_without_postgresql(fresh_lab: Lab, tmp_path: Path) -> None:
    with running_postgres() as server:
        url = await asyncio.to_thread(server.make_database, "bad_day")
        async with open_floor(
            fresh_lab, tmp_path / "cti", agents=database_outage.AGENTS, ring_seconds=5, database_url=url
        ) as floor:
            await outlived(floor, stopped(server), seconds=60.0, name="soak: PostgreSQL stopped")


async def _called(floor: FloorLab, people: int) -> None:
    """Wait until so many people's phones have rung."""
    await until_so(
        lambda: sum(floor.customers.invited().values()) >= people, f"{people} people were called", within=180
    )


def _is_degraded(health: dict[str, Any]) -> bool:
    return health["status"] == "degraded"
