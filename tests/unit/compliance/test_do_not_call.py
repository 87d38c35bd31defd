"""Registers while they are filled, and what is cleared away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cti.compliance.do_not_call import DoNotCall
from cti.errors import BadInput, Conflict
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

NUMBERS = [f"+49309{n:07d}" for n in range(5000)]


def desk() -> tuple[MemoryStore, DoNotCall]:
    store = MemoryStore()
    return store, DoNotCall(store=store.do_not_call, facts=store.compliance, clock=FakeClock())


async def pieces(*texts: str) -> AsyncIterator[bytes]:
    for text in texts:
        yield text.encode()


async def test_a_register_of_thousands_is_filled_in_bites_and_the_old_one_is_deleted() -> None:
    store, lists = desk()
    for numbers in (NUMBERS[:3000], NUMBERS):
        await lists.import_register(pieces("\n".join(numbers)), name="tps", source="a", by="anna")

    await lists.step()

    [register] = await lists.registers()
    assert register.numbers == 5000
    assert len(store.tables.registers) == 1


async def test_a_file_that_breaks_off_leaves_the_old_register_and_nothing_else() -> None:
    store, lists = desk()
    await lists.import_register(pieces(NUMBERS[0]), name="tps", source="a", by="anna")

    async def breaking() -> AsyncIterator[bytes]:
        yield "\n".join(NUMBERS).encode()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await lists.import_register(breaking(), name="tps", source="b", by="anna")
    await lists.step()

    assert [one.source for one in await lists.registers()] == ["a"]
    assert len(store.tables.registers) == 1


async def test_a_register_is_filled_by_one_at_a_time_and_is_not_cleared_away_meanwhile() -> None:
    _, lists = desk()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        yield "\n".join(NUMBERS[:2500]).encode()
        await go_on.wait()
        yield b"\n" + NUMBERS[2500].encode()

    filling = asyncio.create_task(lists.import_register(slow(), name="tps", source="a", by="anna"))
    await begun.wait()
    with pytest.raises(Conflict, match="being imported already"):
        await lists.import_register(pieces(NUMBERS[0]), name="tps", source="b", by="bob")
    await lists.step()
    go_on.set()

    assert (await filling).register.numbers == 2501


async def test_a_number_that_is_listed_twice_in_a_file_is_listed_once() -> None:
    _, lists = desk()

    reading = await lists.add_file(pieces("+4930901820\n+4930901820\n"), reason="x", by="anna")

    assert reading.taken == 2
    assert len(await lists.listings(beginning="", campaign_id=None, after=("", 0), limit=9)) == 1


async def test_a_file_without_numbers_is_refused() -> None:
    _, lists = desk()

    with pytest.raises(BadInput, match="no line holds a number, 0 are refused"):
        await lists.import_register(pieces(""), name="tps", source="a", by="anna")
