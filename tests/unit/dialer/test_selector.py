"""Who is chosen, who is parked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.dialer.selector import MOST_AT_ONCE, Selector, parking
from cti.model.campaign_rules import CampaignRules, Order, OrderRules
from cti.model.contacts import Campaign, Candidate, EntryState, Mode
from cti.model.standing import NOBODY
from cti.model.verdicts import SkipReason, Verdict
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.fakes.gate import FakeGate
from tests.fakes.memory_store import MemoryStore
from tests.fakes.memory_tables import Entry

OFTEN = Verdict(allowed=False, reason=SkipReason.ATTEMPTS_TODAY, detail="2 of 2", until=later(3600))
NEVER = Verdict(allowed=False, reason=SkipReason.DO_NOT_CALL, detail="internal")


class Queue:
    """A campaign with contacts, a gate and a selector."""

    def __init__(self, campaign: Campaign, store: MemoryStore) -> None:
        self.campaign = campaign
        self.store = store
        self.gate = FakeGate()
        self.selector = Selector(store=store.queue, gate=self.gate)

    @classmethod
    async def of(cls, contacts: int) -> "Queue":
        store = MemoryStore()
        campaign = await store.campaigns.add_campaign(a_campaign())
        await store.campaigns.add_list(
            campaign_id=campaign.id, name="l", source="", contacts=some_contacts(contacts), at=NOW
        )
        return cls(campaign, store)

    @property
    def entries(self) -> list[Entry]:
        return list(self.store.tables.entries.values())

    def refuse(self, verdict: Verdict, *places: int) -> None:
        contacts = some_contacts(max(places) + 1)
        for place in places:
            self.gate.verdicts[contacts[place].numbers[0].e164] = verdict

    async def choose(self, wanted: int, *owners: int, skip: tuple[int, ...] = ()) -> list[Candidate]:
        return await self.selector.choose(
            self.campaign, wanted=wanted, owners=owners or (NOBODY,), now=NOW, skip=skip
        )


async def test_the_first_ones_are_chosen() -> None:
    queue = await Queue.of(5)

    assert [one.entry_id for one in await queue.choose(3)] == [entry.id for entry in queue.entries[:3]]


async def test_nobody_left_is_an_empty_choice() -> None:
    queue = await Queue.of(0)

    assert await queue.choose(3) == []


async def test_refused_ones_are_parked_and_the_choice_goes_on_behind_them() -> None:
    queue = await Queue.of(6)
    queue.refuse(OFTEN, 0, 2)
    queue.refuse(NEVER, 1)

    chosen = await queue.choose(3)

    assert [one.entry_id for one in chosen] == [entry.id for entry in queue.entries[3:6]]
    assert [(entry.state, entry.reason, entry.due_at) for entry in queue.entries[:3]] == [
        (EntryState.WAITING, "attempts_today", later(3600)),
        (EntryState.DONE, "do_not_call", None),
        (EntryState.WAITING, "attempts_today", later(3600)),
    ]


async def test_a_refused_contact_is_asked_about_once() -> None:
    queue = await Queue.of(4)
    queue.refuse(NEVER, 0, 1)
    await queue.choose(1)
    await queue.choose(1)

    refused = [number for number in queue.gate.asked if number in queue.gate.verdicts]

    assert len(refused) == len(set(refused)) == 2


async def test_closed_zones_are_left_alone_as_a_whole() -> None:
    queue = await Queue.of(4)
    queue.entries[0].zone = queue.entries[1].zone = "America/New_York"
    queue.gate.closed_zones = {"America/New_York"}

    chosen = await queue.choose(4)
    lanes = await queue.selector.lanes(queue.campaign, NOW, owners=[NOBODY])

    assert [one.entry_id for one in chosen] == [entry.id for entry in queue.entries[2:]]
    assert [entry.state for entry in queue.entries] == [EntryState.PENDING] * 4
    assert ([lane.zone for lane in lanes.open], [lane.zone for lane in lanes.closed]) == (
        [""],
        ["America/New_York"],
    )


async def test_a_zone_that_turns_out_to_be_closed_costs_a_second_look_once() -> None:
    queue = await Queue.of(4)
    queue.entries[0].zone, queue.entries[1].zone = "America/New_York", "America/Denver"
    queue.gate.closed_zones = {"America/New_York"}
    told = looks_of(queue)

    first = [one.entry_id for one in await queue.choose(1)]
    second = [one.entry_id for one in await queue.choose(1)]
    queue.gate.closed_zones = set()
    third = [one.entry_id for one in await queue.choose(1)]

    assert first == second == [queue.entries[1].id]
    assert third == [queue.entries[0].id]
    assert told == [(1, set()), (1, {"America/New_York"}), (1, {"America/New_York"}), (1, set())]


async def test_a_zone_that_another_choice_comes_to_know_meanwhile_is_found_closed_all_the_same() -> None:
    queue = await Queue.of(2)
    queue.entries[0].zone = "America/New_York"
    queue.gate.closed_zones = {"America/New_York"}
    heads = queue.store.queue.heads
    asked, other_done = asyncio.Event(), asyncio.Event()

    async def slow_for_the_first(campaign_id: int, **given: Any) -> list[Candidate]:
        found = await heads(campaign_id, **given)
        if not asked.is_set():
            asked.set()
            await other_done.wait()
        return found

    queue.store.queue.heads = slow_for_the_first  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(queue.choose(1))
        await asked.wait()
        second = await queue.choose(1)
        other_done.set()

    assert (
        [one.entry_id for one in first.result()] == [one.entry_id for one in second] == [queue.entries[1].id]
    )


def looks_of(queue: Queue) -> list[tuple[int, set[str]]]:
    """Note how many each look at the store asks for, and which zones it is told to be closed."""
    looks: list[tuple[int, set[str]]] = []
    heads = queue.store.queue.heads

    async def noted(campaign_id: int, **asked: Any) -> list[Candidate]:
        looks.append((asked["limit"], set(asked["closed_zones"])))
        return await heads(campaign_id, **asked)

    queue.store.queue.heads = noted  # type: ignore[method-assign]
    return looks


async def test_only_the_contacts_of_the_owners_named_are_chosen() -> None:
    queue = await Queue.of(4)
    for entry, owner in zip(queue.entries, (7, 8, NOBODY, 7), strict=True):
        entry.owner_key = owner

    assert [one.entry_id for one in await queue.choose(4, 7)] == [queue.entries[0].id, queue.entries[3].id]
    assert [one.entry_id for one in await queue.choose(4, 8, NOBODY)] == [
        queue.entries[1].id,
        queue.entries[2].id,
    ]
    lanes = await queue.selector.lanes(queue.campaign, NOW, owners=[7, 8, NOBODY])
    assert lanes.owners == {7, 8, NOBODY}


async def test_a_contact_without_his_number_is_done_and_the_gate_is_not_asked() -> None:
    queue = await Queue.of(2)
    queue.entries[0].number_position = 4

    (chosen,) = await queue.choose(1)

    assert chosen.entry_id == queue.entries[1].id
    assert (queue.entries[0].state, queue.entries[0].reason) == (EntryState.DONE, "no_number")
    assert "" not in queue.gate.asked


async def test_a_number_is_chosen_in_one_look_alone_so_that_the_gate_can_count_it() -> None:
    queue = await Queue.of(3)
    contacts = queue.store.tables.contacts
    queue.refuse(NEVER, 1)
    contacts[queue.entries[2].contact_id] = contacts[queue.entries[0].contact_id]

    chosen = await queue.choose(2)

    assert [one.entry_id for one in chosen] == [queue.entries[0].id]
    assert queue.entries[2].state is EntryState.PENDING


async def test_a_list_of_which_all_are_forbidden_does_not_hold_the_engine_up() -> None:
    queue = await Queue.of(3000)
    queue.refuse(NEVER, *range(3000))

    assert await queue.choose(2) == []

    assert 0 < len(queue.gate.asked) < 3000


async def test_where_most_are_refused_more_are_looked_at_at_once() -> None:
    queue = await Queue.of(400)
    queue.refuse(NEVER, *[n for n in range(400) if n % 10])
    told = looks_of(queue)

    for _ in range(6):
        for one in await queue.choose(3):
            queue.store.tables.entries[one.entry_id].state = EntryState.DIALING

    looks = [limit for limit, _ in told]
    assert looks[0] == 3
    assert max(looks) > 10
    assert max(looks) <= MOST_AT_ONCE


def test_a_verdict_whose_moment_is_over_is_asked_again_a_second_later() -> None:
    candidate = Candidate(
        entry_id=1, list_id=1, campaign_id=1, contact_id=1, number_id=1, number="+4930", name=""
    )
    verdict = Verdict(allowed=False, reason=SkipReason.FREQUENCY, until=NOW - timedelta(hours=1))

    assert parking(candidate, verdict, NOW).until == later(1)


@settings(max_examples=60, deadline=None)
@given(
    standing=st.lists(
        st.tuples(
            st.sampled_from([None, OFTEN, NEVER]),
            st.sampled_from(["", "a", "b", "closed"]),
            st.sampled_from([NOBODY, 1, 2]),
            st.integers(-1, 1),
            st.integers(0, 3),
        ),
        max_size=40,
    ),
    wanted=st.integers(1, 10),
    owners=st.sets(st.sampled_from([NOBODY, 1, 2]), min_size=1),
    skipped=st.sets(st.integers(0, 39)),
)
def test_whatever_stands_there_the_choice_is_allowed_in_order_and_of_these_owners(
    standing: list[tuple[Verdict | None, str, int, int, int]],
    wanted: int,
    owners: set[int],
    skipped: set[int],
) -> None:
    async def chosen() -> tuple[Queue, list[Candidate]]:
        queue = await Queue.of(len(standing))
        queue.gate.closed_zones = {"closed"}
        for place, (entry, row) in enumerate(zip(queue.entries, standing, strict=True)):
            verdict, entry.zone, entry.owner_key, entry.priority, entry.rank = row
            if verdict is not None:
                queue.refuse(verdict, place)
        skip = tuple(queue.entries[n].id for n in skipped if n < len(standing))
        found = await queue.selector.choose(queue.campaign, wanted=wanted, owners=owners, now=NOW, skip=skip)
        assert not {one.entry_id for one in found} & set(skip)
        return queue, found

    queue, found = asyncio.run(chosen())

    places = [(-one.priority, one.rank, one.entry_id) for one in found]
    assert places == sorted(set(places))
    assert len(found) <= wanted
    for one in found:
        entry = queue.store.tables.entries[one.entry_id]
        assert entry.state is EntryState.PENDING
        assert one.number not in queue.gate.verdicts
        assert entry.owner_key in owners
        assert entry.zone != "closed"
    for entry in queue.entries:
        assert (entry.state is EntryState.WAITING) == (entry.due_at is not None)
        assert (entry.state is EntryState.PENDING) == (entry.reason is None)


@pytest.mark.parametrize("wanted", [1, 4])
async def test_whom_it_returns_is_still_pending_until_he_is_placed(wanted: int) -> None:
    queue = await Queue.of(8)

    first = await queue.choose(wanted)
    second = await queue.choose(wanted, skip=tuple(one.entry_id for one in first))

    assert await queue.choose(wanted) == first
    assert not {one.entry_id for one in first} & {one.entry_id for one in second}


class ByNumber:
    """Answer chances that the test sets, by number."""

    def __init__(self, chances: Mapping[str, float]) -> None:
        self._chances = chances

    async def chances(self, candidates: Sequence[Candidate], now: datetime) -> list[float | None]:
        return [self._chances.get(one.number) for one in candidates]


async def with_chances(contacts: int, order: Order, mode: Mode, chances: Mapping[int, float]) -> Queue:
    queue = await Queue.of(contacts)
    numbers = [contact.numbers[0].e164 for contact in some_contacts(contacts)]
    known = ByNumber({numbers[place]: chance for place, chance in chances.items()})
    queue.selector = Selector(store=queue.store.queue, gate=queue.gate, chances=known)
    queue.campaign = replace(queue.campaign, mode=mode, rules=CampaignRules(order=OrderRules(order=order)))
    return queue


async def test_the_likeliest_to_answer_come_first_where_the_campaign_wants_it() -> None:
    queue = await with_chances(4, Order.ANSWER_CHANCE, Mode.PROGRESSIVE, {0: 0.1, 1: 0.4, 2: 0.2})

    chosen = await queue.choose(3)

    assert [one.answer_chance for one in chosen] == [0.4, 0.2, 0.1]


async def test_priority_goes_before_the_chance() -> None:
    queue = await with_chances(3, Order.ANSWER_CHANCE, Mode.PROGRESSIVE, {0: 0.9, 1: 0.1, 2: 0.5})
    queue.entries[1].priority = 10

    assert [one.answer_chance for one in await queue.choose(3)] == [0.1, 0.9, 0.5]


async def test_predictive_dialing_is_told_the_chances_in_the_lists_order() -> None:
    queue = await with_chances(4, Order.OLDEST, Mode.PREDICTIVE, {0: 0.1, 1: 0.4, 2: 0.2})

    told = await queue.selector.outlook(queue.campaign, owners=[NOBODY], count=10, now=NOW)

    assert told == (0.1, 0.4, 0.2)
    assert [one.answer_chance for one in await queue.choose(2)] == [0.1, 0.4]


async def test_without_anything_learned_the_order_stays_and_nothing_is_told() -> None:
    queue = await with_chances(3, Order.ANSWER_CHANCE, Mode.PREDICTIVE, {})

    assert [one.entry_id for one in await queue.choose(3)] == [entry.id for entry in queue.entries]
    assert await queue.selector.outlook(queue.campaign, owners=[NOBODY], count=3, now=NOW) == ()
