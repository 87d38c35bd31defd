"""The contract of `QueueStore`."""

import pytest

from cti.model.contacts import Candidate
from cti.model.standing import NOBODY, Lane, Parked
from cti.model.verdicts import SkipReason
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.entries import arrange, entry, told_reasons
from tests.contract.people import a_stored_agent, a_stored_campaign, call_for


async def candidates(store: Store, campaign_id: int, owners: tuple[int, ...] = (NOBODY,)) -> list[Candidate]:
    return await store.queue.heads(campaign_id, owners=owners, limit=100)


async def a_queue(store: Store, *columns: dict[str, object]) -> tuple[int, list[int]]:
    """Store a campaign with an entry for each set of columns; return its id and theirs."""
    campaign_id = await a_stored_campaign(store, contacts=len(columns))
    entries = [one.entry_id for one in await store.campaigns.next_candidates(campaign_id, limit=len(columns))]
    for entry_id, given in zip(entries, columns, strict=True):
        await arrange(store, entry_id, **given)
    return campaign_id, entries


async def test_a_campaign_without_entries_has_no_lanes(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)

    assert await store.queue.lanes(campaign_id, owners=[NOBODY]) == []
    assert await store.queue.heads(campaign_id, owners=[NOBODY], limit=5) == []


async def test_each_owner_and_zone_is_a_lane_told_with_its_first(store: Store) -> None:
    anna = await a_stored_agent(store)
    bob = await a_stored_agent(store, login="bob")
    campaign_id, ids = await a_queue(
        store,
        {"zone": "Europe/Berlin", "rank": 5.0},
        {"zone": "Europe/Berlin", "rank": 4.0},
        {"zone": "", "rank": 1.0},
        {"zone": "Asia/Shanghai", "owner_key": anna, "rank": 0.0, "priority": -1},
        {"zone": "Europe/Berlin", "owner_key": anna, "priority": 3},
        {"zone": "Europe/Berlin", "owner_key": bob},
    )

    lanes = await store.queue.lanes(campaign_id, owners=[NOBODY, anna])

    assert lanes == [
        Lane(owner_id=anna, zone="Europe/Berlin", entry_id=ids[4], priority=3, rank=0.0),
        Lane(owner_id=NOBODY, zone="", entry_id=ids[2], priority=0, rank=1.0),
        Lane(owner_id=NOBODY, zone="Europe/Berlin", entry_id=ids[1], priority=0, rank=4.0),
        Lane(owner_id=anna, zone="Asia/Shanghai", entry_id=ids[3], priority=-1, rank=0.0),
    ]
    assert [lane.owner_id for lane in await store.queue.lanes(campaign_id, owners=[bob, bob])] == [bob]
    assert await store.queue.lanes(campaign_id, owners=[]) == []
    assert await store.queue.lanes(campaign_id + 1000, owners=[NOBODY, anna]) == []


async def test_heads_of_lanes_are_merged_by_priority_rank_and_entry(store: Store) -> None:
    campaign_id, ids = await a_queue(
        store,
        {"zone": "b", "rank": 2.0},
        {"zone": "a", "rank": 2.0},
        {"zone": "b", "rank": 1.0},
        {"zone": "a", "rank": 9.0, "priority": 1},
        {"zone": "c", "rank": -3.0, "priority": -1},
    )

    found = await store.queue.heads(campaign_id, owners=[NOBODY], limit=4)

    assert [one.entry_id for one in found] == [ids[3], ids[2], ids[0], ids[1]]
    assert [(one.zone, one.priority, one.rank) for one in found][:2] == [("a", 1, 9.0), ("b", 0, 1.0)]


async def test_heads_of_closed_zones_are_left_out(store: Store) -> None:
    campaign_id, ids = await a_queue(store, {"zone": "a"}, {"zone": "b"}, {"zone": "a"})

    found = await store.queue.heads(campaign_id, owners=[NOBODY], closed_zones=["b", "elsewhere"], limit=9)

    assert [one.entry_id for one in found] == [ids[0], ids[2]]
    assert await store.queue.heads(campaign_id, owners=[NOBODY], closed_zones=["a", "b"], limit=9) == []


async def test_heads_are_those_of_the_owners_that_are_named(store: Store) -> None:
    anna = await a_stored_agent(store)
    bob = await a_stored_agent(store, login="bob")
    campaign_id, ids = await a_queue(store, {"owner_key": bob}, {"rank": 1.0}, {"owner_key": anna})

    assert [one.entry_id for one in await candidates(store, campaign_id, (anna, anna))] == [ids[2]]
    assert [one.entry_id for one in await candidates(store, campaign_id, (NOBODY, bob))] == ids[:2]
    assert await candidates(store, campaign_id, ()) == []


async def test_heads_leave_out_those_in_hand_and_still_bring_as_many(store: Store) -> None:
    campaign_id, ids = await a_queue(store, *[{"zone": "ab"[n % 2], "rank": float(n)} for n in range(9)])

    found = await store.queue.heads(campaign_id, owners=[NOBODY], limit=3, skip=[ids[0], ids[1], ids[3]])

    assert [one.entry_id for one in found] == [ids[2], ids[4], ids[5]]


async def test_more_lanes_than_one_statement_takes_are_merged_in_order(store: Store) -> None:
    campaign_id, ids = await a_queue(
        store, *[{"zone": f"zone {n % 150:03d}", "rank": float(-n)} for n in range(450)]
    )
    lanes = await store.queue.lanes(campaign_id, owners=[NOBODY])

    found = await store.queue.heads(campaign_id, owners=[NOBODY], limit=200)

    assert len(lanes) == 150
    assert [one.entry_id for one in found] == list(reversed(ids))[:200]


