"""Lets a transaction that has begun come to its end, also when whoever waits for it is cancelled.

A daemon that is told to stop must not drop the facts it is just writing; and a driver that is interrupted in the
middle of a statement, or of a connect, leaves a connection (with aiosqlite: a thread) that nobody owns.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Begun:
    """The transactions that have begun and not ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def finish(self, transaction: Coroutine[Any, Any, T]) -> T:
        """Return what the transaction returns. Cancelled, stop waiting; the transaction goes on."""
        # no TaskGroup: it would hold the cancelled caller back, or cancel the task with him
        task = asyncio.create_task(transaction, name="storage transaction")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def all_ended(self) -> None:
        """Wait until none is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)


class _Store(Protocol):
    begun: Begun


S = TypeVar("S", bound=_Store)


def to_the_end(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make a store's method one that is never interrupted halfway."""

    @wraps(method)
    async def uninterrupted(store: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.begun.finish(method(store, *args, **kwargs))

    return uninterrupted
