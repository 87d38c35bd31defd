"""Those whose time has come are dialed again."""

import logging

import pytest

from cti.dialer.waker import BITE, BITES, Waker
from cti.errors import StorageError
from cti.model.contacts import EntryState
from cti.model.standing import Parked
from cti.model.verdicts import SkipReason
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore


async def waiting(count: int) -> MemoryStore:
    store = MemoryStore()
    campaign = await store.campaigns.add_campaign(a_campaign())
    await store.campaigns.add_list(
        campaign_id=campaign.id, name="l", source="", contacts=some_contacts(count), at=NOW
    )
    people = await store.campaigns.next_candidates(campaign.id, limit=count)
    await store.queue.park(
        [Parked(candidate=one, reason=SkipReason.HOLIDAY, until=later(60)) for one in people], at=NOW
    )
    return store


async def test_each_campaign_with_somebody_due_is_told() -> None:
    store, clock, told = await waiting(3), FakeClock(), list[int]()
    waker = Waker(store=store.queue, clock=clock, on_due=told.append)

    await waker.step()
    assert told == []
    clock.advance(60)
    await waker.step()

    assert told == [1]
    assert all(entry.state is EntryState.PENDING for entry in store.tables.entries.values())


async def test_a_morning_with_very_many_is_taken_in_several_steps() -> None:
    store, clock = await waiting(BITE * BITES + 1), FakeClock(later(60))
    waker = Waker(store=store.queue, clock=clock)

    await waker.step()
    left = [entry for entry in store.tables.entries.values() if entry.state is EntryState.WAITING]
    await waker.step()

    assert len(left) == 1
    assert left[0].state is EntryState.PENDING


async def test_a_database_that_is_away_is_told_once_and_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, clock = await waiting(1), FakeClock(later(60))
    waker, wake = Waker(store=store.queue, clock=clock), store.queue.wake

    async def away(now: object, *, limit: int) -> dict[int, int]:
        raise StorageError("away", temporary=True)

    store.queue.wake = away  # type: ignore[assignment, method-assign]
    with caplog.at_level(logging.ERROR):
        await waker.step()
        await waker.step()
    store.queue.wake = wake  # type: ignore[method-assign]
    await waker.step()

    assert [record.message for record in caplog.records] == [
        "nobody becomes due while the database is away: away"
    ]
    assert next(iter(store.tables.entries.values())).state is EntryState.PENDING
