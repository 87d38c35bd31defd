"""Draws by themselves."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cti.errors import StorageError
from cti.quality.queue_desk import QueueDesk
from cti.quality.sampler import Sampler
from tests.builders import a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.said import a_judgement

WEEK_SECONDS = 7 * 86_400.0


async def a_store_with_calls_of_last_week() -> MemoryStore:
    store = MemoryStore()
    for n in range(10):
        call = a_call(placed_at=later(n - WEEK_SECONDS), agent_id=n % 2 + 1)
        store.tables.calls[call.id] = call
        found = await store.quality.judgements.call(call.id)
        assert found is not None
        await store.quality.judgements.save(a_judgement(call=found))
    return store


def a_queue(store: Any, clock: FakeClock) -> QueueDesk:
    return QueueDesk(
        store=store.quality.queue,
        clock=clock,
        zone=ZoneInfo("UTC"),
        hold=timedelta(minutes=30),
        least_seconds=20.0,
        seed="s",
    )


@pytest.mark.parametrize(("quota", "drawn"), [(0, 0), (3, 6)])
async def test_last_week_is_drawn_once_however_often_it_looks(quota: int, drawn: int) -> None:
    store = await a_store_with_calls_of_last_week()
    sampler = Sampler(queue=a_queue(store, FakeClock()), quota=quota)
    for _ in range(3):
        await sampler.step()
    assert len(await store.quality.queue.places(state=None, campaign_id=None, after=None, limit=99)) == drawn


async def test_a_database_that_is_away_is_no_end_of_it() -> None:
    store = await a_store_with_calls_of_last_week()
    queue = a_queue(store, FakeClock())

    async def away(**_: Any) -> Any:
        raise StorageError("away", temporary=True)

    store.quality.queue.drawable = away  # type: ignore[method-assign]
    await Sampler(queue=queue, quota=3).step()
    assert await store.quality.queue.places(state=None, campaign_id=None, after=None, limit=9) == []
