"""The contract of `DoNotCallStore`."""

import pytest

from cti.compliance.listings import ListingChange, NewListing
from cti.errors import NotFound
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign

KEYS = [f"+49309{n:07d}" for n in range(10)]


async def test_an_entry_is_read_back_by_another_process(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()

    new = await store.do_not_call.add(
        [NewListing(key="+4930*", reason="客户要求", until=later(60))], by="anna", at=NOW
    )

    assert new == 1
    [entry] = await other.do_not_call.listings(limit=10)
    assert (entry.key, entry.campaign_id, entry.reason, entry.until) == ("+4930*", 0, "客户要求", later(60))
    assert (entry.added_by, entry.added_at) == ("anna", NOW)


async def test_an_entry_that_is_there_takes_the_new_reason_and_end(store: Store) -> None:
    await store.do_not_call.add([NewListing(key=KEYS[0], until=later(60))], by="anna", at=NOW)

    new = await store.do_not_call.add(
        [NewListing(key=KEYS[0], reason="for good"), NewListing(key=KEYS[1])], by="bob", at=later(5)
    )

    assert new == 1
    entries = await store.do_not_call.listings(limit=10)
    assert [(one.key, one.reason, one.until, one.added_by) for one in entries] == [
        (KEYS[0], "for good", None, "anna"),
        (KEYS[1], "", None, "bob"),
    ]


async def test_the_history_keeps_who_did_what_and_why(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    await store.do_not_call.add(
        [NewListing(key=KEYS[0], campaign_id=campaign_id, reason="asked")], by="anna", at=NOW
    )
    await store.do_not_call.add(
        [NewListing(key=KEYS[0], campaign_id=campaign_id, reason="again", until=later(60))],
        by="bob",
        at=later(1),
    )
    await store.do_not_call.remove(KEYS[0], campaign_id, by="lead", reason="a mistake", at=later(2))

    steps = await store.do_not_call.history(KEYS[0])

    assert [(one.change, one.by, one.reason, one.until, one.at) for one in steps] == [
        (ListingChange.ADDED, "anna", "asked", None, NOW),
        (ListingChange.CHANGED, "bob", "again", later(60), later(1)),
        (ListingChange.REMOVED, "lead", "a mistake", None, later(2)),
    ]
    assert {one.campaign_id for one in steps} == {campaign_id}
    assert await store.do_not_call.listings(limit=10) == []


async def test_an_entry_is_taken_out_of_its_own_list_alone(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    await store.do_not_call.add([NewListing(key=KEYS[0])], by="anna", at=NOW)

    with pytest.raises(NotFound, match="does not stand"):
        await store.do_not_call.remove(KEYS[0], campaign_id, by="anna", reason="", at=NOW)

    assert len(await store.do_not_call.listings(limit=10)) == 1


async def test_an_unknown_campaign_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(NotFound, match="no campaign 999999"):
        await store.do_not_call.add(
            [NewListing(key=KEYS[0]), NewListing(key=KEYS[1], campaign_id=999_999)], by="anna", at=NOW
        )

    assert await store.do_not_call.listings(limit=10) == []


async def test_entries_come_in_pages_by_beginning_and_campaign(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    await store.do_not_call.add([NewListing(key=key) for key in [*KEYS, "+8613*"]], by="anna", at=NOW)
    await store.do_not_call.add([NewListing(key=KEYS[2], campaign_id=campaign_id)], by="anna", at=NOW)

    first = await store.do_not_call.listings(beginning="+49", limit=3)
    last = first[-1]
    rest = await store.do_not_call.listings(beginning="+49", after=(last.key, last.campaign_id), limit=20)

    expected = sorted([(key, 0) for key in KEYS] + [(KEYS[2], campaign_id)])
    assert [(one.key, one.campaign_id) for one in first + rest] == expected
    ours = await store.do_not_call.listings(campaign_id=campaign_id, limit=20)
    assert [one.key for one in ours] == [KEYS[2]]


async def a_register(store: Store, name: str, keys: list[str], as_of: str = "2026-11-01") -> int:
    number = await store.do_not_call.begin_register(
        name=name, source=f"{name}.txt", as_of=as_of, by="anna", at=NOW
    )
    await store.do_not_call.add_to_register(number, keys)
    return number


async def test_a_register_is_replaced_as_a_whole(store: Store) -> None:
    old = await a_register(store, "tps", KEYS[:3])
    await store.do_not_call.finish_register(old, refused=0)
    new = await a_register(store, "tps", KEYS[3:], as_of="2026-11-20")

    [before] = await store.do_not_call.registers()
    after = await store.do_not_call.finish_register(new, refused=2)

    assert (before.id, before.numbers, before.as_of) == (old, 3, "2026-11-01")
    assert (after.numbers, after.refused, after.source, after.imported_by) == (7, 2, "tps.txt", "anna")
    assert await store.do_not_call.registers() == [after]


async def test_a_number_that_stands_twice_in_a_register_counts_once(store: Store) -> None:
    number = await a_register(store, "tps", [KEYS[0], KEYS[1]])
    await store.do_not_call.add_to_register(number, [KEYS[1], KEYS[2]])

    assert (await store.do_not_call.finish_register(number, refused=0)).numbers == 3


async def test_a_register_that_was_ended_is_not_known(store: Store) -> None:
    await store.do_not_call.finish_register(await a_register(store, "tps", KEYS), refused=0)

    await store.do_not_call.end_register("tps")

    assert await store.do_not_call.registers() == []
    with pytest.raises(NotFound, match="tps"):
        await store.do_not_call.end_register("tps")
    with pytest.raises(NotFound):
        await store.do_not_call.finish_register(999_999, refused=0)


async def test_what_does_not_count_is_deleted_in_bites_and_what_is_being_filled_is_left(store: Store) -> None:
    old = await a_register(store, "tps", KEYS)
    await store.do_not_call.finish_register(old, refused=0)
    await store.do_not_call.finish_register(await a_register(store, "tps", KEYS[:2]), refused=0)
    filling = await a_register(store, "mps", KEYS[:5])

    bites = []
    while bite := await store.do_not_call.forget_registers(keep={filling}, at_most=4):
        bites.append(bite)

    assert bites == [4, 4, 2]
    assert (await store.do_not_call.finish_register(filling, refused=0)).numbers == 5
    with pytest.raises(NotFound):
        await store.do_not_call.finish_register(old, refused=0)
    assert [one.numbers for one in await store.do_not_call.registers()] == [5, 2]
