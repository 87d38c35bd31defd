"""The contract of `WorkStore`: nothing handed out twice at a time, nothing lost, nothing done for an old version."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from cti.model.work import NewWork, Work
from cti.work.ports import WorkCounts, WorkQueue
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store

MINUTE = timedelta(minutes=1)


def wish(key: str = "a", **given: Any) -> NewWork:
    values: dict[str, Any] = {"kind": "collect", "key": key, "payload": {"n": 1}}
    return NewWork(**values | given)


async def leased(
    store: Store, *, at: float = 0, limit: int = 100, kinds: tuple[str, ...] = ("collect",)
) -> list[Work]:
    return await store.work.lease(kinds=kinds, limit=limit, now=later(at), lease_for=MINUTE)


async def one_leased(store: Store, *, at: float = 0) -> Work:
    (work,) = await leased(store, at=at)
    return work


async def test_work_is_handed_out_once_with_its_payload(store: Store) -> None:
    await store.work.add([wish(payload={"name": "王", "list": [1, {"a": None}]})], now=NOW)

    work = await one_leased(store)

    assert (work.kind, work.key, work.version, work.attempts) == ("collect", "a", 1, 1)
    assert work.payload == {"name": "王", "list": [1, {"a": None}]}
    assert work.leased_until == NOW + MINUTE
    assert await leased(store, at=59) == []


async def test_nothing_added_and_nothing_due_is_no_error(store: Store) -> None:
    await store.work.add([], now=NOW)
    assert await leased(store) == []
    assert await leased(store, kinds=()) == []


async def test_work_of_other_kinds_is_not_handed_out(store: Store) -> None:
    await store.work.add([wish(), wish(kind="push"), wish(kind="tell")], now=NOW)

    assert {work.kind for work in await leased(store, kinds=("push", "tell"))} == {"push", "tell"}


async def test_work_waits_until_it_is_due(store: Store) -> None:
    await store.work.add([wish(due_at=later(30))], now=NOW)

    assert await leased(store, at=29) == []
    assert len(await leased(store, at=30)) == 1


async def test_the_urgent_comes_first_then_the_longest_due(store: Store) -> None:
    wishes = [
        wish("late", due_at=later(3)),
        wish("early", due_at=later(1)),
        wish("urgent", due_at=later(5), priority=9),
        wish("middle", due_at=later(2)),
    ]
    await store.work.add(wishes, now=NOW)

    first = await leased(store, at=9, limit=3)
    rest = await leased(store, at=9, limit=3)

    assert [work.key for work in first] == ["urgent", "early", "middle"]
    assert [work.key for work in rest] == ["late"]


async def test_a_lease_that_ran_out_is_handed_out_again(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    first = await one_leased(store)

    second = await one_leased(store, at=60)

    assert (second.id, second.attempts) == (first.id, 2)
    assert second.lease != first.lease
    assert not await store.work.finish(first, now=later(61))
    assert not await store.work.extend(first, now=later(61), lease_for=MINUTE)
    assert not await store.work.retry(first, error="x", due_at=later(61), now=later(61))
    assert not await store.work.bury(first, error="x", now=later(61))
    assert await store.work.finish(second, now=later(62))


async def test_a_lease_can_be_kept_longer(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)

    assert await store.work.extend(work, now=later(50), lease_for=MINUTE)

    assert await leased(store, at=109) == []
    assert len(await leased(store, at=110)) == 1


async def test_finished_work_is_over(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)

    assert await store.work.finish(work, now=later(1))

    assert await leased(store, at=9999) == []
    assert not await store.work.finish(work, now=later(2))
    assert await store.work.counts() == [WorkCounts(kind="collect", waiting=0, leased=0, done=1, dead=0)]


async def test_the_same_work_is_new_after_it_was_done(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    first = await one_leased(store)
    await store.work.finish(first, now=later(1))

    await store.work.add([wish(payload={"n": 2})], now=later(2))

    second = await one_leased(store, at=3)
    assert (second.version, second.payload, second.attempts) == (1, {"n": 2}, 1)
    assert second.id != first.id


async def test_several_wishes_become_one_piece_of_work(store: Store) -> None:
    await store.work.add([wish(payload={"n": 1}, priority=5), wish("b")], now=NOW)

    await store.work.add([wish(payload={"n": 2}), wish(payload={"n": 3})], now=later(1))

    work, other = await leased(store, at=1)
    assert (work.key, work.version, work.payload) == ("a", 3, {"n": 3})
    assert (other.key, other.version) == ("b", 1)


async def test_a_new_version_of_waiting_work_is_due_when_it_wishes(store: Store) -> None:
    await store.work.add([wish(due_at=later(500))], now=NOW)

    await store.work.add([wish()], now=later(1))

    assert len(await leased(store, at=1)) == 1


async def test_a_newer_version_waits_for_the_lease_and_stays_due(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    old = await one_leased(store)
    await store.work.add([wish(payload={"n": 2})], now=later(1))
    assert await leased(store, at=2) == []

    assert not await store.work.finish(old, now=later(3))

    new = await one_leased(store, at=3)
    assert (new.id, new.version, new.payload, new.attempts) == (old.id, 2, {"n": 2}, 1)
    assert await store.work.finish(new, now=later(4))


async def test_a_newer_version_is_due_after_its_holder_vanished(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    await one_leased(store)
    await store.work.add([wish(payload={"n": 2})], now=later(1))

    new = await one_leased(store, at=60)

    assert (new.version, new.payload) == (2, {"n": 2})


async def test_a_failed_run_is_tried_again_later_and_tells_why(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)

    assert await store.work.retry(work, error="the CRM is away", due_at=later(40), now=later(1))

    assert await leased(store, at=39) == []
    again = await one_leased(store, at=40)
    assert (again.attempts, again.error) == (2, "the CRM is away")


async def test_a_failed_run_of_an_old_version_does_not_delay_the_new_one(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)
    await store.work.add([wish(payload={"n": 2})], now=later(1))

    assert await store.work.retry(work, error="away", due_at=later(4000), now=later(2))

    again = await one_leased(store, at=2)
    assert (again.version, again.attempts) == (2, 1)


async def test_given_up_work_is_a_dead_letter_that_can_be_revived(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)

    assert await store.work.bury(work, error="no such record", now=later(1))

    assert await leased(store, at=9999) == []
    (letter,) = await store.work.dead()
    assert (letter.id, letter.key, letter.error, letter.attempts) == (work.id, "a", "no such record", 1)
    assert await store.work.revive(letter.id, now=later(50))
    assert not await store.work.revive(letter.id, now=later(50))
    again = await one_leased(store, at=50)
    assert (again.id, again.attempts, again.error) == (work.id, 1, "no such record")
    assert await store.work.dead() == []


async def test_nothing_of_an_unknown_id_is_revived(store: Store) -> None:
    assert not await store.work.revive(77, now=NOW)


async def test_an_old_version_that_is_given_up_leaves_the_new_one_due(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)
    await store.work.add([wish(payload={"n": 2})], now=later(1))

    assert not await store.work.bury(work, error="no such record", now=later(2))

    assert await store.work.dead() == []
    assert (await one_leased(store, at=2)).version == 2


async def test_a_new_version_brings_a_dead_letter_back_to_life(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    await store.work.bury(await one_leased(store), error="no such record", now=later(1))

    await store.work.add([wish(payload={"n": 2})], now=later(2))

    again = await one_leased(store, at=2)
    assert (again.version, again.payload, again.attempts) == (2, {"n": 2}, 1)
    assert await store.work.dead() == []


async def test_dead_letters_come_newest_first_and_by_kind(store: Store) -> None:
    await store.work.add([wish("a"), wish("b"), wish("c", kind="push")], now=NOW)
    works = {work.key: work for work in await leased(store, kinds=("collect", "push"))}
    for at, key in enumerate(("b", "c", "a"), 1):
        await store.work.bury(works[key], error="x", now=later(at))

    assert [work.key for work in await store.work.dead()] == ["a", "c", "b"]
    assert [work.key for work in await store.work.dead(kind="collect")] == ["a", "b"]
    assert [work.key for work in await store.work.dead(limit=1)] == ["a"]


async def test_work_is_counted_by_kind_and_standing(store: Store) -> None:
    await store.work.add([wish(key) for key in "abcde"] + [wish(kind="push")], now=NOW)
    done, dead, _held = await leased(store, limit=3)
    await store.work.finish(done, now=NOW)
    await store.work.bury(dead, error="x", now=NOW)

    assert await store.work.counts() == [
        WorkCounts(kind="collect", waiting=2, leased=1, done=1, dead=1),
        WorkCounts(kind="push", waiting=1, leased=0, done=0, dead=0),
    ]


async def test_only_what_was_done_long_ago_is_forgotten(store: Store) -> None:
    await store.work.add([wish(key) for key in "abcd"], now=NOW)
    old, young, dead, _ = await leased(store)
    await store.work.finish(old, now=later(1))
    await store.work.finish(young, now=later(100))
    await store.work.bury(dead, error="x", now=later(1))

    assert await store.work.forget_done(before=later(100), kinds=["other"]) == 0
    assert await store.work.forget_done(before=later(100), kinds=["collect"]) == 1
    assert await store.work.forget_done(before=later(100)) == 0

    assert await store.work.counts() == [WorkCounts(kind="collect", waiting=0, leased=1, done=1, dead=1)]


async def test_several_workers_share_the_work_and_none_gets_another_s(open_store: OpenStore) -> None:
    """Four workers on connections of their own; some of them drop what they took, as a killed one would."""
    stores = [await open_store() for _ in range(4)]
    keys = [f"{n:03}" for n in range(200)]
    await stores[0].work.add([wish(key) for key in keys], now=NOW)
    held: set[int] = set()
    finished: Counter[str] = Counter()

    async def work_off(number: int, store: Store) -> None:
        while batch := await leased(store, limit=7):
            ids = {work.id for work in batch}
            assert not ids & held, "handed out twice at one time"
            held.update(ids)
            await asyncio.sleep(0)
            for work in batch:
                if (work.id + number) % 5 == 0:
                    continue  # its worker dies: it stays leased
                held.discard(work.id)
                assert await store.work.finish(work, now=later(1))
                finished[work.key] += 1

    await asyncio.gather(*(work_off(number, store) for number, store in enumerate(stores)))
    abandoned = len(held)
    assert 0 < abandoned < len(keys)
    for work in await leased(stores[0], at=60, limit=1000):
        assert await stores[0].work.finish(work, now=later(61))
        finished[work.key] += 1

    assert finished == Counter(keys)


async def test_writers_of_the_same_work_at_once_lose_no_version(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]

    async def write(store: Store, order: int) -> None:
        for _ in range(10):
            await store.work.add([wish(key) for key in ("a", "b", "c")[::order]], now=NOW)

    await asyncio.gather(*(write(store, (-1) ** n) for n, store in enumerate(stores)))

    assert {work.key: work.version for work in await leased(stores[0])} == {"a": 40, "b": 40, "c": 40}


async def test_work_given_back_is_as_if_it_had_never_been_run(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    failed = await one_leased(store)
    await store.work.retry(failed, error="no disk", due_at=later(1), now=NOW)
    work = await one_leased(store, at=1)

    assert await store.work.give_back(work, due_at=later(5), now=later(2))

    assert await leased(store, at=4) == []
    again = await one_leased(store, at=5)
    assert (again.attempts, again.error) == (2, "no disk")
    assert not await store.work.give_back(work, due_at=later(5), now=later(6))


async def test_given_back_after_a_newer_version_came_it_is_due_as_that_one_wished(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)
    await store.work.add([wish(payload={"n": 2}, due_at=later(7))], now=later(1))

    assert await store.work.give_back(work, due_at=later(99), now=later(2))

    newer = await one_leased(store, at=7)
    assert (newer.version, newer.payload, newer.attempts) == (2, {"n": 2}, 1)


async def test_the_queue_of_a_kind_is_told_with_its_age_and_what_was_done(store: Store) -> None:
    async def queue(at: float = 10) -> WorkQueue:
        return await store.work.queue(kind="collect", now=later(at), since=later(3))

    assert await queue() == WorkQueue(oldest_due_at=None, done=0)
    wishes = [wish(key, due_at=later(due)) for key, due in (("a", 0), ("b", 1), ("c", 2), ("d", 99))]
    await store.work.add([*wishes, wish(kind="other")], now=NOW)
    first, second = await leased(store, at=1)
    assert await queue() == WorkQueue(oldest_due_at=later(2), done=0)
    assert await queue(1) == WorkQueue(oldest_due_at=None, done=0)

    await store.work.finish(first, now=later(2))
    await store.work.finish(second, now=later(4))

    assert await queue() == WorkQueue(oldest_due_at=later(2), done=1)


async def test_works_are_finished_together_but_for_newer_ones_and_others_leases(store: Store) -> None:
    await store.work.add([wish(key) for key in "abc"], now=NOW)
    await store.work.add([wish("b")], now=NOW)
    first = await leased(store, limit=2)
    (other,) = await leased(store)
    await store.work.add([wish("a")], now=later(1))
    by_key = {work.key: work for work in (*first, other)}

    finished = await store.work.finish_all(first, now=later(2))

    assert finished == {by_key["b"].id}
    assert await store.work.finish_all([], now=later(2)) == set()
    assert await store.work.finish_all(first, now=later(3)) == set()
    (again,) = await leased(store, at=3)
    assert (again.key, again.version) == ("a", 2)
    assert await store.work.finish(by_key["c"], now=later(3))


async def test_leases_are_kept_together_and_lost_ones_told(store: Store) -> None:
    await store.work.add([wish(key) for key in "ab"], now=NOW)
    works = await leased(store)
    await store.work.finish(works[0], now=later(1))

    kept = await store.work.extend_all(works, now=later(50), lease_for=MINUTE)

    assert kept == {works[1].id}
    assert await store.work.extend_all([], now=later(50), lease_for=MINUTE) == set()
    assert await leased(store, at=109) == []
    assert len(await leased(store, at=110)) == 1


async def test_a_dead_letter_that_is_discarded_is_over(store: Store) -> None:
    await store.work.add([wish()], now=NOW)
    work = await one_leased(store)
    assert not await store.work.discard(work.id, now=NOW)
    await store.work.bury(work, error="no such field", now=later(1))

    assert await store.work.discard(work.id, now=later(2))

    assert not await store.work.discard(work.id, now=later(3))
    assert await store.work.dead() == []
    assert await leased(store, at=9999) == []


async def test_of_several_kinds_the_first_in_turn_are_handed_out(store: Store) -> None:
    wishes = [("a", "1", 0), ("b", "2", 5), ("c", "3", 9), ("b", "4", 0), ("a", "5", 7)]
    works = [NewWork(kind=kind, key=key, payload={}, priority=priority) for kind, key, priority in wishes]
    await store.work.add(works, now=NOW)
    leased = await store.work.lease(kinds=("b", "a", "b"), limit=3, now=NOW, lease_for=MINUTE)
    assert [work.key for work in leased] == ["5", "2", "1"]
    rest = await store.work.lease(kinds=("a", "b", "c"), limit=9, now=NOW, lease_for=MINUTE)
    assert [work.key for work in rest] == ["3", "4"]
