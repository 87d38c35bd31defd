"""What a piece of work costs in requests: counted as they leave, and paid where it is safe to wait.

An adapter asks as often as a question takes, which is one request for each record in some CRMs. Whoever asks it opens a
tab; each request is noted on it, whatever task sends it. Nothing waits while a request is under way or a lock is held:
adapters that ask often say with `settled` where they can wait, and the rest is paid in the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

T = TypeVar("T")


class Tab:
    """Requests of one piece of work."""

    def __init__(self, pay: Callable[[int], Awaitable[None]] | None = None, *, paid: int = 0) -> None:
        """`pay` waits until the budget has given so many. `paid`: so many were paid beforehand."""
        self._pay = pay
        self._paid = paid
        self.sent = 0

    @property
    def owed(self) -> int:
        """Requests that were sent and are not paid."""
        return max(0, self.sent - self._paid)

    async def settle(self) -> None:
        """Pay what is owed; where nobody pays it stays owed. Raises what `pay` raises."""
        owed = self.owed
        if owed and self._pay is not None:
            self._paid += owed
            await self._pay(owed)


_TAB: Final[ContextVar[Tab | None]] = ContextVar("tab", default=None)


@contextmanager
def on_tab(tab: Tab) -> Iterator[Tab]:
    """Note the requests that are sent meanwhile, by this task and those it begins."""
    before = _TAB.set(tab)
    try:
        yield tab
    finally:
        _TAB.reset(before)


def noted() -> None:
    """Note that a request leaves; nothing where no tab is open."""
    if (tab := _TAB.get()) is not None:
        tab.sent += 1


async def settled() -> None:
    """Pay for what has been sent, where a tab is open; called between requests, with no lock held."""
    if (tab := _TAB.get()) is not None:
        await tab.settle()


async def together(todo: Sequence[Callable[[], Awaitable[T]]], *, at_once: int) -> list[T]:
    """Do all, so many at one time, and settle after each few. Raises the first error, when the few have ended."""
    made: list[T] = []
    for first in range(0, len(todo), at_once):
        few = await asyncio.gather(*(one() for one in todo[first : first + at_once]), return_exceptions=True)
        for one in few:
            if isinstance(one, BaseException):
                raise one
            made.append(one)
        await settled()
    return made
