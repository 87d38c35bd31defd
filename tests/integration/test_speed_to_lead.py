"""Speed to lead: from the request that adds a contact to the Originate, and to the ring of his phone."""

import statistics
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab import Lab
from tests.integration.customers import Person
from tests.integration.floor_lab import CAMPAIGN, open_floor, until
from tests.integration.proof import proved, tell

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

LEADS = 10


async def test_a_lead_is_the_next_to_be_called_before_a_list_that_waits(
    fresh_lab: Lab, tmp_path: Path
) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=1) as floor:
        await floor.dial([Person(answer_after=0.1, talks=0.2)])
        await floor.finished()
        requested: dict[str, datetime] = {}
        for _ in range(LEADS):
            await floor.all_agents("ready")
            number = floor.customers.add(Person(answer_after=0.1, talks=0.2))
            requested[number] = datetime.now(UTC)
            await floor.daemon.post(f"campaigns/{CAMPAIGN}/leads", {"name": "Lead", "numbers": [number]})
            await until(floor.calls, lambda calls, number=number: number in calls, f"{number} is called")
        await floor.finished()
        calls = await floor.calls()
        to_order = [
            (datetime.fromisoformat(calls[number]["placed_at"]) - at).total_seconds()
            for number, at in requested.items()
        ]
        to_ring = [
            (floor.customers.at(floor.customers.calls(number)[0].times.invited) - at).total_seconds()
            for number, at in requested.items()
        ]
        found = await proved(floor)
        tell(
            "speed to lead",
            request_to_order_ms=round(1000 * statistics.median(to_order), 1),
            request_to_ring_ms=round(1000 * statistics.median(to_ring), 1),
            worst_order_ms=round(1000 * max(to_order), 1),
        )
        assert found["connected"] == LEADS + 1
