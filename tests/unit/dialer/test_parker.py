"""Refusals are written a little later, and nobody is asked about twice meanwhile."""

import logging
from collections.abc import Sequence
from datetime import datetime

import pytest

from cti.dialer.parker import Parker
from cti.dialer.selector import Selector
from cti.errors import StorageError
from cti.model.contacts import Campaign, Candidate, EntryState
from cti.model.standing import NOBODY, Parked
from cti.model.verdicts import SkipReason, Verdict
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.fakes.gate import FakeGate
from tests.fakes.memory_queue import MemoryQueue
from tests.fakes.memory_store import MemoryStore

OFTEN = Verdict(allowed=False, reason=SkipReason.ATTEMPTS_TODAY, detail="2 of 2", until=later(3600))


class AwayQueue(MemoryQueue):
    """A queue whose database can be away."""

    away = False

    async def park(self, parked: Sequence[Parked], *, at: datetime) -> int:
        if self.away:
            raise StorageError("the database is away", temporary=True)
        return await super().park(parked, at=at)


class Bench:
    """Four contacts of whom the first two are refused."""

    def __init__(self, store: MemoryStore, campaign: Campaign) -> None:
        self.store, self.campaign = store, campaign
        self.queue = AwayQueue(store.tables)
        self.gate = FakeGate()
        for contact in some_contacts(2):
            self.gate.verdicts[contact.numbers[0].e164] = OFTEN
        self.parker = Parker(store=self.queue)
        self.selector = Selector(store=self.queue, gate=self.gate, parker=self.parker)

    @classmethod
    async def of(cls) -> "Bench":
        store = MemoryStore()
        campaign = await store.campaigns.add_campaign(a_campaign())
        await store.campaigns.add_list(
            campaign_id=campaign.id, name="l", source="", contacts=some_contacts(4), at=NOW
        )
        return cls(store, campaign)

    async def choose(self, wanted: int = 1, seconds: float = 0) -> list[Candidate]:
        return await self.selector.choose(self.campaign, wanted=wanted, owners=[NOBODY], now=later(seconds))

    @property
    def states(self) -> list[EntryState]:
        return [entry.state for entry in self.store.tables.entries.values()]


async def test_a_refusal_is_written_by_the_next_step_with_the_moment_it_was_said() -> None:
    bench = await Bench.of()

    await bench.choose()
    assert bench.states == [EntryState.PENDING] * 4
    await bench.parker.step()

    assert bench.states == [EntryState.WAITING] * 2 + [EntryState.PENDING] * 2
    first = next(iter(bench.store.tables.entries.values()))
    assert (first.reason, first.due_at, first.reason_at) == (SkipReason.ATTEMPTS_TODAY, later(3600), NOW)
    assert bench.parker.held(bench.campaign.id) == set()


async def test_whoever_is_refused_and_not_yet_written_is_passed_over() -> None:
    bench = await Bench.of()
    await bench.choose()
    held = bench.parker.held(bench.campaign.id)
    bench.gate.verdicts.clear()

    chosen = await bench.choose(4, seconds=1)

    assert len(held) == 2
    assert {one.entry_id for one in chosen}.isdisjoint(held)
    assert bench.parker.held(bench.campaign.id + 1) == set()


async def test_while_the_database_is_away_refusals_are_kept_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await Bench.of()
    await bench.choose()
    bench.queue.away = True

    with caplog.at_level(logging.ERROR):
        await bench.parker.step()
        await bench.parker.step()
    assert len(bench.parker.held(bench.campaign.id)) == 2
    assert len(caplog.records) == 1
    bench.queue.away = False
    await bench.parker.step()

    assert bench.states[:2] == [EntryState.WAITING] * 2
