"""Asking CRMs for numbers: who is asked, for how long, and what is remembered."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cti.crm import asker as module
from cti.crm.asker import Asker
from cti.errors import StorageError
from cti.model.look_ups import Found, FoundRecord
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.memory_look_ups import MemoryLookUps

BERLIN, BEIJING = "+4930901820", "+8613800138000"
NEVER = 3600.0


def found(target: str = "odoo", number: int = 1, *, more: bool = False) -> Found:
    ref = f"{target}/lead:{number}"
    return Found(records=(FoundRecord(crm_ref=ref, target=target, kind="lead", name=ref),), more=more)


class House:
    """An asker, and what it asks."""

    def __init__(self, *targets: str, on_ask: Callable[[], None] = lambda: None) -> None:
        self.clock, self.store = FakeClock(), MemoryLookUps()
        self.asker = Asker(
            store=self.store,
            targets=targets or ("odoo",),
            all_targets=("odoo", "espo", "silent"),
            clock=self.clock,
            on_ask=on_ask,
        )

    async def ask(self, number: str = BERLIN, ref: str | None = None) -> asyncio.Task[Found | None]:
        """Begin to ask; return what will come of it."""
        asking = asyncio.create_task(self.asker.find(number, crm_ref=ref, within=NEVER))
        for _ in range(4):
            await asyncio.sleep(0)
        return asking

    async def take(self, target: str = "odoo") -> list[str]:
        taken = await self.store.take(target, since=NOW, at=self.clock.now(), limit=9)
        return [one.number for one in taken]

    async def say(self, what: Found, target: str = "odoo", number: str = BERLIN) -> None:
        await self.store.answer(target, number, what, at=self.clock.now())
        await self.asker.step()


async def test_whoever_asks_gets_what_the_crm_said() -> None:
    house = House()
    asking = await house.ask()
    assert await house.take() == [BERLIN]
    await house.say(found())
    assert await asking == found()


@pytest.mark.parametrize(
    ("number", "ref"),
    [("anonymous", None), ("110", None), (BERLIN, "odoo/lead:1"), (BERLIN, "silent/lead:1")],
)
async def test_nobody_is_asked_for_no_number_or_for_a_call_that_names_its_record(
    number: str, ref: str | None
) -> None:
    house = House()
    assert await house.asker.find(number, crm_ref=ref, within=NEVER) is None
    assert house.store.questions == {}


async def test_two_who_ask_for_one_number_ask_once_and_get_the_same() -> None:
    house = House()
    first, second = await house.ask(), await house.ask()
    assert await house.take() == [BERLIN]
    await house.say(found())
    assert await first == await second == found()


async def test_a_waiter_who_goes_takes_nobody_elses_answer_along() -> None:
    house = House()
    first = await house.ask()
    second = await house.ask()
    first.cancel()
    await asyncio.wait({first})
    await house.say(found())
    assert await second == found()


async def test_for_minutes_the_answer_is_remembered_also_that_there_is_nobody() -> None:
    house = House()
    asking = await house.ask()
    await house.say(Found())
    assert await asking == Found()
    house.clock.advance(299)
    assert await house.asker.find(BERLIN, crm_ref=None, within=NEVER) == Found()
    house.clock.advance(1)
    await house.asker.step()
    assert house.asker._remembered == {}
    await (again := await house.ask(), await house.say(found()))[0]
    assert again.result() == found()


async def test_little_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    house = House()
    for n in range(3):
        asking = await house.ask(f"{BERLIN}{n}")
        await house.say(found(number=n), number=f"{BERLIN}{n}")
        await asking
    assert [number for _, number in house.asker._remembered] == [f"{BERLIN}1", f"{BERLIN}2"]


async def test_several_crms_are_asked_at_one_time_and_what_comes_in_time_is_given() -> None:
    house = House("odoo", "espo", "silent")
    asking = await house.ask()
    await house.say(found("espo", 2, more=True), "espo")
    await house.say(found("odoo"), "odoo")
    assert not asking.done()
    house.clock.advance(10)
    await house.asker.step()
    answer = await asking
    assert answer is not None
    assert {one.crm_ref for one in answer.records} == {"espo/lead:2", "odoo/lead:1"}
    assert answer.more


async def test_whoever_may_not_wait_goes_on_without_and_the_answer_is_there_for_the_next() -> None:
    house = House()
    assert await house.asker.find(BERLIN, crm_ref=None, within=0) is None
    await house.say(found())
    assert await house.asker.find(BERLIN, crm_ref=None, within=0) == found()


async def test_a_question_that_nobody_took_in_ten_seconds_is_withdrawn_and_its_crm_rests() -> None:
    house = House("odoo", "espo")
    asking = await house.ask()
    assert await house.take("odoo") == [BERLIN]
    house.clock.advance(10)
    await house.asker.step()
    assert await asking is None
    assert house.store.questions == {}

    await house.ask(BEIJING)
    assert set(house.store.questions) == {("odoo", BEIJING)}  # whoever takes and is slow is asked again
    house.clock.advance(60)
    await house.ask("+8613800138001")
    assert ("espo", "+8613800138001") in house.store.questions


async def test_a_database_that_is_away_costs_the_answer_and_nothing_else() -> None:
    house = House()

    async def away(*_: Any, **__: Any) -> None:
        raise StorageError("away", temporary=True)

    ask, house.store.ask = house.store.ask, away  # type: ignore[method-assign]
    assert await house.asker.find(BERLIN, crm_ref=None, within=NEVER) is None
    house.store.ask = ask  # type: ignore[method-assign]
    asking = await house.ask()
    await house.say(found())
    assert await asking == found()


async def test_while_it_runs_answers_come_as_soon_as_it_is_told_of_them_and_leftovers_are_gone() -> None:
    rung = asyncio.Event()
    house = House(on_ask=rung.set)
    await house.store.ask([("odoo", BEIJING)], at=NOW)
    house.clock.advance(1)
    running = asyncio.create_task(house.asker.run())
    asking = await house.ask()
    await rung.wait()
    assert set(house.store.questions) == {("odoo", BERLIN)}
    await house.store.answer("odoo", BERLIN, found(), at=NOW)
    house.asker.answered()
    assert await asking == found()
    running.cancel()
    await asyncio.wait({running})