@pytest.mark.parametrize("limit", [1, 7, 8, 9, 20, 30, 60, 100])
@pytest.mark.parametrize("deep", [1, 2])
async def test_a_few_lanes_that_hold_nearly_all_are_read_as_far_as_it_takes(
    store: Store, deep: int, limit: int
) -> None:
    # the first lanes hold the best entries by turns, the others one each in between
    columns = [
        {
            "zone": f"deep {n % deep}" if n % 6 else f"zone {n:03d}",
            "rank": float(n),
            "priority": (n % 3 == 0) * 2,
        }
        for n in range(80)
    ]
    campaign_id, ids = await a_queue(store, *columns)
    best = sorted(range(80), key=lambda n: (-int(columns[n]["priority"]), n))

    found = await store.queue.heads(campaign_id, owners=[NOBODY], limit=limit, skip=[ids[best[3]]])

    wanted = [ids[n] for n in best if n != best[3]][:limit]
    assert [one.entry_id for one in found] == wanted


async def test_a_number_that_is_gone_is_told_as_the_empty_text(store: Store) -> None:
    campaign_id, _ = await a_queue(store, {"number_position": 3})

    (found,) = await candidates(store, campaign_id)

    assert (found.number, found.number_position) == ("", 3)


async def test_whoever_is_parked_until_a_time_waits_with_the_reason(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    first, second = await candidates(store, campaign_id)
    parked = Parked(
        candidate=first,
        reason=SkipReason.OUTSIDE_HOURS,
        detail="opens 08:00 America/New_York",
        until=later(60),
    )

    assert await store.queue.park([parked], at=NOW) == 1

    assert await candidates(store, campaign_id) == [second]
    standing = await entry(store, first.entry_id)
    assert (standing["state"], standing["due_at"]) == ("waiting", later(60))
    assert (standing["reason"], standing["reason_detail"], standing["reason_at"]) == (
        "outside_hours",
        "opens 08:00 America/New_York",
        NOW,
    )


async def test_whoever_is_refused_for_ever_is_done(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (one,) = await candidates(store, campaign_id)

    await store.queue.park([Parked(candidate=one, reason=SkipReason.DO_NOT_CALL)], at=NOW)

    assert await candidates(store, campaign_id) == []
    assert (await store.campaigns.progress(campaign_id)).done == 1
    assert await store.queue.wake(later(1e9), limit=9) == {}


async def test_each_parking_is_noted_in_the_history(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (one,) = await candidates(store, campaign_id)

    await store.queue.park([Parked(candidate=one, reason=SkipReason.DO_NOT_CALL, detail="internal")], at=NOW)

    assert await told_reasons(store) == [
        {
            "at": NOW,
            "kind": "skipped",
            "reason": "do_not_call",
            "detail": "internal",
            "entry_id": one.entry_id,
            "contact_id": one.contact_id,
            "campaign_id": campaign_id,
            "number": one.number,
            "call_id": None,
        }
    ]


async def test_whoever_is_being_dialed_is_not_parked_and_nothing_is_noted(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (one,) = await candidates(store, campaign_id)
    await store.calls.place([(call_for(one), one)])
    before = len(await told_reasons(store))

    assert await store.queue.park([Parked(candidate=one, reason=SkipReason.STOPPED)], at=NOW) == 0

    assert (await store.campaigns.progress(campaign_id)).dialing == 1
    assert len(await told_reasons(store)) == before


async def test_parking_twice_keeps_the_first_and_notes_it_once(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (one,) = await candidates(store, campaign_id)
    await store.queue.park([Parked(candidate=one, reason=SkipReason.HOLIDAY, until=later(9))], at=NOW)

    assert await store.queue.park([Parked(candidate=one, reason=SkipReason.STOPPED)], at=NOW) == 0

    assert (await entry(store, one.entry_id))["reason"] == "holiday"
    assert len(await told_reasons(store)) == 1


async def test_nothing_parked_is_no_error(store: Store) -> None:
    assert await store.queue.park([], at=NOW) == 0


@pytest.mark.parametrize("seconds", [60, 61])
async def test_whoever_is_due_becomes_pending_and_his_reason_is_over(store: Store, seconds: int) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (one,) = await candidates(store, campaign_id)
    await store.queue.park([Parked(candidate=one, reason=SkipReason.HOLIDAY, until=later(60))], at=NOW)

    assert await store.queue.wake(later(59), limit=9) == {}
    assert await store.queue.wake(later(seconds), limit=9) == {campaign_id: 1}

    assert await candidates(store, campaign_id) == [one]
    standing = await entry(store, one.entry_id)
    assert [standing[name] for name in ("due_at", "reason", "reason_detail", "reason_at")] == [None] * 4


async def test_they_are_woken_in_bites_the_longest_due_first(store: Store) -> None:
    one = await a_stored_campaign(store, name="one", contacts=2)
    two = await a_stored_campaign(store, name="two", contacts=1)
    people = [*await candidates(store, one), *await candidates(store, two)]
    parked = [
        Parked(candidate=person, reason=SkipReason.HOLIDAY, until=later(seconds))
        for person, seconds in zip(people, (30, 10, 20), strict=True)
    ]
    await store.queue.park(parked, at=NOW)

    assert await store.queue.wake(later(99), limit=2) == {one: 1, two: 1}

    assert await candidates(store, one) == [people[1]]
    assert await store.queue.wake(later(99), limit=2) == {one: 1}
