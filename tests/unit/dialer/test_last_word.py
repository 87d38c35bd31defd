"""One number is in one hand at a time, and a verdict from before an attempt at it is asked for again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from cti.dialer.placing import Order
from cti.model.calls import Call
from cti.model.contacts import Campaign, Candidate, EntryState
from cti.model.verdicts import SkipReason, Verdict
from tests.unit.dialer.floor import Floor

OFTEN = Verdict(allowed=False, reason=SkipReason.ATTEMPTS_TODAY, detail="1 of 1")


async def two_with_one_number(floor: Floor) -> tuple[Campaign, list[Order]]:
    """Make a campaign with two contacts who share a number, both chosen already."""
    campaign = await floor.campaign(2)
    await floor.agents(2, campaign)
    contacts = floor.store.tables.contacts
    first, second = contacts
    contacts[second] = replace(contacts[second], numbers=contacts[first].numbers)
    chosen = await floor.store.campaigns.next_candidates(campaign.id, limit=2)
    assert len({one.number for one in chosen}) == 1
    return campaign, [Order(candidate=one, agent=None, why="chosen") for one in chosen]


async def test_two_who_come_at_once_call_one_number_once(floor: Floor) -> None:
    campaign, orders = await two_with_one_number(floor)
    place = floor.store.calls.place

    async def slow(rows: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        await asyncio.sleep(0)
        return list(await place(rows))

    floor.store.calls.place = slow  # type: ignore[method-assign]

    placed = await asyncio.gather(*(floor.placer.place(campaign, [order]) for order in orders))

    assert sorted(len(calls) for calls in placed) == [0, 1]
    assert [entry.state for entry in floor.store.tables.entries.values()] == [
        EntryState.DIALING,
        EntryState.PENDING,
    ]


async def test_who_comes_a_moment_later_is_asked_about_again_and_parked(floor: Floor) -> None:
    campaign, (first, second) = await two_with_one_number(floor)
    await floor.placer.place(campaign, [first])
    floor.gate.verdicts[second.candidate.number] = OFTEN

    assert await floor.placer.place(campaign, [second]) == []

    assert floor.gate.asked == [second.candidate.number]
    states = [(entry.state, entry.reason) for entry in floor.store.tables.entries.values()]
    assert states == [(EntryState.DIALING, None), (EntryState.DONE, "attempts_today")]


async def test_who_is_still_allowed_is_called(floor: Floor) -> None:
    campaign, (first, second) = await two_with_one_number(floor)
    await floor.placer.place(campaign, [first])

    assert len(await floor.placer.place(campaign, [second])) == 1


async def test_later_nobody_is_asked_about_twice(floor: Floor) -> None:
    campaign, (first, second) = await two_with_one_number(floor)
    await floor.placer.place(campaign, [first])
    floor.clock.advance(11)

    await floor.placer.place(campaign, [second])

    assert floor.gate.asked == []


async def test_a_number_that_could_not_be_committed_is_free_again(floor: Floor) -> None:
    campaign, (first, second) = await two_with_one_number(floor)
    floor.store.tables.entries[first.candidate.entry_id].state = EntryState.DONE

    assert await floor.placer.place(campaign, [first]) == []
    assert len(await floor.placer.place(campaign, [second])) == 1
