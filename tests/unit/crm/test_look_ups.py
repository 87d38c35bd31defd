"""Handing numbers out to whoever can ask a CRM: how many, when, and what an answer means for the target."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from cti.crm.look_ups import REQUESTS, TableLookUps
from cti.crm.targets import kind_of
from cti.errors import NotFound
from cti.model.crm import Answer, Rate
from cti.model.look_ups import Found, FoundRecord, LookUpAnswer
from cti.model.work import NewWork
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import some_look_ups
from tests.fakes.memory_store import MemoryStore

BERLIN = "+4930901820"
FREE = Rate()
FOUND = Found(records=(FoundRecord(crm_ref="odoo/lead:1", target="odoo", kind="lead", name="Anna"),))


class House:
    """A feed, and questions."""

    def __init__(self, **given: Any) -> None:
        self.clock, self.store = FakeClock(), MemoryStore()
        self.feed: TableLookUps = some_look_ups(self.store, self.clock, **given)

    async def ask(self, count: int = 1) -> None:
        keys = [("odoo", f"{BERLIN}{n}") for n in range(count)]
        await self.store.look_ups.ask(keys, at=self.clock.now())

    async def take(self, rate: Rate = FREE, *, limit: int = 9) -> int:
        return len(await self.feed.take("odoo", limit=limit, rate=rate))

    async def a_call_waits(self) -> None:
        await self.store.work.add([NewWork(kind=kind_of("odoo"), key="1", payload={})], now=self.clock.now())

    @property
    def spent(self) -> int:
        return self.store.tables.crm_targets["odoo"].spent

    async def answer(self, answer: Answer, **given: Any) -> str:
        number = f"{BERLIN}0"
        await self.feed.answer("odoo", LookUpAnswer(number=number, answer=answer, **given))
        return (await self.store.crm.standing("odoo")).state


async def test_numbers_are_handed_out_once_and_paid_from_the_accounts_bucket() -> None:
    house = House()
    await house.ask(3)
    assert [await house.take(limit=2), await house.take(), await house.take()] == [2, 1, 0]
    assert house.spent == 3 * REQUESTS


async def test_of_a_small_bucket_one_may_be_overdrawn_and_then_it_is_waited() -> None:
    house, rate = House(), Rate(per_second=1.0, burst=1)
    await house.ask(2)
    assert [await house.take(rate), await house.take(rate)] == [1, 0]
    house.clock.advance(REQUESTS)
    assert await house.take(rate) == 1


async def test_while_calls_wait_only_the_upper_half_of_the_bucket_is_for_numbers() -> None:
    house, rate = House(), Rate(per_second=0.001, burst=12)
    await house.ask(9)
    await house.a_call_waits()
    assert [await house.take(rate), await house.take(rate)] == [2, 0]  # 12 - 6 are left for them
    await house.store.work.finish_all(
        await house.store.work.lease(
            kinds=[kind_of("odoo")], limit=1, now=NOW, lease_for=timedelta(seconds=60)
        ),
        now=NOW,
    )
    assert await house.take(rate) == 2


@pytest.mark.parametrize("answer", [Answer.AWAY, Answer.THROTTLE])
async def test_a_crm_that_takes_nothing_now_is_asked_nothing(answer: Answer) -> None:
    house = House()
    await house.ask()
    assert await house.answer(answer, message="not now") == "paused"
    assert await house.take() == 0


@pytest.mark.parametrize("answer", [Answer.AUTH, Answer.UNKNOWN, Answer.PERMANENT, Answer.RETRY])
async def test_what_a_crm_says_of_a_look_up_alone_holds_up_no_call(answer: Answer) -> None:
    house = House()
    assert await house.answer(answer) == "ok"


async def test_an_answer_is_kept_for_whoever_waits_and_he_is_told() -> None:
    told: list[int] = []
    house = House(on_answer=lambda: told.append(1))
    await house.ask()
    await house.take()
    await house.answer(Answer.OK, found=FOUND)
    assert (await house.store.look_ups.collect(), told) == ({("odoo", f"{BERLIN}0"): FOUND}, [1])
    await house.answer(Answer.RETRY, found=FOUND)
    assert told == [1]


async def test_whoever_waits_for_a_number_is_woken_by_it() -> None:
    house = House(poll_seconds=3600.0)
    waiting = asyncio.create_task(house.feed.take("odoo", limit=9, rate=FREE, wait_seconds=3600.0))
    for _ in range(4):
        await asyncio.sleep(0)
    await house.ask()
    house.feed.asked()
    assert [one.number for one in await waiting] == [f"{BERLIN}0"]


async def test_whoever_waits_finds_a_number_of_another_process_by_looking() -> None:
    house = House(poll_seconds=0.0)
    waiting = asyncio.create_task(house.feed.take("odoo", limit=9, rate=FREE, wait_seconds=3600.0))
    await asyncio.sleep(0)
    await house.ask()
    assert len(await waiting) == 1


async def test_a_service_that_ends_keeps_nobody_waiting() -> None:
    house = House(poll_seconds=3600.0)
    waiting = asyncio.create_task(house.feed.take("odoo", limit=9, rate=FREE, wait_seconds=3600.0))
    for _ in range(4):
        await asyncio.sleep(0)
    house.feed.close()
    assert await waiting == ()
    assert await house.feed.take("odoo", limit=9, rate=FREE, wait_seconds=3600.0) == ()


async def test_what_a_killed_service_left_behind_is_gone_after_a_minute() -> None:
    house = House()
    await house.ask()
    house.clock.advance(11)
    assert await house.take() == 0  # nobody waits for it any more
    assert house.store.look_ups.questions
    house.clock.advance(50)
    await house.take()
    assert not house.store.look_ups.questions


async def test_of_a_crm_that_there_is_not_it_is_said_which_there_are() -> None:
    house = House()
    with pytest.raises(NotFound, match="odoo, rest"):
        await house.feed.take("nobody", limit=1, rate=FREE)
    with pytest.raises(NotFound, match="odoo, rest"):
        await house.feed.answer("nobody", LookUpAnswer(number=BERLIN, answer=Answer.OK))
