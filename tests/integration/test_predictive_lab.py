"""The pacing of the simulator, on a real exchange: two minutes of predictive dialing beside one of progressive."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.proof import tell
from tests.integration.shift import drops_allowed, worked

pytestmark = [pytest.mark.lab, pytest.mark.timeout(420)]


async def test_predictive_dialing_keeps_its_limit_and_beats_one_call_for_each_agent(
    asterisk: None, tmp_path: Path
) -> None:
    # at once: each waits for its people, and one beside the other has the same machine
    async with asyncio.TaskGroup() as both:
        first = both.create_task(worked(tmp_path / "progressive", mode="progressive", seconds=75))
        second = both.create_task(worked(tmp_path / "predictive", mode="predictive", seconds=120))
    one_each, predictive = first.result(), second.result()
    tell("two minutes on the lab", progressive=one_each.record(), predictive=predictive.record())

    assert predictive.counts["dropped"] <= drops_allowed(predictive.answered_by_person)
    assert one_each.counts["dropped"] == 0
    assert predictive.utilisation > one_each.utilisation
    assert predictive.ledger["dropped"] == predictive.counts["dropped"]
    assert predictive.ledger["answered_by_person"] == predictive.answered_by_person
    assert predictive.decisions > 0
