"""Requests are counted as they leave, whatever task sends them, and paid where it is safe to wait."""

import asyncio
from functools import partial

import pytest

from crm_sync.tab import Tab, noted, on_tab, settled, together


class Budget:
    """Says what it was asked to pay."""

    def __init__(self) -> None:
        self.paid: list[int] = []

    async def pay(self, requests: int) -> None:
        self.paid.append(requests)


async def ask(number: int) -> int:
    noted()
    await asyncio.sleep(0)
    return number


async def test_requests_of_all_tasks_are_counted_and_paid_after_each_few() -> None:
    budget = Budget()
    with on_tab(Tab(budget.pay, paid=1)) as tab:
        found = await together([partial(ask, n) for n in range(5)], at_once=2)

    assert found == [0, 1, 2, 3, 4]
    assert (tab.sent, tab.owed, budget.paid) == (5, 0, [1, 2, 1])


async def test_without_a_tab_nothing_is_counted_and_nobody_waits() -> None:
    noted()
    await settled()
    assert await together([partial(ask, 7)], at_once=3) == [7]


async def test_what_nobody_pays_meanwhile_is_owed_in_the_end() -> None:
    """A pull tells it with its next order, a follow-up when it is over."""
    with on_tab(Tab(paid=1)) as tab:
        await together([partial(ask, n) for n in range(5)], at_once=2)
    assert (tab.sent, tab.owed) == (5, 4)


async def test_a_tab_within_another_counts_for_itself() -> None:
    with on_tab(Tab()) as outer:
        noted()
        with on_tab(Tab()) as inner:
            noted()
            noted()
        noted()
    assert (outer.sent, inner.sent) == (2, 2)


async def test_of_several_that_fail_the_first_is_told_when_the_others_have_ended() -> None:
    ended = []

    async def fails(number: int) -> int:
        await asyncio.sleep(0)
        ended.append(number)
        if number:
            raise ValueError(f"no {number}")
        return number

    with pytest.raises(ValueError, match="no 1"):
        await together([partial(fails, n) for n in (0, 1, 2)], at_once=3)
    with pytest.raises(ValueError, match="no 3"):
        await together([partial(fails, n) for n in (3, 4)], at_once=1)
    assert ended == [0, 1, 2, 3]


async def test_what_pays_may_say_that_it_is_too_long() -> None:
    async def refuses(_: int) -> None:
        raise TimeoutError

    with on_tab(Tab(refuses)), pytest.raises(TimeoutError):
        await together([partial(ask, n) for n in range(5)], at_once=2)
