"""Asterisk is stopped politely and started again, as for an update: whoever was there is called again, as he was."""

from pathlib import Path

from lab import Lab
from tests.integration.floor_lab import open_floor, until


async def test_agents_are_back_after_asterisk_was_stopped_and_started(fresh_lab: Lab, tmp_path: Path) -> None:
    async with open_floor(fresh_lab, tmp_path / "cti", agents=3) as floor:
        first, second, third = (line.user for line in floor.lines)
        await floor.daemon.post(f"agents/{second}/pause", {"reason": "lunch"})
        gone = next(line for line in floor.lines if line.user == third).call
        assert gone is not None
        await gone.hang_up()
        await until(
            floor.agents, lambda agents: agents[third]["state"] == "logged_out", "the third hung up himself"
        )
        await fresh_lab.pbx.stop()
        await until(floor.daemon.health, lambda health: health["status"] == "degraded", "it is noticed")
        await fresh_lab.pbx.start()
        agents = await until(
            floor.agents,
            lambda agents: agents[first]["state"] == "ready" and agents[second]["state"] == "paused",
            "two are back",
        )
        assert agents[second]["reason"] == "lunch"
        assert (agents[third]["state"], agents[third]["reason"]) == ("logged_out", "phone_gone")
