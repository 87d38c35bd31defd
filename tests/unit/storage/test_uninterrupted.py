"""What has begun is finished, whoever stops waiting."""

import asyncio

import pytest

from cti.storage.uninterrupted import Begun, to_the_end


class Store:
    def __init__(self) -> None:
        self.begun = Begun()
        self.gate = asyncio.Event()
        self.written: list[str] = []

    @to_the_end
    async def write(self, word: str) -> str:
        await self.gate.wait()
        self.written.append(word)
        return word

    @to_the_end
    async def fail(self) -> None:
        await self.gate.wait()
        raise ZeroDivisionError


async def test_the_result_is_the_method_s() -> None:
    store = Store()
    store.gate.set()
    assert await store.write("a") == "a"
    with pytest.raises(ZeroDivisionError):
        await store.fail()


async def test_a_cancelled_caller_leaves_at_once_and_the_write_goes_on() -> None:
    store = Store()
    caller = asyncio.create_task(store.write("a"))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert store.written == []

    store.gate.set()
    await store.begun.all_ended()

    assert store.written == ["a"]


async def test_waiting_for_the_end_outlasts_a_failure_nobody_heard() -> None:
    store = Store()
    caller = asyncio.create_task(store.fail())
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait({caller})

    store.gate.set()
    await store.begun.all_ended()
