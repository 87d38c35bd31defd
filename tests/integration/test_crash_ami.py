"""The wire to Asterisk is cut while ten agents are at work: nothing is lost, nobody is called twice."""

import asyncio
from collections import Counter
from pathlib import Path

from lab import Lab
from tests.integration.ami_proxy import AmiProxy
from tests.integration.customers import Person
from tests.integration.floor_lab import FloorLab, open_floor, until, until_so
from tests.integration.proof import proved, tell

AGENTS = 10
MIXTURE = (
    Person(answer_after=0.4, talks=1.5),
    Person(answer_after=0.8, refuse=486),
    Person(answer_after=1.2, talks=2.5),
    Person(answer_after=2.0, talks=0.4),
    Person(answer_after=0.3, talks=9.0),
    Person(answer_after=0.6, refuse=404),
    Person(answer_after=1.6, talks=4.0),
    Person(answer_after=None),
)


async def test_calls_survive_a_cut_of_six_seconds_under_load(fresh_lab: Lab, tmp_path: Path) -> None:
    async with (
        AmiProxy.open(fresh_lab.pbx.ami_port) as wire,
        open_floor(fresh_lab, tmp_path / "cti", agents=AGENTS, ring_seconds=5, ami_port=wire.port) as floor,
    ):
        kept = [line.call for line in floor.lines]
        numbers = await floor.dial(MIXTURE * 5)
        found = await cut_and_proved(floor, wire, numbers, seconds=6.0)
        assert [line.call for line in floor.lines] == kept
        tell("AMI cut for 6 s", **found)


async def cut_and_proved(
    floor: FloorLab, wire: AmiProxy, numbers: list[str], *, seconds: float
) -> dict[str, object]:
    """Cut the wire in the middle of the list, mend it, let the campaign finish; return what was counted."""
    await until_so(lambda: _rung(floor) >= len(numbers) // 3, "a third of the people were called")
    before = Counter(await floor.states())
    await wire.cut()
    during = {"up": len(floor.customers.up())}
    health = await until(floor.daemon.health, _is_degraded, "the cut is noticed", within=seconds)
    assert "pbx" in health["nodes"][0]["name"]
    await asyncio.sleep(seconds)  # the length of the outage itself, not a wait for something
    rung = _rung(floor)
    await wire.mend()
    after = await until(floor.states, bool, "calls are up after the cut")
    await floor.finished()
    assert rung < len(numbers)
    return {"before": before, "during": during, "after": Counter(after), "end": await proved(floor)}


def _rung(floor: FloorLab) -> int:
    return sum(floor.customers.invited().values())


def _is_degraded(health: dict[str, object]) -> bool:
    return health["status"] == "degraded"
