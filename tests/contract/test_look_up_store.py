"""The contract of `LookUpStore`: each question is taken once, each answer fetched once, and nothing stays."""

import asyncio
from datetime import timedelta

from cti.model.look_ups import Found, FoundRecord
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store

BERLIN, BEIJING = "+4930901820", "+8613800138000"
DEAL = {"ref": "odoo/crm.lead:9", "name": "屋顶", "stage": "Offer", "amount": 12.5, "currency": "EUR"}
FOUND = Found(
    records=(
        FoundRecord(crm_ref="odoo/crm.lead:7", target="odoo", kind="crm.lead", name="王小明", deal=DEAL),
        FoundRecord(
            crm_ref="odoo/res.partner:3", target="odoo", kind="res.partner", name="Anna", url="https://x/3"
        ),
    ),
    more=True,
)


async def taken(store: Store, target: str = "odoo", *, limit: int = 10) -> list[str]:
    found = await store.look_ups.take(target, since=NOW, at=later(1), limit=limit)
    return [one.number for one in found]


async def test_a_question_is_taken_once_and_by_its_target_alone(store: Store) -> None:
    await store.look_ups.ask([("odoo", BEIJING)], at=later(2))
    await store.look_ups.ask([("odoo", BERLIN), ("espo", BERLIN)], at=later(1))

    assert await store.look_ups.is_asked("odoo", since=NOW)
    (first,) = await store.look_ups.take("odoo", since=NOW, at=later(3), limit=1)
    assert (first.target, first.number, first.asked_at) == ("odoo", BERLIN, later(1))
    assert await taken(store) == [BEIJING]
    assert await taken(store) == []
    assert not await store.look_ups.is_asked("odoo", since=NOW)
    assert await taken(store, "espo") == [BERLIN]


async def test_two_who_take_at_one_time_take_different_ones(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    numbers = [f"+49309018{n:03}" for n in range(20)]
    for _ in range(10):
        await one.look_ups.ask([("odoo", number) for number in numbers], at=NOW)
        parts = await asyncio.gather(*(taken(store, limit=5) for store in (one, other, one, other)))
        assert sorted(number for part in parts for number in part) == numbers


async def test_what_was_asked_long_ago_is_not_handed_out(store: Store) -> None:
    await store.look_ups.ask([("odoo", BERLIN)], at=NOW - timedelta(seconds=1))
    assert not await store.look_ups.is_asked("odoo", since=NOW)
    assert await taken(store) == []


async def test_an_answer_is_fetched_once_whole_and_then_gone(store: Store) -> None:
    await store.look_ups.ask([("odoo", BERLIN), ("odoo", BEIJING)], at=NOW)
    assert await store.look_ups.collect() == {}
    await taken(store)
    await store.look_ups.answer("odoo", BERLIN, FOUND, at=later(2))

    assert await store.look_ups.collect() == {("odoo", BERLIN): FOUND}
    assert await store.look_ups.collect() == {}
    await store.look_ups.answer("odoo", BERLIN, FOUND, at=later(3))  # nobody waits for it any more
    assert await store.look_ups.collect() == {}


async def test_asked_again_it_is_a_new_question(store: Store) -> None:
    await store.look_ups.ask([("odoo", BERLIN)], at=NOW)
    await taken(store)
    await store.look_ups.answer("odoo", BERLIN, FOUND, at=later(2))
    await store.look_ups.ask([("odoo", BERLIN), ("odoo", BERLIN)], at=later(3))
    assert await store.look_ups.collect() == {}
    assert await taken(store) == [BERLIN]


async def test_what_is_withdrawn_is_gone_and_it_is_told_what_nobody_had_taken(store: Store) -> None:
    await store.look_ups.ask([("odoo", BERLIN), ("espo", BERLIN), ("odoo", BEIJING)], at=NOW)
    await taken(store, "odoo", limit=1)
    keys = [("odoo", BERLIN), ("odoo", BEIJING), ("espo", BERLIN), ("espo", BEIJING)]
    first = {("odoo", BERLIN)}

    assert await store.look_ups.withdraw(keys) == {("odoo", BEIJING), ("espo", BERLIN)}
    assert await store.look_ups.withdraw(first) == await store.look_ups.withdraw([]) == set()
    assert await taken(store) == []


async def test_old_ones_are_forgotten_whatever_became_of_them(store: Store) -> None:
    await store.look_ups.ask([("odoo", BERLIN)], at=NOW)
    await store.look_ups.answer("odoo", BERLIN, FOUND, at=later(1))
    await store.look_ups.ask([("espo", BERLIN)], at=later(1))
    assert await store.look_ups.forget(before=later(1)) == 1
    assert await store.look_ups.collect() == {}
    assert await taken(store, "espo") == [BERLIN]
